// Package discharge adds third-party caveats to macaroons and verifies macaroons
// with their discharges.
//
// A third-party caveat holds if its discharge is presented: another macaroon,
// which a third party, the discharger, issues. [Add] adds such a caveat, [Needed]
// lists those that still need a discharge, [Bind] prepares the discharges for a
// request, and [Verify] verifies everything together; [VerifyBundle] does so for
// all tokens of a header. A [Verifier] makes an [macaroon.Authority] accept tokens
// of an Onezone with their discharges.
//
// With the [PublicKey] of a discharger, a service makes caveats that only the
// owner of the [PrivateKey] can discharge:
//
//	c, err := key.Caveat("https://id.example.org", "the user is alice")
//	m, err = discharge.Add(m, c)
//
// # Rules
//
//   - All signatures are verified first: that of the macaroon, and then those of
//     its discharges. No condition of any of them is checked before.
//   - Each third-party caveat needs exactly one discharge, and each discharge is
//     used exactly once. Missing, unused and repeated discharges are refused, and so
//     are discharges that need each other.
//   - A discharge is bound to one macaroon, and refused with any other and unbound.
//     The discharges of the caveats of a discharge are bound to the same macaroon.
//   - The conditions of a discharge are checked in place of the caveat that it
//     discharges, in the same vocabulary.
//   - Locations are hints: they are not signed, and nothing here follows them.
//
// Signatures, verification ids and binding are those of libmacaroons and
// gopkg.in/macaroon.v2.
package discharge
