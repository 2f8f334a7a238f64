// Package macaroontest is a token authority for the tests of programs that take
// Onezone tokens: in-process, on the memory store, with a clock that the test
// moves and randomness that repeats.
//
// [New] gives an authority with users, and tokens of every kind of badness:
//
//	func TestOnlyAliceMayRead(t *testing.T) {
//		h := macaroontest.New(t)
//		handler := rest.Authenticate(h.Authority)(myHandler)
//
//		res := macaroontest.Get(t, handler, "/files/1", h.Token(caveat.REST))
//		macaroontest.AssertStatus(t, res, http.StatusOK)
//
//		res = macaroontest.Get(t, handler, "/files/1", h.Revoked())
//		macaroontest.AssertError(t, res, errors.IDTokenRevoked)
//	}
//
// [NewServer] serves the whole token API on a free port of the loopback
// interface, with a client.
//
// Everything is cleaned up with the test. A harness belongs to one test and may
// be used by all its goroutines; parallel tests have one each.
package macaroontest
