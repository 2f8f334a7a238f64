//go:build e2e

// Package callers has clients that confine their tokens call services that ask
// an Onezone of somebody else about them, over HTTP and gRPC.
package callers

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	// The server and client that grpcauth is for.
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/grpcauth"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// fixture is an Onezone, a service that asks it, and a client of the service with
// a token in a file.
type fixture struct {
	*macaroontest.Remote
	verifier *remote.Client
	file     string
}

// newFixture returns a fixture whose service asks about each copy once.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{Remote: macaroontest.NewRemote(t), file: filepath.Join(t.TempDir(), "token")}
	var err error
	f.verifier, err = remote.New(f.Origin, remote.WithClock(f.Clock.Now), remote.WithRetries(0), remote.WithMaxAge(30*time.Second, 0))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.verifier.Close()) })
	return f
}

// use puts the token into the file, as a program that renews tokens does.
func (f *fixture) use(t *testing.T, token macaroon.Token) {
	t.Helper()
	next := f.file + ".next"
	require.NoError(t, os.WriteFile(next, []byte(token.String()), 0o600))
	require.NoError(t, os.Rename(next, f.file))
}

// outcome is the answer to a call.
type outcome struct {
	ok    bool
	err   *errors.Error // nil if the answer has none
	retry time.Duration
}

// newHTTP returns a function that reads a file over HTTP.
func (f *fixture) newHTTP(t *testing.T) func(t *testing.T) outcome {
	t.Helper()
	files := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		if err := client.CheckFile(caveat.File{Path: "/space1" + r.URL.Path}, caveat.Read); err != nil {
			rest.WriteError(out, err)
		}
	})
	service := httptest.NewServer(rest.Authenticate(f.verifier, rest.AllowDataCaveats())(rest.RequireClient()(files)))
	t.Cleanup(service.Close)
	transport, err := remote.NewTransport(remote.TokenFile(f.file), []string{service.URL}, remote.WithTransportClock(f.Clock.Now),
		remote.WithReadonly(), remote.WithDataPath("", "/space1"), remote.WithCaveats(caveat.MustParse("ip = 127.0.0.1/32")))
	require.NoError(t, err)
	client := &http.Client{Transport: transport}
	t.Cleanup(client.CloseIdleConnections)
	return func(t *testing.T) outcome {
		t.Helper()
		res, err := client.Get(service.URL + "/report.pdf")
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		if res.StatusCode == http.StatusOK {
			return outcome{ok: true}
		}
		e := macaroontest.Response{Status: res.StatusCode, Header: res.Header, Body: body}.Err()
		seconds, _ := time.ParseDuration(res.Header.Get("Retry-After") + "s")
		return outcome{err: errors.From(e), retry: seconds}
	}
}

// newGRPC returns a function that calls a method over gRPC.
func (f *fixture) newGRPC(t *testing.T) func(t *testing.T) outcome {
	t.Helper()
	auth, err := grpcauth.New(f.verifier, grpcauth.Rules{
		grpc_health_v1.Health_Check_FullMethodName: grpcauth.Require(caveat.OzWorker, caveat.Get, "space.{service}.instance:private"),
	})
	require.NoError(t, err)
	server := grpc.NewServer(grpc.Creds(local.NewCredentials()), grpc.ChainUnaryInterceptor(auth.Unary), grpc.ChainStreamInterceptor(auth.Stream))
	checks := health.NewServer()
	checks.SetServingStatus("s1", grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(server, checks)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	credentials, err := grpcauth.NewCredentials(remote.TokenFile(f.file), grpcauth.AllowLocal(), grpcauth.WithClock(f.Clock.Now),
		grpcauth.WithCaveats(caveat.MustParse("api = ozw/get/space.s1.*:*"), caveat.MustParse("ip = 127.0.0.1/32")))
	require.NoError(t, err)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(local.NewCredentials()), grpc.WithPerRPCCredentials(credentials))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return func(t *testing.T) outcome {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "s1"})
		if err == nil {
			return outcome{ok: true}
		}
		e, ok := grpcauth.ErrorFrom(err)
		require.True(t, ok, "%v", err)
		require.Equal(t, status.Code(err) == codes.Unavailable, e.HTTPStatus() == http.StatusServiceUnavailable)
		var retry time.Duration
		for _, detail := range status.Convert(err).Details() {
			if info, ok := detail.(*errdetails.RetryInfo); ok {
				retry = info.GetRetryDelay().AsDuration()
			}
		}
		return outcome{err: e, retry: retry}
	}
}

func TestConfinedCopiesAreVerifiedAtTheOnezone(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*fixture, *testing.T) func(*testing.T) outcome{"HTTP": (*fixture).newHTTP, "gRPC": (*fixture).newGRPC} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			call := start(f, t)
			refused := func(id errors.ID) outcome {
				t.Helper()
				f.Clock.Advance(time.Second) // the next copy is another text
				got := call(t)
				require.False(t, got.ok)
				require.ErrorIs(t, got.err, id)
				return got
			}

			f.use(t, f.Token())
			require.True(t, call(t).ok)
			require.True(t, call(t).ok)
			require.Len(t, f.Requests("/tokens/verify_access_token"), 1, "the copies of one second are equal")
			f.Clock.Advance(time.Hour)
			require.True(t, call(t).ok, "each copy has a lifetime of its own")
			for _, request := range f.Requests("/tokens/verify_access_token") {
				require.NotContains(t, string(request.Body), f.tokenText(t), "the token itself never leaves the client")
			}

			f.use(t, f.Revoked())
			require.Equal(t, errors.IDUnauthorized, refused(errors.IDTokenRevoked).err.ID)
			f.use(t, f.Forged())
			refused(errors.IDTokenInvalid)
			f.use(t, f.Token(caveat.MustParse("ip = 192.0.2.0/24")))
			refused(errors.IDTokenCaveatUnverified)
			f.use(t, f.Token())
			f.Behave(macaroontest.TooManyRequests(7))
			require.Equal(t, 7*time.Second, refused(errors.IDServiceUnavailable).retry)
			f.Behave()
			f.Clock.Advance(7 * time.Second)
			require.True(t, call(t).ok)
			f.Stop()
			refused(errors.IDServiceUnavailable)
			f.Start()
			f.Clock.Advance(time.Second)
			require.True(t, call(t).ok)
		})
	}
}

// tokenText returns the token in the file.
func (f *fixture) tokenText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(f.file)
	require.NoError(t, err)
	return string(text)
}
