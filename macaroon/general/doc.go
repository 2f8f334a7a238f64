// Package general reads, prints, confines and verifies macaroons of any issuer,
// in all formats that are in use. Tokens of an Onezone are macaroons, too; for
// them, package macaroon is quicker and knows more.
//
// [Parse] reads a text in the formats that the caller accepts, and no other:
//
//	m, err := general.Parse(text, general.V2|general.V2JSON)
//
// [Macaroon.Encode] prints it in any format, [New] and [Macaroon.Confine] make
// new ones, and [Macaroon.Verify] decides its caveats with the vocabulary of
// package caveat. A [Verifier] looks up root keys, and recognizes macaroons that it
// has verified before. [Macaroon.Token] and [FromToken] convert tokens of an Onezone.
//
// # Rules
//
//   - A caveat is decided only after the signature has verified, in constant time.
//   - Reading is strict. In a binary format, each macaroon has one form: no field
//     but a location of version 1 is empty, and nothing follows the signature.
//     Base64 has either alphabet, with or without padding. JSON has no repeated,
//     misspelled or unknown keys.
//   - What is read can be printed in the same format, with the same bytes except
//     for the variant of base64 and the spelling of JSON.
//   - Adding a caveat adds exactly that caveat, or fails.
//   - The location is not signed. Nothing trusts it.
//   - A macaroon is a credential: fmt, slog and encoding/json print no part of its
//     signature.
//
// # Bundles
//
// [ParseBundle] reads the macaroons of one header, and finds the discharges of
// each token. Like a macaroon, a [Bundle] prints back as the same text. The
// header of superfly/macaroon has this form under the scheme FlyV1, but its
// tokens (fm2_...) are not in a format of this package and are refused.
//
// # Third-party caveats
//
// Macaroons with third-party caveats are read and printed unchanged. They do not
// verify here, because Verify takes no discharges. Package
// github.com/onezone-go/onezone/macaroon/discharge adds such caveats and verifies
// macaroons with their discharges.
package general
