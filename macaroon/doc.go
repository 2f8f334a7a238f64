// Package macaroon mints, confines and verifies Onezone tokens: the macaroons
// that are the credentials of the Onedata federation.
//
// An [Authority] issues tokens for the identities in a store and verifies them:
//
//	authority, err := macaroon.NewAuthority(memory.New())
//	alice, err := authority.CreateUser(ctx, macaroon.NewUser{FullName: "Alice"})
//	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
//	...
//	auth, err := authority.VerifyAccess(ctx, r.Header.Get("X-Auth-Token"), caveat.Request{IP: peer})
//
// Whoever holds a [Token] may hand on a weaker copy of it, without asking the
// authority: [Token.Confine] adds caveats, which can never be taken off.
//
// Caveats of the application's own come from a [caveat.Vocabulary], which
// [WithVocabulary] gives to the authority and [Token.ConfineIn] to a holder.
//
// [Mint] and [Token.Verify] are the pair beneath: a secret, a token, and no
// store.
//
// # Compatibility
//
// Tokens are those of the original Onezone to the byte: what it minted verifies
// here and the reverse, in the formats of all its generations. Text is read more
// strictly: what no Onezone could have printed is badToken.
//
// # What holds
//
//   - The signature is checked first. Until it is found good, in constant time,
//     nothing is read but what leads to the key, or has the token refused at once:
//     its version, type, id, subject and generation. A forged token is tokenInvalid
//     whatever its caveats.
//   - The bytes that came are the bytes that are signed; nothing is re-encoded.
//   - What is not understood is refused: unknown caveats, caveats that mean
//     nothing for the type of the token, missing context.
//   - Adding a caveat adds exactly that caveat or fails.
//   - A token does not print: see [Token] for what shows instead.
//   - A refusal is an error of the catalogue in package errors. What the
//     environment did, such as a store that is down, is never reported as one.
package macaroon
