// Package rest serves the token API of Onezone over an authority, and
// authenticates requests for handlers of your own.
//
// # The token API
//
// [NewHandler] is the whole API, the 44 routes under /api/v3/onezone:
//
//	handler, err := rest.NewHandler(authority)
//	mux.Handle(rest.Prefix+"/", handler)
//
// It describes itself: GET /api/v3/onezone/openapi.json is its OpenAPI document,
// for everybody.
//
// The handler looks up users and their passwords in the store of the authority.
// What depends on other entities of an Onezone comes in through small interfaces:
// [Rights], [DataScopes] and [IdentityProvider] here, with [WithSessionFrom], and
// those of package macaroon for memberships, sessions, groups and invitations.
// Where one is missing, what asks for it is refused.
//
// # Handlers of your own
//
// [Authenticate] is the authentication of the API as middleware. [ClientFrom] tells
// the handler behind it who the [Client] is, and [Require] refuses what the
// caveats of the client's token do not allow:
//
//	mux.Handle("GET /files/{id}", rest.Require(caveat.OpWorker, caveat.Get, "file.{id}.content:private")(files))
//	http.ListenAndServe(addr, rest.Authenticate(authority)(rest.RequireClient()(mux)))
//
// Tokens with data caveats are refused until [AllowDataCaveats] says that the
// handler asks [Client.CheckFile] about each file. Caveats of the application are
// decided by Authenticate, from what middleware in front of it has put into the
// context, or with [CheckLater] by the handler. [WriteError] answers in the way
// of the API.
//
// # Behind a proxy, and under attack
//
// The address of a client is that of its connection. [WithTrustedProxies] names
// the proxies whose X-Forwarded-For is believed; without it nobody's is.
//
// Bodies are limited to 2 MiB and 64 levels, and only so many passwords are
// hashed at a time that tokens are verified at their usual speed meanwhile.
// A header of Basic credentials is limited to 2 KiB. Log-ins that keep failing are
// throttled, however many handlers an authority has (see [macaroon.WithThrottle]);
// clients whose address is unknown share one limit. One client has so many
// requests in flight, and they take so much memory, together and with those of all
// clients (see [WithMaxInFlight]). Lists are sent as they are read: where one
// cannot be read to its end, the connection is aborted and the JSON incomplete.
// Time limits are the server's to set: ReadHeaderTimeout, ReadTimeout and
// IdleTimeout of [http.Server]. Its MaxHeaderBytes, to be set to
// [MaxHeaderBytes], bounds the tokens in headers and paths.
//
// Segments of paths are percent-decoded, as the API demands: a proxy that keeps
// some routes from the public has to decode paths before it compares them.
//
// Browsers add passwords that they remember to requests of any page. A request
// with one that a page of another site sent is 403 forbidden, unless
// [WithAllowedOrigins] lists the origin of the page; the headers Sec-Fetch-Site
// and Origin tell. A proxy that rewrites Host makes the origin of the API itself
// look like another where browsers do not send Sec-Fetch-Site, over plain HTTP:
// list it, too.
//
// # Laws
//
//   - Steps are taken in the order of the API, and the first that fails answers:
//     method, credentials, Accept and Content-Type, JSON, caveats, authorization,
//     input.
//   - A client whose token carries caveats is given tokens that carry them too:
//     what it creates inherits them, and what it reads back is confined by them.
//     A token that cannot carry them is 403 forbidden. [WithoutInheritance] turns
//     this off.
//   - Whether a token id exists is told only to who may see the token.
//   - Errors are answered in the envelope of the API, with the status of their
//     entry in the catalogue. What the environment did is 503 serviceUnavailable,
//     with nothing of it in the body. A panic is 500 internalServerError with a
//     reference to the log.
//   - No answer shows a secret, and no cache may keep one: all but the OpenAPI
//     document have Cache-Control: no-store. The log names routes, never paths or
//     headers, which may hold tokens.
//   - JSON is read strictly: UTF-8, one value, no key twice, exact names, no half of
//     a surrogate pair, no number that overflows a double.
package rest
