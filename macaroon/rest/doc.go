// Package rest serves the token API of Onezone over an authority, and
// authenticates requests for the handlers of an application.
//
// # The token API
//
// [NewHandler] returns the whole API, 50 routes under /api/v3/onezone:
//
//	handler, err := rest.NewHandler(authority)
//	mux.Handle(rest.Prefix+"/", handler)
//
// GET /api/v3/onezone/openapi.json returns its OpenAPI document, without
// authentication, and marks the operations that the original Onezone lacks as
// extensions. Users and passwords come from the store of the authority. Other
// entities of an Onezone come from small interfaces: [Rights], [DataScopes],
// [IdentityProvider] and [WithSessionFrom] here, and those of package macaroon
// for memberships, sessions, groups and invitations. Requests that need a missing
// one are refused.
//
// # Handlers of an application
//
// [Authenticate] is the authentication of the API as middleware. [ClientFrom]
// returns the authenticated [Client], and [Require] refuses operations that the
// caveats of its token do not allow:
//
//	mux.Handle("GET /files/{id}", rest.Require(caveat.OpWorker, caveat.Get, "file.{id}.content:private")(files))
//	http.ListenAndServe(addr, rest.Authenticate(authority)(rest.RequireClient()(mux)))
//
// Handlers of files need [AllowDataCaveats] and [Client.CheckFile]. Caveats of the
// application are decided by Authenticate, or by the handler with [CheckLater].
// [WriteError] writes errors as the API does.
//
// # Proxies, limits and browsers
//
//   - The address of a client is that of its connection, or the X-Forwarded-For of
//     a proxy that [WithTrustedProxies] names. Paths are percent-decoded: a proxy
//     that hides some routes must decode paths before it compares them.
//   - Request bodies have at most 2 MiB and 64 levels, Basic credentials 2 KiB.
//     [WithMaxInFlight] limits the concurrent requests of a client and their
//     memory. [macaroon.WithThrottle] limits failed log-ins. Clients with an
//     unknown address share one limit. Password hashing is limited so that token
//     verification keeps its speed.
//   - Set ReadHeaderTimeout, ReadTimeout and IdleTimeout of the [http.Server],
//     and its MaxHeaderBytes to the constant [MaxHeaderBytes].
//   - Browsers may add remembered passwords to requests of any page. A
//     request with a password is answered 403 forbidden if Sec-Fetch-Site or
//     Origin names another site, unless [WithAllowedOrigins] lists its origin. Behind a proxy that rewrites Host,
//     list the origin of the API, too.
//
// # Rules
//
//   - Checks run in the order of the API, and the first failure is reported:
//     method, credentials, Accept and Content-Type, JSON, caveats,
//     authorization, input. JSON must be strict: UTF-8, one value, exact names,
//     no repeated key, no unpaired surrogate, no number beyond a double.
//   - A client whose token has caveats gets only tokens with the same caveats.
//     If a token cannot have them, the answer is 403 forbidden.
//     [WithoutInheritance] turns this off.
//   - Only clients that may see a token learn whether its id exists.
//   - Errors have the envelope and status of the catalogue. Operational errors are
//     503 serviceUnavailable without their cause, panics 500 internalServerError
//     with a reference to the log. A list that cannot be read to its end aborts
//     the connection.
//   - No response shows a secret, and all but the OpenAPI document have
//     Cache-Control: no-store. The log names routes, never paths or headers.
package rest
