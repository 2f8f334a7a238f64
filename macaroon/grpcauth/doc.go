// Package grpcauth authenticates gRPC calls with Onezone tokens.
//
// # Servers
//
// [New] returns an [Interceptor] for a verifier, which is a macaroon.Authority
// or the client of another Onezone (package remote), and for the [Rules] of the
// methods:
//
//	auth, err := grpcauth.New(verifier, grpcauth.Rules{
//		"/files.v1.Files/Read":         grpcauth.Require(caveat.OpWorker, caveat.Get, "file.{id}.content:private"),
//		"/files.v1.Files/Profile":      grpcauth.RequireClient(),
//		"/grpc.health.v1.Health/Check": grpcauth.AllowAnyone(),
//	})
//	server := grpc.NewServer(grpc.Creds(tls),
//		grpc.ChainUnaryInterceptor(auth.Unary), grpc.ChainStreamInterceptor(auth.Stream))
//
// Install both functions: gRPC calls the first for unary methods only, and the
// second for all others. A method without a rule is refused, also those of the
// health and reflection services. Handlers get the client from [ClientFrom].
//
// A call is refused with a status whose details include an error of the
// catalogue in package errors, and its id as the reason:
//
//   - Unauthenticated: unauthorized {authError}, or unauthorized without details
//     for a call without a token;
//   - PermissionDenied: unauthorized {tokenCaveatUnverified} if the caveats of the
//     token do not allow the operation, and forbidden for a method without a rule;
//   - Unavailable, with RetryInfo: serviceUnavailable or timeout if the token
//     could not be verified; this says nothing about the token.
//
// Errors of the catalogue that handlers return become such statuses, too.
//
// # Clients
//
// [NewCredentials] returns credentials that add a token to each call. Each call
// carries a copy of its own that expires after a minute, and that options
// confine further. [ErrorFrom] returns the error of the catalogue in the error
// of a call:
//
//	credentials, err := grpcauth.NewCredentials(remote.TokenFile("/run/secrets/token"))
//	conn, err := grpc.NewClient("files.example.org:443",
//		grpc.WithTransportCredentials(tls), grpc.WithPerRPCCredentials(credentials))
//	...
//	if e, ok := grpcauth.ErrorFrom(err); ok && errors.Expired(e) { ... }
//
// # Promises
//
//   - A call with more than one token is refused, whatever the tokens are.
//   - Tokens are in no error and in no log. They leave a client only over TLS or
//     another connection that gRPC knows to be secure ([AllowLocal] is for tests).
//   - A panic of a handler or of the verifier ends its call with Internal. The
//     log contains the panic, and the client only a reference to it.
//   - A token is verified when its call begins. A stream that is open when the
//     token expires, or is revoked, is not ended.
package grpcauth
