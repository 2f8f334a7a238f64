// Package rest serves the token API of Onezone over an authority, and
// authenticates requests for handlers of your own.
//
// [NewHandler] is the whole API, all routes under /api/v3/onezone:
//
//	handler, err := rest.NewHandler(authority)
//	mux.Handle("/api/v3/onezone/", handler)
//
// [Authenticate] is its authentication as middleware. [AuthFrom] tells the
// handler behind it who the client is, and [Require] refuses what the caveats
// of the client's token do not allow:
//
//	mux.Handle("GET /files/{id}", rest.Require(caveat.OpWorker, caveat.Get, "file.{id}.content:private")(files))
//	http.ListenAndServe(addr, rest.Authenticate(authority)(mux))
//
// What depends on other entities of an Onezone (groups, memberships, clusters,
// sessions, invitations, spaces) comes in through small interfaces, here and in
// package macaroon. Where one is missing, what asks for it is refused.
//
// Errors are answered in the envelope of the API, with the status of their
// entry in the catalogue. What the environment did is 503 serviceUnavailable,
// with nothing of it in the body. No answer is made that shows a secret.
package rest
