package grpcauth_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/grpcauth"
)

// incoming returns the context of a call that a server received.
func incoming(t *testing.T, pairs ...string) context.Context {
	t.Helper()
	return metadata.NewIncomingContext(t.Context(), metadata.Pairs(pairs...))
}

// verifierFunc is a verifier that never accepts a token.
type verifierFunc func(ctx context.Context) error

func (v verifierFunc) VerifyAccess(ctx context.Context, _ string, _ caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, v(ctx)
}

func (v verifierFunc) VerifyIdentity(ctx context.Context, _ string, _ caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, v(ctx)
}

func (v verifierFunc) VerifyInvite(ctx context.Context, _ string, _ macaroon.InviteType, _ caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, v(ctx)
}

// retryError is an operational error that knows when to come back.
type retryError struct{ wait time.Duration }

func (retryError) Error() string               { return "the Onezone asked for a pause" }
func (e retryError) RetryAfter() time.Duration { return e.wait }

func retryDelay(t *testing.T, err error) time.Duration {
	t.Helper()
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	t.Fatalf("no RetryInfo: %v", err)
	return 0
}

// An operational error says nothing about the token, whatever is in its chain.
func TestOperationalErrorsAreUnavailable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want errors.ID
		wait time.Duration
	}{
		"a store that failed":          {errors.New("the database is down at 10.0.0.7"), errors.IDServiceUnavailable, time.Second},
		"with a verdict in its chain":  {fmt.Errorf("ask: %w", errors.TokenRevoked()), errors.IDServiceUnavailable, time.Second},
		"with a time to wait":          {fmt.Errorf("ask: %w", retryError{7 * time.Second}), errors.IDServiceUnavailable, 7 * time.Second},
		"a deadline of the verifier's": {fmt.Errorf("ask: %w", context.DeadlineExceeded), errors.IDTimeout, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient()), verifier: verifierFunc(func(context.Context) error { return c.err })})
			token := f.Token()
			err := f.both(t, bearer(token)...)
			requireRefused(t, err, codes.Unavailable, c.want)
			require.Equal(t, c.wait, retryDelay(t, err))
			require.NotContains(t, err.Error(), "10.0.0.7")
			require.NotContains(t, err.Error(), "revoked")
			require.Equal(t, 2, strings.Count(f.log.String(), c.err.Error()), "logged once for each call")
			f.requireNoLeak(t, err, token)
		})
	}
}

func TestClosedStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient())})
	token := f.Token()
	require.NoError(t, f.Store.Close())
	requireRefused(t, f.both(t, bearer(token)...), codes.Unavailable, errors.IDServiceUnavailable)
}

// Errors of the catalogue that a handler returns reach the client whole.
func TestErrorsOfHandlersReachTheClient(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.AllowAnyone())})
	for _, c := range []struct {
		err  error
		code codes.Code
	}{
		{errors.BadValueString("name"), codes.InvalidArgument},
		{errors.BadValueNotAllowed("mode", "r", "w"), codes.InvalidArgument},
		{errors.TokenCaveatUnverified(caveat.REST, "it must be REST"), codes.InvalidArgument},
		{errors.Unauthorized(nil), codes.Unauthenticated},
		{errors.Forbidden("it is not yours"), codes.PermissionDenied},
		{errors.NotFound(), codes.NotFound},
		{errors.AlreadyExists(), codes.AlreadyExists},
		{errors.NotSupported(), codes.InvalidArgument},
		{errors.Make("notImplemented", nil), codes.Unimplemented},
		{errors.InternalServerError("0123456789"), codes.Internal},
		{errors.ServiceUnavailable(), codes.Unavailable},
		{errors.TemporaryFailure(), codes.Unavailable},
		{fmt.Errorf("read the file: %w", errors.NotFound()), codes.NotFound},
		{errors.NotFound().WithCause(errors.New("a secret cause")), codes.NotFound},
	} {
		f.files.get = func(context.Context, string) (string, error) { return "", c.err }
		_, err := f.get(t, "f1")
		want := errors.From(c.err)
		require.Equal(t, c.code, status.Code(err), "%v", c.err)
		e, ok := grpcauth.ErrorFrom(fmt.Errorf("call: %w", err))
		require.True(t, ok)
		require.Equal(t, want.ID, e.ID)
		require.Equal(t, want.Details, e.Details)
		require.Equal(t, want.Error(), status.Convert(err).Message())
		require.NotContains(t, status.Convert(err).Proto().String(), "a secret cause")
		if c.code == codes.Unavailable {
			require.Equal(t, time.Second, retryDelay(t, err))
		}
	}
}

func TestOtherErrorsOfHandlersStayAsTheyAre(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.AllowAnyone())})
	for _, c := range []struct {
		err  error
		code codes.Code
	}{
		{status.Error(codes.ResourceExhausted, "too much"), codes.ResourceExhausted},
		{fmt.Errorf("read: %w", status.Error(codes.DataLoss, "gone")), codes.DataLoss},
		{fmt.Errorf("%w: %w", errors.NotFound(), status.Error(codes.DataLoss, "gone")), codes.DataLoss},
		{errors.New("something else"), codes.Unknown},
	} {
		f.files.get = func(context.Context, string) (string, error) { return "", c.err }
		_, err := f.get(t, "f1")
		require.Equal(t, c.code, status.Code(err))
		_, ok := grpcauth.ErrorFrom(err)
		require.False(t, ok)
	}
}

func TestErrorFromIgnoresOtherErrors(t *testing.T) {
	t.Parallel()
	with := func(info *errdetails.ErrorInfo) error {
		st, err := status.New(codes.Internal, "x").WithDetails(info)
		require.NoError(t, err)
		return st.Err()
	}
	for name, err := range map[string]error{
		"nil":            nil,
		"no status":      errors.NotFound(),
		"no details":     status.Error(codes.NotFound, "x"),
		"another domain": with(&errdetails.ErrorInfo{Reason: "notFound", Domain: "example.org", Metadata: map[string]string{"error": `{"id":"notFound"}`}}),
		"no error":       with(&errdetails.ErrorInfo{Reason: "notFound", Domain: "onezone"}),
		"null":           with(&errdetails.ErrorInfo{Domain: "onezone", Metadata: map[string]string{"error": `null`}}),
		"no JSON":        with(&errdetails.ErrorInfo{Domain: "onezone", Metadata: map[string]string{"error": `{"id":`}}),
		"no id":          with(&errdetails.ErrorInfo{Domain: "onezone", Metadata: map[string]string{"error": `{"details":{}}`}}),
		"a list":         with(&errdetails.ErrorInfo{Domain: "onezone", Metadata: map[string]string{"error": `[]`}}),
	} {
		e, ok := grpcauth.ErrorFrom(err)
		require.False(t, ok, name)
		require.Nil(t, e, name)
	}
}

// A caveat of any length must not make a status that clients cannot receive.
func TestLongDetailsAreLeftOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient())})
	paths := make(caveat.DataPath, 60)
	for i := range paths {
		paths[i] = fmt.Sprintf("/space/%0500d", i)
	}
	token := f.Token(paths)
	require.Greater(t, len(token.String()), 30_000)
	auth, err := grpcauth.New(f.Authority, sameRule(grpcauth.RequireClient()))
	require.NoError(t, err)
	_, err = auth.Unary(incoming(t, bearer(token)...), nil, &grpc.UnaryServerInfo{FullMethod: methodGet}, nil)
	e := requireRefused(t, err, codes.Unauthenticated, errors.IDUnauthorized)
	require.NotEmpty(t, e.Description)
	require.Less(t, len(status.Convert(err).Proto().String()), 6<<10)
}

func TestPanicsDoNotLeak(t *testing.T) {
	t.Parallel()
	token := "a token in a panic"
	panics := func() { panic(token) }
	f := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient())})
	f.files.get = func(context.Context, string) (string, error) { panics(); return "", nil }
	broken := newFixture(t, setup{rules: sameRule(grpcauth.RequireClient()), verifier: verifierFunc(func(context.Context) error { panics(); return nil })})
	f.files.list = nil // a nil function
	_, err := f.get(t, "f1", bearer(f.Token())...)
	_, err2 := f.list(t, "f1", bearer(f.Token())...)
	_, err3 := broken.get(t, "f1", bearer(f.Token())...)
	_, err4 := broken.list(t, "f1", bearer(f.Token())...)
	for log, errs := range map[string][]error{f.log.String(): {err, err2}, broken.log.String(): {err3, err4}} {
		for _, err := range errs {
			e := requireRefused(t, err, codes.Internal, errors.IDInternalServerError)
			require.NotContains(t, status.Convert(err).Proto().String(), token)
			require.NotContains(t, status.Convert(err).Proto().String(), "nil pointer")
			require.Contains(t, log, "reference="+e.Details["reference"].(string))
		}
		require.Contains(t, log, "stack=")
	}
	f.files.get = func(context.Context, string) (string, error) { return "still there", nil }
	got, err := f.get(t, "f1", bearer(f.Token())...)
	require.NoError(t, err)
	require.Equal(t, "still there", got)
}
