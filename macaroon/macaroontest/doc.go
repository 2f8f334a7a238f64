// Package macaroontest provides a token authority for tests of programs that
// accept Onezone tokens. It runs in the test's process, on a store in memory,
// with a clock that the test sets and with reproducible randomness.
//
// [New] returns a harness with users, valid tokens and invalid tokens. This is
// a complete test of a handler:
//
//	func TestFilesNeedAGoodToken(t *testing.T) {
//		h := macaroontest.New(t)
//		handler := rest.Authenticate(h.Authority)(rest.RequireClient()(files))
//
//		res := macaroontest.Get(t, handler, "/files/1", h.Token(caveat.REST))
//		macaroontest.AssertStatus(t, res, http.StatusOK)
//		res = macaroontest.Request(t, handler, http.MethodGet, "/files/1", nil, macaroontest.Anonymous())
//		macaroontest.AssertError(t, res, errors.IDUnauthorized)
//		res = macaroontest.Get(t, handler, "/files/1", h.Revoked())
//		macaroontest.AssertError(t, res, errors.IDTokenRevoked)
//	}
//
// Invalid tokens are [Harness.Revoked], [Harness.Expired], [Harness.Forged],
// [Harness.Truncated] and [Harness.WithUnknownCaveat]. [Harness.TokenNamed],
// [Harness.TokenOf] and [Harness.Temporary] return valid tokens with any name,
// subject, type and caveats. For caveats of an application, pass its
// vocabulary: New(t, macaroon.WithVocabulary(v)). For all other cases use
// h.Authority and h.Store; they are a real authority and store.
//
// The clock of a harness stays at [Start], in 2024, until the test moves it.
// [Clock.Advance] can make a token expire. Make time caveats from
// h.Clock.Now(), not from time.Now.
//
// If the handler is a service of a Oneprovider ([rest.AsService]), pass
// macaroon.WithMemberships([Everybody]{}) so that users may use it. To test ip
// caveats, send requests from an address with [From].
//
// [NewServer] serves the whole token API on a free port of the loopback
// interface, and includes a client:
//
//	s := macaroontest.NewServer(t)
//	res := s.Do("POST", "/user/client_tokens", nil, macaroontest.Basic("alice"))
//	macaroontest.AssertStatus(t, res, http.StatusOK)
//
// [NewRemote] serves the same API as an Onezone that somebody else runs, for
// tests of its clients. The test decides whether it works, fails ([Behavior],
// [Faults]) or is down, and sees which requests it received. [TestVerifier] is
// the conformance suite of verifiers.
//
// The end of the test closes everything. A harness belongs to one test, which
// may use it from several goroutines; parallel tests need one harness each. Ids
// and secrets depend on the name of the test: they differ between tests, and
// are the same in every run that generates them in the same order.
package macaroontest
