package grpcauth_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/grpcauth"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// both calls the unary method and the server stream, which must agree.
func (f *fixture) both(t *testing.T, pairs ...string) error {
	t.Helper()
	_, unary := f.get(t, "f1", pairs...)
	_, stream := f.list(t, "f1", pairs...)
	require.Equal(t, status.Convert(unary).Proto().String(), status.Convert(stream).Proto().String())
	return unary
}

func sameRule(r grpcauth.Rule) grpcauth.Rules {
	return grpcauth.Rules{methodGet: r, methodList: r, methodChat: r}
}

func TestCallsNeedAGoodToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient())})
	require.NoError(t, f.both(t, bearer(f.Token())...))
	require.NoError(t, f.both(t, "x-auth-token", f.Token().String()))
	require.NoError(t, f.both(t, "authorization", "bearer "+f.Token().String()), "schemes have no case (RFC 9110)")

	err := f.both(t)
	require.Nil(t, requireRefused(t, err, codes.Unauthenticated, errors.IDUnauthorized).Details)
	for want, token := range map[errors.ID]macaroon.Token{
		errors.IDTokenCaveatUnverified: f.Expired(),
		errors.IDTokenRevoked:          f.Revoked(),
		errors.IDTokenInvalid:          f.Forged(),
		errors.IDTokenCaveatUnknown:    f.WithUnknownCaveat(),
		errors.IDNotAnAccessToken:      f.TokenOf(f.Alice, macaroon.IdentityToken()),
	} {
		err := f.both(t, bearer(token)...)
		require.Equal(t, errors.IDUnauthorized, requireRefused(t, err, codes.Unauthenticated, want).ID)
		f.requireNoLeak(t, err, token)
	}
	requireRefused(t, f.both(t, "authorization", "Bearer "+f.Truncated()), codes.Unauthenticated, errors.IDBadToken)
	requireRefused(t, f.both(t, "x-auth-token", ""), codes.Unauthenticated, errors.IDBadToken)
	requireRefused(t, f.both(t, "authorization", "Bearer "), codes.Unauthenticated, errors.IDBadToken)
}

func TestCallsWithSeveralTokensAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.AllowAnyone())})
	good, other := f.Token().String(), f.Token().String()
	for name, pairs := range map[string][]string{
		"x-auth-token twice":         {"x-auth-token", good, "x-auth-token", other},
		"the same twice":             {"x-auth-token", good, "x-auth-token", good},
		"authorization twice":        {"authorization", "Bearer " + good, "authorization", "Bearer " + good},
		"both":                       {"x-auth-token", good, "authorization", "Bearer " + good},
		"both, with another scheme":  {"x-auth-token", good, "authorization", "Basic YTpi"},
		"a list in one value":        {"x-auth-token", good + ", " + good},
		"an empty one and a token":   {"x-auth-token", "", "x-auth-token", good},
		"upper case and lower case":  {"X-Auth-Token", good, "x-auth-token", good},
		"another scheme":             {"authorization", "Basic YTpi"},
		"a scheme without its space": {"authorization", "Bearer" + good},
		"a token without a scheme":   {"authorization", good},
	} {
		err := f.both(t, pairs...)
		require.Error(t, err, name)
		requireRefused(t, err, codes.Unauthenticated, errors.IDBadToken)
	}
}

func TestMethodsWithoutARuleAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: grpcauth.Rules{methodGet: grpcauth.RequireClient()}})
	f.files.list = func(string, grpc.ServerStream) error { panic("called") }
	_, err := f.list(t, "f1", bearer(f.Token())...)
	requireRefused(t, err, codes.PermissionDenied, errors.IDForbidden)

	_, err = grpc_health_v1.NewHealthClient(f.conn).Check(testContext(t, bearer(f.Token())...), &grpc_health_v1.HealthCheckRequest{})
	requireRefused(t, err, codes.PermissionDenied, errors.IDForbidden)
	s, err := grpc_reflection_v1.NewServerReflectionClient(f.conn).ServerReflectionInfo(testContext(t, bearer(f.Token())...))
	require.NoError(t, err)
	_, err = s.Recv()
	requireRefused(t, err, codes.PermissionDenied, errors.IDForbidden)
	for _, unknown := range []string{"/files.v1.Files/get", "/files.v1.Files/Get/", "/Files/Get"} {
		err = f.conn.Invoke(testContext(t, bearer(f.Token())...), unknown, &grpc_health_v1.HealthCheckRequest{}, &grpc_health_v1.HealthCheckResponse{})
		require.Equal(t, codes.Unimplemented, status.Code(err), "gRPC itself answers for methods that do not exist")
	}
}

// A proxy that handles methods that the server does not know.
func TestUnknownMethodsAreRefusedBeforeTheirHandler(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{
		rules: grpcauth.Rules{methodGet: grpcauth.RequireClient(), "/other.v1.Other/Get": grpcauth.RequireClient()},
		creds: []grpc.ServerOption{grpc.Creds(local.NewCredentials()), grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
			return s.SendMsg(&grpc_health_v1.HealthCheckResponse{})
		})},
	})
	in, out := &grpc_health_v1.HealthCheckRequest{}, &grpc_health_v1.HealthCheckResponse{}
	require.NoError(t, f.conn.Invoke(testContext(t, bearer(f.Token())...), "/other.v1.Other/Get", in, out))
	requireRefused(t, f.conn.Invoke(testContext(t), "/other.v1.Other/Get", in, out), codes.Unauthenticated, errors.IDUnauthorized)
	for _, method := range []string{"/other.v1.Other/Put", "/files.v1.Files/get", "/files.v1.Files/Get/", "/"} {
		err := f.conn.Invoke(testContext(t, bearer(f.Token())...), method, in, out)
		require.Error(t, err, method)
		if method != "/" { // gRPC refuses it
			requireRefused(t, err, codes.PermissionDenied, errors.IDForbidden)
		}
	}
}

func TestListedMethodsOfOtherServicesAreServed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: grpcauth.Rules{
		grpc_health_v1.Health_Check_FullMethodName:                              grpcauth.AllowAnyone(),
		grpc_reflection_v1.ServerReflection_ServerReflectionInfo_FullMethodName: grpcauth.RequireClient(),
	}})
	_, err := grpc_health_v1.NewHealthClient(f.conn).Check(testContext(t), &grpc_health_v1.HealthCheckRequest{})
	require.NoError(t, err)
	for name, pairs := range map[string][]string{"refused": nil, "served": bearer(f.Token())} {
		s, err := grpc_reflection_v1.NewServerReflectionClient(f.conn).ServerReflectionInfo(testContext(t, pairs...))
		require.NoError(t, err)
		_ = s.Send(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}})
		_, err = s.Recv()
		require.Equal(t, pairs != nil, err == nil, "%s: %v", name, err)
	}
}

func TestAllowAnyoneServesClientsWithoutATokenAndRefusesBadOnes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.AllowAnyone())})
	var known bool
	f.files.get = func(ctx context.Context, _ string) (string, error) {
		_, known = grpcauth.ClientFrom(ctx)
		return "", nil
	}
	_, err := f.get(t, "f1")
	require.NoError(t, err)
	require.False(t, known)
	_, err = f.get(t, "f1", bearer(f.Token())...)
	require.NoError(t, err)
	require.True(t, known)
	requireRefused(t, f.both(t, bearer(f.Revoked())...), codes.Unauthenticated, errors.IDTokenRevoked)
}

func TestHandlersGetTheClientAndTheActor(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient())})
	token := f.Token()
	var auth macaroon.Auth
	var actor macaroon.Actor
	record := func(ctx context.Context) {
		auth, _ = grpcauth.ClientFrom(ctx)
		actor = macaroon.ActorFrom(ctx)
	}
	f.files.get = func(ctx context.Context, _ string) (string, error) { record(ctx); return "", nil }
	f.files.list = func(_ string, s grpc.ServerStream) error { record(s.Context()); return nil }
	for _, call := range []func(*testing.T, string, ...string) (string, error){f.get, f.list} {
		auth, actor = macaroon.Auth{}, macaroon.Actor{}
		_, _ = call(t, "f1", bearer(token)...)
		loopback := netip.MustParseAddr("127.0.0.1")
		require.Equal(t, f.Alice, auth.Subject)
		require.Equal(t, token.ID(), auth.TokenID)
		require.Equal(t, loopback, auth.PeerIP)
		require.Equal(t, macaroon.Actor{Subject: f.Alice, Method: macaroon.ByToken, TokenID: token.ID(), Address: loopback}, actor)
	}
	_, ok := grpcauth.ClientFrom(t.Context())
	require.False(t, ok)
}

// Requirements of methods, with the field of the message as the id.
func TestCaveatsOfATokenLimitTheMethods(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.Require(caveat.OpWorker, caveat.Get, "file.{value}.content:private"))})
	for _, c := range []struct {
		spec, id string
		allowed  bool
	}{
		{"opw/get/file.f1.content:private", "f1", true},
		{"opw/get/file.f1.content:private", "f2", false},
		{"opw/get/file.f1.content:private", "", false},
		{"opw/get/file.*.content:private", "f2", true},
		{"opw/get/file.*.*:*", "a.b", true},
		{"opw/get/file.a.content:private", "a.content:private", false},
		{"opw/get/file.null.content:private", "null", false},
		{"opw/update/file.f1.content:private", "f1", false},
		{"ozw/get/file.f1.content:private", "f1", false},
		{"opw/get/file.f1.attributes:private", "f1", false},
	} {
		token := f.Token(apiCaveat(c.spec))
		for name, call := range map[string]func(*testing.T, string, ...string) (string, error){"unary": f.get, "stream": f.list} {
			got, err := call(t, c.id, bearer(token)...)
			if c.allowed {
				require.NoError(t, err, "%s %+v", name, c)
				require.Equal(t, c.id, got)
				continue
			}
			requireRefused(t, err, codes.PermissionDenied, errors.IDTokenCaveatUnverified)
		}
	}
	require.NoError(t, f.both(t, bearer(f.Token())...), "a token without caveats")
	requireRefused(t, f.both(t), codes.Unauthenticated, errors.IDUnauthorized)
}

func TestFixedResources(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.Require(caveat.OzWorker, caveat.Create, "user.null.report:private"))})
	require.NoError(t, f.both(t, bearer(f.Token(apiCaveat("ozw/create/user.null.report:private")))...))
	requireRefused(t, f.both(t, bearer(f.Token(apiCaveat("ozw/get/*.*.*:*")))...), codes.PermissionDenied, errors.IDTokenCaveatUnverified)
}

func TestDataCaveatsNeedAHandlerThatEnforcesThem(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: grpcauth.Rules{
		methodGet:  grpcauth.RequireClient().AllowDataCaveats(),
		methodList: grpcauth.RequireClient(),
	}})
	f.files.get = func(ctx context.Context, id string) (string, error) {
		auth, _ := grpcauth.ClientFrom(ctx)
		return id, auth.CheckFile(caveat.File{Path: id}, caveat.Read)
	}
	token := f.Token(caveat.DataPath{"/space1/a"})
	_, err := f.get(t, "/space1/a/b", bearer(token)...)
	require.NoError(t, err)
	_, err = f.get(t, "/space1/b", bearer(token)...)
	requireRefused(t, err, codes.PermissionDenied, errors.IDTokenCaveatUnverified)
	_, err = f.get(t, "/space1/../b", bearer(token)...)
	requireRefused(t, err, codes.InvalidArgument, errors.IDBadValueFilePath)
	_, err = f.list(t, "/space1/a/b", bearer(token)...)
	requireRefused(t, err, codes.Unauthenticated, errors.IDTokenCaveatUnverified)
}

func TestServerCanBeAnotherServiceAndInterface(t *testing.T) {
	t.Parallel()
	worker := caveat.Service{Type: caveat.OpWorker, ID: "p1"}
	everybody := []macaroon.Option{macaroon.WithMemberships(macaroontest.Everybody{}), macaroon.WithSessions(everySession{})}
	plain := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient()), authority: everybody[1:]})
	named := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient()), authority: everybody,
		options: []grpcauth.Option{grpcauth.AsService(worker), grpcauth.AsInterface(caveat.Oneclient)}})
	for _, c := range []struct {
		caveat       caveat.Caveat
		plain, named bool
	}{
		{caveat.Services{worker}, false, true},
		{caveat.Services{{Type: caveat.OzWorker, ID: caveat.OnezoneID}}, true, false},
		{caveat.Oneclient, false, true},
		{caveat.REST, false, false},
	} {
		require.Equal(t, c.plain, plain.both(t, bearer(plain.Token(c.caveat))...) == nil, "%v", c.caveat)
		_, err := named.get(t, "f1", bearer(named.Token(c.caveat))...)
		require.Equal(t, c.named, err == nil, "%v: %v", c.caveat, err)
	}
	panel := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient()), authority: everybody,
		options: []grpcauth.Option{grpcauth.AsService(caveat.Service{Type: caveat.OpPanel, ID: "p1"})}})
	require.NoError(t, panel.both(t, bearer(panel.Token())...))
	// Panels accept the tokens of sessions; other services have no sessions.
	for f, allowed := range map[*fixture]bool{panel: true, plain: false} {
		token := f.TokenOf(f.Alice, macaroon.SessionToken("s1"))
		require.Equal(t, allowed, f.both(t, bearer(token)...) == nil)
	}
}

// everySession is a directory in which every session is the user's.
type everySession struct{}

func (everySession) BelongsTo(context.Context, string, caveat.Subject) (bool, error) {
	return true, nil
}

func TestIdentityTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient()), options: []grpcauth.Option{grpcauth.AcceptIdentityTokens()}})
	require.NoError(t, f.both(t, bearer(f.TokenOf(f.Alice, macaroon.IdentityToken()))...))
	requireRefused(t, f.both(t, bearer(f.Token())...), codes.Unauthenticated, errors.IDNotAnIdentityToken)
}

func TestAddressIsThatOfTheConnection(t *testing.T) {
	t.Parallel()
	fromLoopback, fromElsewhere := caveat.MustParse("ip = 127.0.0.0/8"), caveat.MustParse("ip = 192.0.2.0/24")
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient())})
	require.NoError(t, f.both(t, bearer(f.Token(fromLoopback))...))
	requireRefused(t, f.both(t, bearer(f.Token(fromElsewhere))...), codes.Unauthenticated, errors.IDTokenCaveatUnverified)
	spoofed := append(bearer(f.Token(fromElsewhere)), "x-forwarded-for", "192.0.2.1")
	requireRefused(t, f.both(t, spoofed...), codes.Unauthenticated, errors.IDTokenCaveatUnverified)

	for name, listen := range map[string]string{"a Unix socket": filepath.Join(t.TempDir(), "s"), "IPv6": "[::1]:0"} {
		f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient()), listen: listen})
		require.NoError(t, f.both(t, bearer(f.Token())...), name)
		requireRefused(t, f.both(t, bearer(f.Token(caveat.MustParse("ip = 0.0.0.0/0")))...), codes.Unauthenticated, errors.IDTokenCaveatUnverified)
	}
}

func TestTrustedProxiesTellTheAddress(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient()),
		options: []grpcauth.Option{grpcauth.WithTrustedProxies(netip.MustParsePrefix("127.0.0.0/8"))}})
	token := bearer(f.Token(caveat.MustParse("ip = 192.0.2.0/24")))
	for forwarded, allowed := range map[string]bool{
		"192.0.2.1":                      true,
		"10.0.0.1, 192.0.2.1":            true,
		"192.0.2.1:4711":                 true,
		"10.0.0.1|192.0.2.1":             true, // "|": another line
		"192.0.2.1, 127.0.0.1":           true,
		"192.0.2.1, 10.0.0.1":            false,
		"192.0.2.1|10.0.0.1":             false,
		"192.0.2.1, unknown":             false,
		"192.0.2.999":                    false,
		"2001:db8::1":                    false,
		"":                               false,
		"192.0.2.1, 2001:db8::1":         false,
		"for=192.0.2.1":                  false,
		"192.0.2.1,10.0.0.1,127.0.0.1":   false,
		"192.0.2.1|127.0.0.1|127.0.0.1,": true,
	} {
		pairs := token
		for line := range strings.SplitSeq(forwarded, "|") {
			pairs = append(pairs[:len(pairs):len(pairs)], "x-forwarded-for", line)
		}
		require.Equal(t, allowed, f.both(t, pairs...) == nil, forwarded)
	}
	require.Error(t, f.both(t, token...), "without x-forwarded-for, the address is that of the proxy")
	require.Error(t, f.both(t, append(token[:len(token):len(token)], "forwarded", "for=192.0.2.1")...))
}

// A canceled call is not a verdict, nor a fault of the verifier.
func TestCanceledCalls(t *testing.T) {
	t.Parallel()
	started := make(chan struct{}, 1)
	slow := verifierFunc(func(ctx context.Context) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient()), verifier: slow})
	ctx, cancel := context.WithCancel(testContext(t, bearer(f.Token())...))
	go func() {
		<-started
		cancel()
	}()
	err := f.conn.Invoke(ctx, methodGet, &grpc_health_v1.HealthCheckRequest{}, &grpc_health_v1.HealthCheckResponse{})
	require.Equal(t, codes.Canceled, status.Code(err))

	auth, err := grpcauth.New(slow, sameRule(grpcauth.RequireClient()), grpcauth.WithLogger(f.log.Logger()))
	require.NoError(t, err)
	expired, cancel := context.WithDeadline(incoming(t, bearer(f.Token())...), time.Unix(1, 0))
	defer cancel()
	_, err = auth.Unary(expired, nil, &grpc.UnaryServerInfo{FullMethod: methodGet}, nil)
	require.Equal(t, codes.DeadlineExceeded, status.Code(err))
	require.Empty(t, f.log.String())
}

func TestNewRefusesBadInput(t *testing.T) {
	t.Parallel()
	authority := macaroontest.New(t).Authority
	for name, c := range map[string]struct {
		verifier macaroon.Verifier
		rules    grpcauth.Rules
		want     errors.ID
	}{
		"no verifier":          {nil, sameRule(grpcauth.AllowAnyone()), errors.IDBadData},
		"a nil authority":      {(*macaroon.Authority)(nil), sameRule(grpcauth.AllowAnyone()), errors.IDBadData},
		"no rules":             {authority, nil, errors.IDBadData},
		"the zero rule":        {authority, sameRule(grpcauth.Rule{}), errors.IDBadData},
		"no method":            {authority, grpcauth.Rules{"files.v1.Files/Get": grpcauth.AllowAnyone()}, errors.IDBadData},
		"a service":            {authority, grpcauth.Rules{"/files.v1.Files/": grpcauth.AllowAnyone()}, errors.IDBadData},
		"all methods":          {authority, grpcauth.Rules{"*": grpcauth.AllowAnyone()}, errors.IDBadData},
		"no service type":      {authority, sameRule(grpcauth.Require(0, caveat.Get, "file.{id}.content")), errors.IDBadData},
		"no operation":         {authority, sameRule(grpcauth.Require(caveat.OpWorker, 0, "file.{id}.content")), errors.IDBadData},
		"no GRI":               {authority, sameRule(grpcauth.Require(caveat.OpWorker, caveat.Get, "file.{id}")), errors.IDBadGRI},
		"a type of GRI":        {authority, sameRule(grpcauth.Require(caveat.OpWorker, caveat.Get, "{type}.a.content")), errors.IDBadGRI},
		"an open brace":        {authority, sameRule(grpcauth.Require(caveat.OpWorker, caveat.Get, "file.{id.content")), errors.IDBadGRI},
		"no field name":        {authority, sameRule(grpcauth.Require(caveat.OpWorker, caveat.Get, "file.{a-b}.content")), errors.IDBadGRI},
		"an unknown operation": {authority, sameRule(grpcauth.Require(caveat.OpWorker, caveat.Delete+1, "file.a.content")), errors.IDBadData},
	} {
		_, err := grpcauth.New(c.verifier, c.rules)
		require.ErrorIs(t, err, c.want, name)
	}
}

// The rules of an interceptor do not change with the map.
func TestRulesAreCopied(t *testing.T) {
	t.Parallel()
	rules := grpcauth.Rules{methodGet: grpcauth.RequireClient()}
	f := newFixture(t, setup{rules: rules})
	rules[methodGet] = grpcauth.AllowAnyone()
	_, err := f.get(t, "f1")
	requireRefused(t, err, codes.Unauthenticated, errors.IDUnauthorized)
}
