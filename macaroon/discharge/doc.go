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
// A [Handler] is a discharger's HTTP server, which asks a [Check] whether a
// condition holds. A [Client] fetches discharges from the dischargers that it is
// given, and waits, or shows a page to the user, if one says so:
//
//	discharges, err := client.Discharge(ctx, m)
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
//   - Locations are hints: they are not signed. A Client compares them with its own
//     list before it sends anything, and follows no redirect.
//   - What a discharger answers is limited in size, time and number, and parsed
//     strictly. Errors contain no macaroon and no ticket.
//   - A discharge that a Client keeps is fetched again shortly before it ends.
//
// # Compatibility
//
// Signatures, verification ids and binding are those of libmacaroons and
// gopkg.in/macaroon.v2.
//
// Identifiers for public keys, and the requests of Handler and Client, are those
// of macaroon-bakery version 3: its clients and dischargers work with those of
// this package. Two of its features have no counterpart. Its own caveats, such as
// "time-before", are unknown to the vocabularies of package caveat, so a discharge
// that has one is refused by [Verify]; a Client reads "time-before" only to learn
// when a discharge ends. Conditions of version 1, in JSON, are not opened.
//
// Tickets of superfly/macaroon cannot be discharged, and its clients cannot use
// these discharges. Its macaroons are MessagePack with typed caveats, and other
// bytes are signed; a ticket encrypts such caveats instead of a condition.
package discharge
