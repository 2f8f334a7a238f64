package grpcauth_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/grpcauth"
	"github.com/onezone-go/onezone/store/memory"
)

// jobs is a service that reports on the jobs of a user. It has the API of the
// health service, so that this example needs no generated code of its own.
type jobs struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (jobs) Check(ctx context.Context, in *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	client, _ := grpcauth.ClientFrom(ctx)
	fmt.Printf("server: %s asks about %s\n", client.Subject.Type, in.Service)
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

// A server and its client. On networks, both use credentials.NewTLS in place of
// local.NewCredentials, and the client does without AllowLocal.
func Example() {
	ctx := context.Background()
	authority, token := newAuthority(ctx)

	auth, err := grpcauth.New(authority, grpcauth.Rules{
		"/grpc.health.v1.Health/Check": grpcauth.Require(caveat.OzWorker, caveat.Get, "space.{service}.instance:private"),
	})
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(local.NewCredentials()),
		grpc.ChainUnaryInterceptor(auth.Unary), grpc.ChainStreamInterceptor(auth.Stream))
	grpc_health_v1.RegisterHealthServer(server, jobs{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()

	// In a program: remote.TokenFile("/run/secrets/token") as the source.
	source := func(context.Context) (macaroon.Token, error) { return token, nil }
	credentials, err := grpcauth.NewCredentials(source, grpcauth.AllowLocal(),
		grpcauth.WithCaveats(caveat.MustParse("api = ozw/get/space.s1.*:*")))
	if err != nil {
		log.Fatal(err)
	}
	conn, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(local.NewCredentials()), grpc.WithPerRPCCredentials(credentials))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	client := grpc_health_v1.NewHealthClient(conn)
	for _, space := range []string{"s1", "s2"} {
		res, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: space})
		if e, ok := grpcauth.ErrorFrom(err); ok {
			fmt.Println("client:", status.Code(err), e.ID)
			continue
		}
		fmt.Println("client:", res.GetStatus(), err)
	}
	// Output:
	// server: user asks about s1
	// client: SERVING <nil>
	// client: PermissionDenied unauthorized
}

// newAuthority returns an authority and a token of one of its users.
func newAuthority(ctx context.Context) (*macaroon.Authority, macaroon.Token) {
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		log.Fatal(err)
	}
	alice, err := authority.CreateUser(ctx, macaroon.NewUser{FullName: "Alice"})
	if err != nil {
		log.Fatal(err)
	}
	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	if err != nil {
		log.Fatal(err)
	}
	return authority, token
}
