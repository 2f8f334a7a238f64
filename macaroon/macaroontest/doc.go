// Package macaroontest is a token authority for the tests of programs that take
// Onezone tokens: in-process, on the memory store, with a clock that the test
// moves and randomness that repeats.
//
// [New] gives an authority with users, and tokens of every kind of badness. This
// is a test of a service's own handler, whole:
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
// Beside [Harness.Revoked] there are tokens that are [Harness.Expired],
// [Harness.Forged] and [Harness.Truncated], one with a caveat that nobody knows
// ([Harness.WithUnknownCaveat]), and with [Harness.TokenNamed], [Harness.TokenOf]
// and [Harness.Temporary] those of every name, subject, type and caveat, those of
// the application's vocabulary included (New(t, macaroon.WithVocabulary(v))).
// What else can befall a token is up to h.Authority and h.Store, which are the
// real thing.
//
// The clock of a harness stands still at [Start], in 2024. [Clock.Advance] makes
// a good token an expired one; caveats are made from h.Clock.Now(), not from
// time.Now.
//
// A handler of a service of its own ([rest.AsService]) takes users' tokens with
// macaroon.WithMemberships([Everybody]{}), and [From] sends a request from the
// address that an ip caveat names.
//
// [NewServer] serves the whole token API on a free port of the loopback
// interface, with a client:
//
//	s := macaroontest.NewServer(t)
//	res := s.Do("POST", "/user/client_tokens", nil, macaroontest.Basic("alice"))
//	macaroontest.AssertStatus(t, res, http.StatusOK)
//
// Everything is cleaned up with the test. A harness belongs to one test and may
// be used by all its goroutines; parallel tests have one each. Ids and secrets are
// drawn from the name of the test: those of two tests differ, and those of one are
// the same in every run that draws them in the same order.
package macaroontest
