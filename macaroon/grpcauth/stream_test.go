package grpcauth_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/grpcauth"
)

var perFile = grpcauth.Require(caveat.OpWorker, caveat.Get, "file.{value}.content:private")

func TestEachMessageOfAStreamIsAuthorized(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(perFile)})
	s := f.open(t, methodChat, bearer(f.Token(apiCaveat("opw/get/file.f1.content:private")))...)
	out := &wrapperspb.StringValue{}
	for range 2 {
		require.NoError(t, s.SendMsg(wrapperspb.String("f1")))
		require.NoError(t, s.RecvMsg(out))
		require.Equal(t, "f1", out.Value)
	}
	require.NoError(t, s.SendMsg(wrapperspb.String("f2")))
	requireRefused(t, s.RecvMsg(out), codes.PermissionDenied, errors.IDTokenCaveatUnverified)
}

// A handler that ignores the error of a refused message gets and sends nothing
// more, and the call fails.
func TestStreamEndsAtARefusedMessage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(perFile)})
	received := make(chan int, 1)
	f.files.chat = func(s grpc.ServerStream) error {
		in := &wrapperspb.StringValue{}
		n := 0
		for range 3 {
			if s.RecvMsg(in) == nil {
				n++
			}
		}
		received <- n
		_ = s.SendMsg(wrapperspb.String("the content"))
		return nil
	}
	s := f.open(t, methodChat, bearer(f.Token(apiCaveat("opw/get/file.f1.content:private")))...)
	for _, id := range []string{"f1", "f2", "f1"} {
		if err := s.SendMsg(wrapperspb.String(id)); err != nil {
			require.ErrorIs(t, err, io.EOF)
		}
	}
	requireRefused(t, s.RecvMsg(&wrapperspb.StringValue{}), codes.PermissionDenied, errors.IDTokenCaveatUnverified)
	require.Equal(t, 1, <-received)
}

func TestNothingIsSentBeforeTheMessageThatACallIsAbout(t *testing.T) {
	t.Parallel()
	f := newFixture(t, setup{rules: sameRule(perFile)})
	f.files.chat = func(s grpc.ServerStream) error { return s.SendMsg(wrapperspb.String("the content")) }
	s := f.open(t, methodChat, bearer(f.Token(apiCaveat("opw/get/file.f1.content:private")))...)
	requireRefused(t, s.RecvMsg(&wrapperspb.StringValue{}), codes.Internal, errors.IDInternalServerError)
	require.Contains(t, f.log.String(), "sends before it has received")
}

// A message without the field of the rule is a fault of the server: refused.
func TestMessagesWithoutTheFieldAreRefused(t *testing.T) {
	t.Parallel()
	for name, field := range map[string]string{"missing": "id", "not a string": "status"} {
		rule := grpcauth.Require(caveat.OpWorker, caveat.Get, "file.{"+field+"}.content:private")
		f := newFixture(t, setup{rules: sameRule(rule)})
		for _, call := range []func(*testing.T, string, ...string) (string, error){f.get, f.list} {
			_, err := call(t, "f1", bearer(f.Token())...)
			e := requireRefused(t, err, codes.Internal, errors.IDInternalServerError)
			require.Contains(t, f.log.String(), "reference="+e.Details["reference"].(string), name)
		}
		require.Contains(t, f.log.String(), "has no string field "+field)

		auth, err := grpcauth.New(f.Authority, sameRule(rule), grpcauth.WithLogger(f.log.Logger()))
		require.NoError(t, err)
		served := func(context.Context, any) (any, error) { return "served", nil }
		for _, message := range []any{&grpc_health_v1.HealthCheckResponse{}, (*grpc_health_v1.HealthCheckResponse)(nil), "text", nil} {
			_, err = auth.Unary(incoming(t, bearer(f.Token())...), message, &grpc.UnaryServerInfo{FullMethod: methodGet}, served)
			requireRefused(t, err, codes.Internal, errors.IDInternalServerError)
		}
	}
}
