package grpcauth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/onezone-go/onezone/caveat"
	catalogue "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/grpcauth"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// The methods of the service under test. Their messages have one field, value.
const (
	methodGet  = "/files.v1.Files/Get"  // unary
	methodList = "/files.v1.Files/List" // server stream
	methodChat = "/files.v1.Files/Chat" // bidirectional stream
)

// files is the service under test.
type files struct {
	get  func(ctx context.Context, id string) (string, error)
	list func(id string, s grpc.ServerStream) error
	chat func(s grpc.ServerStream) error
}

var filesDesc = grpc.ServiceDesc{
	ServiceName: "files.v1.Files",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Get", Handler: func(srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		in := &wrapperspb.StringValue{}
		if err := decode(in); err != nil {
			return nil, err
		}
		return interceptor(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: methodGet}, func(ctx context.Context, req any) (any, error) {
			out, err := srv.(*files).get(ctx, req.(*wrapperspb.StringValue).Value)
			return wrapperspb.String(out), err
		})
	}}},
	Streams: []grpc.StreamDesc{
		{StreamName: "List", ServerStreams: true, Handler: func(srv any, s grpc.ServerStream) error {
			in := &wrapperspb.StringValue{}
			if err := s.RecvMsg(in); err != nil {
				return err
			}
			return srv.(*files).list(in.Value, s)
		}},
		{StreamName: "Chat", ServerStreams: true, ClientStreams: true, Handler: func(srv any, s grpc.ServerStream) error { return srv.(*files).chat(s) }},
	},
}

// fixture is a server and a client of it.
type fixture struct {
	*macaroontest.Harness
	files *files
	conn  *grpc.ClientConn
	addr  string
	log   *syncbuffer.Buffer
}

// setup says what is special about a fixture.
type setup struct {
	verifier  macaroon.Verifier // nil: the authority of the harness
	rules     grpcauth.Rules
	options   []grpcauth.Option
	authority []macaroon.Option
	listen    string              // "network address"; default: a port of 127.0.0.1
	creds     []grpc.ServerOption // default: local
	dial      []grpc.DialOption   // default: local
}

// newFixture starts a server whose methods return the id that they are called
// with.
func newFixture(t *testing.T, s setup) *fixture {
	t.Helper()
	f := &fixture{Harness: macaroontest.New(t, s.authority...), log: &syncbuffer.Buffer{}}
	f.files = &files{
		get:  func(_ context.Context, id string) (string, error) { return id, nil },
		list: func(id string, s grpc.ServerStream) error { return s.SendMsg(wrapperspb.String(id)) },
		chat: func(s grpc.ServerStream) error {
			for {
				in := &wrapperspb.StringValue{}
				switch err := s.RecvMsg(in); {
				case err == io.EOF:
					return nil
				case err != nil:
					return err
				}
				if err := s.SendMsg(in); err != nil {
					return err
				}
			}
		},
	}
	if s.verifier == nil {
		s.verifier = f.Authority
	}
	log := f.log.Logger()
	auth, err := grpcauth.New(s.verifier, s.rules, append([]grpcauth.Option{grpcauth.WithLogger(log)}, s.options...)...)
	require.NoError(t, err)
	if s.creds == nil {
		s.creds = []grpc.ServerOption{grpc.Creds(local.NewCredentials())}
	}
	server := grpc.NewServer(append(s.creds, grpc.ChainUnaryInterceptor(auth.Unary), grpc.ChainStreamInterceptor(auth.Stream))...)
	server.RegisterService(&filesDesc, f.files)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	if s.listen == "" {
		s.listen = "127.0.0.1:0"
	}
	network := "tcp"
	if s.listen[0] == '/' {
		network = "unix"
	}
	l, err := net.Listen(network, s.listen)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-done)
	})
	f.addr = l.Addr().String()
	if network == "unix" {
		f.addr = "unix:" + s.listen
	}
	if s.dial == nil {
		s.dial = []grpc.DialOption{grpc.WithTransportCredentials(local.NewCredentials())}
	}
	f.conn = f.dialWith(t, s.dial...)
	return f
}

func (f *fixture) dialWith(t *testing.T, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(f.addr, options...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// testContext returns a context that ends a call that hangs.
func testContext(t *testing.T, pairs ...string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

// get calls the unary method with metadata.
func (f *fixture) get(t *testing.T, id string, pairs ...string) (string, error) {
	t.Helper()
	return f.getOver(t, f.conn, id, pairs...)
}

func (f *fixture) getOver(t *testing.T, conn *grpc.ClientConn, id string, pairs ...string) (string, error) {
	t.Helper()
	out := &wrapperspb.StringValue{}
	err := conn.Invoke(testContext(t, pairs...), methodGet, wrapperspb.String(id), out)
	return out.Value, err
}

// open opens a stream.
func (f *fixture) open(t *testing.T, method string, pairs ...string) grpc.ClientStream {
	t.Helper()
	s, err := f.conn.NewStream(testContext(t, pairs...), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	require.NoError(t, err)
	return s
}

// list calls the method with a server stream, and returns its first answer.
func (f *fixture) list(t *testing.T, id string, pairs ...string) (string, error) {
	t.Helper()
	s := f.open(t, methodList, pairs...)
	if err := s.SendMsg(wrapperspb.String(id)); err != nil && !errors.Is(err, io.EOF) { // EOF: refused already
		return "", err
	}
	_ = s.CloseSend()
	out := &wrapperspb.StringValue{}
	err := s.RecvMsg(out)
	return out.Value, err
}

// bearer returns the metadata of a token.
func bearer(token macaroon.Token) []string {
	return []string{"authorization", "Bearer " + token.String()}
}

// requireRefused asserts the code of the error of a call, and an error of the
// catalogue in it.
func requireRefused(t *testing.T, err error, code codes.Code, id catalogue.ID) *catalogue.Error {
	t.Helper()
	require.Equal(t, code, status.Code(err), "%v", err)
	e, ok := grpcauth.ErrorFrom(err)
	require.True(t, ok, "%v", err)
	require.ErrorIs(t, e, id)
	return e
}

// requireNoLeak asserts that neither the log nor an error contains a token.
func (f *fixture) requireNoLeak(t *testing.T, err error, tokens ...macaroon.Token) {
	t.Helper()
	for _, token := range tokens {
		tail := token.String()[len(token.String())-40:]
		require.NotContains(t, f.log.String(), tail)
		require.NotContains(t, status.Convert(err).Proto().String(), tail)
	}
}

// newTLS returns the credentials of a server and of a client that trusts it.
func newTLS(t *testing.T) (server, client credentials.TransportCredentials) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return credentials.NewTLS(&tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}),
		credentials.NewTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
}

// apiCaveat returns an api caveat with one match spec.
func apiCaveat(spec string) caveat.Caveat { return caveat.MustParse("api = " + spec) }
