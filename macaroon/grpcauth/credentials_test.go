package grpcauth_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/grpcauth"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// static returns a source of one token.
func static(token macaroon.Token) func(context.Context) (macaroon.Token, error) {
	return func(context.Context) (macaroon.Token, error) { return token, nil }
}

// newCredentials returns credentials with the clock of the harness.
func newCredentials(t *testing.T, h *macaroontest.Harness, token macaroon.Token, options ...grpcauth.CredentialOption) credentials.PerRPCCredentials {
	t.Helper()
	c, err := grpcauth.NewCredentials(static(token), append([]grpcauth.CredentialOption{grpcauth.WithClock(h.Clock.Now)}, options...)...)
	require.NoError(t, err)
	return c
}

// overLocal returns options to dial with the credentials, without TLS.
func overLocal(c credentials.PerRPCCredentials) []grpc.DialOption {
	return []grpc.DialOption{grpc.WithTransportCredentials(local.NewCredentials()), grpc.WithPerRPCCredentials(c)}
}

// recordTokens has the unary method record the tokens that it receives.
func (f *fixture) recordTokens() *[]macaroon.Token {
	var tokens []macaroon.Token
	f.files.get = func(ctx context.Context, id string) (string, error) {
		for _, value := range metadata.ValueFromIncomingContext(ctx, "authorization") {
			token, err := macaroon.Parse(value[len("Bearer "):])
			if err != nil {
				return "", err
			}
			tokens = append(tokens, token)
		}
		return id, nil
	}
	return &tokens
}

func TestEachCallCarriesAConfinedCopy(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient().AllowDataCaveats())})
	received := f.recordTokens()
	readonly := grpcauth.WithCaveatsFor(func(_ context.Context, method string) ([]caveat.Caveat, error) {
		if method == methodGet {
			return []caveat.Caveat{caveat.DataReadonly{}}, nil
		}
		return nil, nil
	})
	for _, c := range []struct {
		options []grpcauth.CredentialOption
		caveats []string
	}{
		{nil, []string{"time < 1727784060"}},
		{[]grpcauth.CredentialOption{grpcauth.WithLifetime(5 * time.Second)}, []string{"time < 1727784005"}},
		{
			[]grpcauth.CredentialOption{grpcauth.WithCaveats(caveat.IP{netip.MustParsePrefix("127.0.0.0/8")}), readonly},
			[]string{"time < 1727784060", "ip = 127.0.0.0/8", "data.readonly"},
		},
	} {
		creds := newCredentials(t, f.Harness, f.Token(), append(c.options, grpcauth.AllowLocal())...)
		conn := f.dialWith(t, overLocal(creds)...)
		_, err := f.getOver(t, conn, "f1")
		require.NoError(t, err)
		require.Equal(t, c.caveats, (*received)[len(*received)-1].Caveats())
	}
	// A copy expires, and the next call carries a new one.
	creds := newCredentials(t, f.Harness, f.Token(), grpcauth.AllowLocal())
	conn := f.dialWith(t, overLocal(creds)...)
	f.Clock.Advance(time.Hour)
	_, err := f.getOver(t, conn, "f1")
	require.NoError(t, err)
	leaked := (*received)[len(*received)-1]
	f.Clock.Advance(time.Minute)
	_, err = f.get(t, "f1", bearer(leaked)...)
	requireRefused(t, err, codes.Unauthenticated, errors.IDTokenCaveatUnverified)
	e, _ := grpcauth.ErrorFrom(err)
	require.True(t, errors.Expired(e))
	_, err = f.getOver(t, conn, "f1")
	require.NoError(t, err)
}

func TestTokensAreSentOverTLS(t *testing.T) {
	t.Parallel()
	server, client := newTLS(t)
	f := newFixture(t, setup{
		rules: sameRule(grpcauth.RequireClient()),
		creds: []grpc.ServerOption{grpc.Creds(server)}, dial: []grpc.DialOption{grpc.WithTransportCredentials(client)},
	})
	creds := newCredentials(t, f.Harness, f.Token())
	require.True(t, creds.RequireTransportSecurity())
	for _, creds := range []credentials.PerRPCCredentials{creds, newCredentials(t, f.Harness, f.Token(), grpcauth.AllowLocal())} {
		conn := f.dialWith(t, grpc.WithTransportCredentials(client), grpc.WithPerRPCCredentials(creds))
		_, err := f.getOver(t, conn, "f1")
		require.NoError(t, err)
	}
	_, err := f.get(t, "f1")
	requireRefused(t, err, codes.Unauthenticated, errors.IDUnauthorized)
}

func TestTokensAreNotSentOverInsecureConnections(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.AllowAnyone()), creds: []grpc.ServerOption{grpc.Creds(insecure.NewCredentials())}})
	received := f.recordTokens()
	strict := newCredentials(t, f.Harness, f.Token())
	_, err := grpc.NewClient(f.addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(strict))
	require.ErrorContains(t, err, "transport level security")

	conn := f.dialWith(t, overLocal(strict)...)
	_, err = f.getOver(t, conn, "f1")
	require.Error(t, err, "local TCP is not secure without AllowLocal")

	allowed := newCredentials(t, f.Harness, f.Token(), grpcauth.AllowLocal())
	conn = f.dialWith(t, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(allowed))
	_, err = f.getOver(t, conn, "f1")
	require.Equal(t, codes.Internal, status.Code(err))
	require.ErrorContains(t, err, "not secure")

	plain := credentials.NewContextWithRequestInfo(t.Context(), credentials.RequestInfo{Method: methodGet, AuthInfo: localInfo{}})
	_, err = strict.GetRequestMetadata(plain)
	require.ErrorContains(t, err, "not secure", "for a caller that ignores RequireTransportSecurity")
	_, err = allowed.GetRequestMetadata(t.Context())
	require.ErrorContains(t, err, "not secure", "without a connection")
	require.Empty(t, *received)

	conn = f.dialWith(t, overLocal(allowed)...)
	_, err = f.getOver(t, conn, "f1")
	require.NoError(t, err)
	require.Len(t, *received, 1)
}

// localInfo describes a connection to a loopback address.
type localInfo struct{}

func (localInfo) AuthType() string { return "local" }

func (localInfo) GetCommonAuthInfo() credentials.CommonAuthInfo {
	return credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity}
}

// Credentials as an option of a call are held to the same rule.
// A tunnel, or a proxy of the environment, may run on this machine and lead to
// another one.
func TestTokensAreNotSentThroughALocalTunnel(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.AllowAnyone())})
	received := f.recordTokens()
	tunnel := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", f.addr)
	})
	options := append(overLocal(newCredentials(t, f.Harness, f.Token(), grpcauth.AllowLocal())), tunnel)
	for target, allowed := range map[string]bool{
		"files.example.org:50051": false, "files.example.org": false, "localhost.example.org:50051": false, "192.0.2.1:50051": false,
		"localhost:50051": true, "127.0.0.1:50051": true, "[::1]:50051": true,
	} {
		*received = nil
		conn, err := grpc.NewClient("passthrough:///"+target, options...)
		require.NoError(t, err)
		_, err = f.getOver(t, conn, "f1")
		require.NoError(t, conn.Close())
		require.Equal(t, allowed, err == nil, "%s: %v", target, err)
		require.Equal(t, allowed, len(*received) == 1, target)
	}
}

func TestCredentialsOfOneCall(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient())})
	strict, allowed := newCredentials(t, f.Harness, f.Token()), newCredentials(t, f.Harness, f.Token(), grpcauth.AllowLocal())
	err := f.conn.Invoke(testContext(t), methodGet, &wrapperspb.StringValue{}, &wrapperspb.StringValue{}, grpc.PerRPCCredentials(strict))
	require.Error(t, err)
	_, ok := grpcauth.ErrorFrom(err)
	require.False(t, ok, "the client refused")
	require.NoError(t, f.conn.Invoke(testContext(t), methodGet, &wrapperspb.StringValue{}, &wrapperspb.StringValue{}, grpc.PerRPCCredentials(allowed)))
}

// A token that the caller adds to the metadata makes two, which the server
// refuses.
func TestTokensAreNotMixed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient())})
	conn := f.dialWith(t, overLocal(newCredentials(t, f.Harness, f.Token(), grpcauth.AllowLocal()))...)
	for _, pairs := range [][]string{bearer(f.Token()), {"x-auth-token", f.Token().String()}} {
		_, err := f.getOver(t, conn, "f1", pairs...)
		requireRefused(t, err, codes.Unauthenticated, errors.IDBadToken)
	}
}

// Errors of the client must not look like refusals of the server.
func TestErrorsOfCredentialsAreOperational(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.AllowAnyone())})
	broken := func(context.Context) (macaroon.Token, error) { return macaroon.Token{}, errors.TokenRevoked() }
	waits := func(ctx context.Context) (macaroon.Token, error) {
		<-ctx.Done()
		return macaroon.Token{}, ctx.Err()
	}
	caveats := func(cs []caveat.Caveat, err error) grpcauth.CredentialOption {
		return grpcauth.WithCaveatsFor(func(context.Context, string) ([]caveat.Caveat, error) { return cs, err })
	}
	token := f.Token()
	for name, c := range map[string]struct {
		source func(context.Context) (macaroon.Token, error)
		option grpcauth.CredentialOption
		code   codes.Code
		words  string
	}{
		"source":         {broken, grpcauth.AllowLocal(), codes.Unavailable, "get the token to send: tokenRevoked"},
		"zero token":     {static(macaroon.Token{}), grpcauth.AllowLocal(), codes.Internal, "confine the token to send"},
		"refused":        {static(token), caveats(nil, errors.Forbidden("not this method")), codes.Internal, "not this method"},
		"invalid caveat": {static(token), caveats([]caveat.Caveat{caveat.DataPath{"x"}}, nil), codes.Internal, "every path must be"},
		"canceled":       {waits, grpcauth.AllowLocal(), codes.DeadlineExceeded, "deadline"},
	} {
		creds, err := grpcauth.NewCredentials(c.source, c.option, grpcauth.AllowLocal())
		require.NoError(t, err)
		conn := f.dialWith(t, overLocal(creds)...)
		ctx := testContext(t)
		if c.code == codes.DeadlineExceeded {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
		}
		err = conn.Invoke(ctx, methodGet, &wrapperspb.StringValue{}, &wrapperspb.StringValue{})
		require.Equal(t, c.code, status.Code(err), "%s: %v", name, err)
		require.ErrorContains(t, err, c.words)
		_, ok := grpcauth.ErrorFrom(err)
		require.False(t, ok, name)
		f.requireNoLeak(t, err, token)
	}
}

func TestIndicatedServiceIsKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient())})
	text, err := f.TokenOf(f.Provider, macaroon.AccessToken()).IndicatedBy(caveat.OpWorker)
	require.NoError(t, err)
	token, err := macaroon.Parse(text)
	require.NoError(t, err)
	var service caveat.ServiceType
	f.files.get = func(ctx context.Context, id string) (string, error) {
		auth, _ := grpcauth.ClientFrom(ctx)
		service = auth.Service
		return id, nil
	}
	conn := f.dialWith(t, overLocal(newCredentials(t, f.Harness, token, grpcauth.AllowLocal()))...)
	_, err = f.getOver(t, conn, "f1")
	require.NoError(t, err)
	require.Equal(t, caveat.OpWorker, service)
}

func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(perFile)})
	conn := f.dialWith(t, overLocal(newCredentials(t, f.Harness, f.Token(), grpcauth.AllowLocal()))...)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got, err := f.getOver(t, conn, "f1"); err != nil || got != "f1" {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNewCredentialsRefusesBadInput(t *testing.T) {
	t.Parallel()
	_, err := grpcauth.NewCredentials(nil)
	require.ErrorIs(t, err, errors.IDBadData)
	for want, options := range map[errors.ID][]grpcauth.CredentialOption{
		errors.IDBadValueTooLow: {grpcauth.WithLifetime(time.Second - 1)},
		errors.IDBadValueCaveat: {grpcauth.WithCaveats(caveat.REST, caveat.Services{})},
		errors.IDBadData:        {grpcauth.WithCaveatsFor(nil), grpcauth.WithClock(nil)},
	} {
		for _, option := range options {
			_, err := grpcauth.NewCredentials(static(macaroon.Token{}), option)
			require.ErrorIs(t, err, want)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	h := macaroontest.New(b)
	auth, err := grpcauth.New(h.Authority, sameRule(perFile))
	require.NoError(b, err)
	handler := func(context.Context, any) (any, error) { return nil, nil }
	ctx := metadata.NewIncomingContext(b.Context(), metadata.Pairs(bearer(h.Token())...))
	info := &grpc.UnaryServerInfo{FullMethod: methodGet}
	message := wrapperspb.String("f1")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := auth.Unary(ctx, message, info, handler); err != nil {
			b.Fatal(err)
		}
	}
}
