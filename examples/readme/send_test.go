package readme

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	// The server that the guide shows is one of gRPC.
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/grpcauth"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// newFilesClient returns a client of a file service. Each of its requests
// carries a copy of the token that is valid for a minute and for one file, and
// for reading only if the request is GET or HEAD.
func newFilesClient(tokenFile, service string) (*http.Client, error) {
	transport, err := remote.NewTransport(remote.TokenFile(tokenFile), []string{service},
		remote.WithReadonly(), remote.WithDataPath("/files", "/space1"))
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: transport}, nil
}

// newJobServer returns a gRPC server whose clients need a token. Its methods
// without a rule are refused.
func newJobServer(verifier macaroon.Verifier, options ...grpc.ServerOption) (*grpc.Server, error) {
	auth, err := grpcauth.New(verifier, grpcauth.Rules{
		"/jobs.v1.Jobs/Start": grpcauth.Require(caveat.OpWorker, caveat.Create, "space.{space}.jobs:private"),
		"/jobs.v1.Jobs/List":  grpcauth.RequireClient(),
	}, grpcauth.AsService(caveat.Service{Type: caveat.OpWorker, ID: "p1"}))
	if err != nil {
		return nil, err
	}
	return grpc.NewServer(append(options, grpc.ChainUnaryInterceptor(auth.Unary), grpc.ChainStreamInterceptor(auth.Stream))...), nil
}

func TestFilesClientConfinesItsToken(t *testing.T) {
	t.Parallel()
	token := macaroontest.New(t).Token()
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, []byte(token.String()), 0o600))
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received, err := macaroon.Parse(r.Header.Get("X-Auth-Token"))
		if err != nil || received.ID() != token.ID() {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		for _, c := range received.Caveats()[1:] { // without the time
			_, _ = io.WriteString(w, c+"\n")
		}
	}))
	defer service.Close()
	client, err := newFilesClient(path, service.URL)
	require.NoError(t, err)
	response, err := client.Get(service.URL + "/files/report.pdf")
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "data.readonly\n"+caveat.DataPath{"/space1/report.pdf"}.String()+"\n", string(body))
}

func TestJobServerRefusesClientsWithoutAToken(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithMemberships(macaroontest.Everybody{}))
	server, err := newJobServer(h.Authority)
	require.NoError(t, err)
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "jobs.v1.Jobs", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{
		{MethodName: "List", Handler: func(srv any, ctx context.Context, _ func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			return interceptor(ctx, nil, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/jobs.v1.Jobs/List"}, func(context.Context, any) (any, error) {
				return wrapperspb.String("no jobs"), nil
			})
		}},
	}}, struct{}{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	answer := &wrapperspb.StringValue{}
	require.Equal(t, codes.Unauthenticated, status.Code(conn.Invoke(t.Context(), "/jobs.v1.Jobs/List", answer, answer)))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+h.Token().String())
	require.NoError(t, conn.Invoke(ctx, "/jobs.v1.Jobs/List", answer, answer))
	require.Equal(t, "no jobs", answer.Value)
}
