// Package macaroon issues, confines and verifies Onezone tokens. They are the
// macaroons that serve as credentials in the Onedata federation.
//
// # Issuing and verifying
//
// An [Authority] issues tokens for the identities in a store and verifies them:
//
//	authority, err := macaroon.NewAuthority(memory.New())
//	alice, err := authority.CreateUser(ctx, macaroon.NewUser{FullName: "Alice"})
//	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
//	...
//	auth, err := authority.VerifyAccess(ctx, r.Header.Get("X-Auth-Token"), caveat.Request{IP: peer})
//
// [Authority.IssueNamed] stores a record, so a named token can be listed, revoked
// and restored. [Authority.Issue] issues a temporary token without a record. It
// must expire, and [Authority.RevokeTemporary] revokes all temporary tokens of a
// subject together.
//
// [Authority.VerifyAccess], [Authority.VerifyIdentity] and
// [Authority.VerifyInvite] each accept one [Class] of token and return an [Auth].
// [Authority.Consume] uses an invite token.
//
// # Confining
//
// The holder of a [Token] can make a weaker copy without contacting the
// authority: [Token.Confine] adds caveats, which cannot be removed again. For
// caveats of an application, pass its [caveat.Vocabulary] to [WithVocabulary]
// and [Token.ConfineIn].
//
// # Trying
//
// [Authority.Explain] says whether a verification would accept a token for a
// request, and why: every check, every caveat, what would make it hold, and when
// that changes. [Authority.Narrow] derives caveats from recorded requests.
//
// # Configuring
//
// Without options, an authority rejects each token that needs a look-up which
// only an option provides. Options connect it to the application's data:
// [WithDirectory] for users outside the store, [WithSessions],
// [WithMemberships], [WithInviters], [WithGroups] and [WithGeo]. [WithObserver] receives an audit trail. [WithLimits],
// [WithMaxCaveats], [WithMaxIssuedSize], [WithQuotas], [WithMaxTemporaryTTL] and
// [WithThrottle] change limits that are on by default.
//
// # Without a store
//
// [Mint] and [Token.Verify] need only a secret. Package macaroon/general prints
// tokens in other formats and reads them, and package macaroon/discharge adds
// third-party caveats, which [WithDischarges] makes an authority accept.
// [Token.Macaroon] and [FromMacaroon] convert to and from gopkg.in/macaroon.v2.
//
// # Compatibility
//
// Tokens are compatible with the original Onezone, byte for byte and in both
// directions, in all generations of its format. Parsing is stricter: a text that
// no Onezone could have issued is rejected with badToken.
//
// # Guarantees
//
//   - The signature is verified first, in constant time. Before that, only
//     version, type, id, subject and generation are used, to find the key or to
//     reject the token. A forged token is tokenInvalid whatever its caveats.
//   - The received bytes are the signed bytes; nothing is re-encoded.
//   - Unknown caveats, caveats that the type of the token does not support, and
//     missing context are rejected.
//   - Adding a caveat adds exactly that caveat or returns an error.
//   - Printing or logging a [Token] does not reveal its text.
//   - A rejection is an error of the catalogue in package errors. Operational
//     errors, such as an unavailable store, are never errors of the catalogue.
package macaroon
