// Package remote verifies tokens at an Onezone that somebody else runs, and
// sends tokens to services that do.
//
// A service that does not hold the secrets of tokens has to ask the Onezone that
// issued them. [New] returns a [Client], which asks over HTTPS and caches the
// answers. It is a [macaroon.Verifier], as an Authority is, so that the
// middleware of package rest takes either.
//
// # Identity tokens
//
// Ask your users for identity tokens. Such a token proves who the user is and
// gives the service that receives it no power at Onezone:
//
//	onezone, err := remote.New("https://onezone.example.org")
//	...
//	authenticate := rest.Authenticate(onezone, rest.AcceptIdentityTokens())
//	http.ListenAndServe(addr, authenticate(rest.RequireClient()(mux)))
//
// # Access tokens
//
// An access token acts for its user, everywhere that its caveats allow. A service
// of a Oneprovider, which has a service token, should accept access tokens that
// are confined to that service ([WithServiceToken]). For a service without such
// a token Onezone decides as if it were itself the service: it accepts tokens
// that are powerful at Onezone, and those that are confined to a Oneprovider only
// if the client adds the service token of that Oneprovider. Accept these only if
// the service acts for its users at Onezone.
//
//	authenticate := rest.Authenticate(onezone, rest.AllowDataCaveats())
//
// The api and data caveats of an access token are enforced here, as for tokens
// of an own authority: see [rest.Require] and [rest.Client.CheckFile].
// [Client.Scope] asks for the data to which a token gives access.
//
// # Answers and their age
//
//   - A good answer is used for 30 seconds and a refusal for 10 ([WithMaxAge]).
//     A revocation is therefore noticed within 30 seconds, and at once by a
//     verification with [Fresh]. An answer that is used often is replaced in the
//     background before its end, so that nobody waits.
//   - Caveats are decided again at every use, and no answer outlives its token.
//   - Requests share an answer if they differ only in what no caveat of the token
//     asks about. Concurrent verifications of a token share one request, and each
//     caller waits no longer than its own context.
//   - Tokens are refused without a request if they are malformed, of another
//     class, expired for longer than [ClockAllowance], or have an unknown caveat.
//   - If Onezone does not answer, verification fails with an operational error,
//     which package rest answers with 503 serviceUnavailable and Retry-After. It
//     says nothing about the token, and so do answers that are not in the form of
//     the API. [WithStaleIfUnreachable] allows older answers to be used.
//
// # Sending tokens
//
// [NewTransport] is for the other side, the clients of services that accept
// tokens. Its [Transport] reads the token from a [Source], such as [TokenFile],
// and attaches to each request a copy that is valid for a minute, to the listed
// origins only.
//
// # Guarantees
//
//   - Tokens of another Onezone are refused before anything is sent
//     ([WithDomains]). The address of the Onezone comes from the configuration,
//     never from a token.
//   - Requests need TLS, except to this machine, and follow no redirects. The
//     address of the client is always sent, IPv6 as unknown, so that ip caveats
//     are never compared with the address of this service.
//   - Errors, logs, metrics and the cache contain no text of a token.
//   - Memory, requests to Onezone and the size of its answers are bounded:
//     [WithMaxEntries], [WithMaxRate], 4 MiB.
//
// The differences to an Authority are: a forged token that is also expired or
// has an unknown caveat is refused for that reason; a request without a consumer
// token has no consumer, and one without a service token is decided for
// Onezone's worker, before service caveats are compared with
// [caveat.Request].Service.
package remote
