// Onetoken inspects, confines, mints and verifies Onezone tokens. It works
// offline: it asks no Onezone and keeps no store.
//
//	go install github.com/onezone-go/onezone/macaroon/cmd/onetoken@latest
//
//	onetoken inspect [-json] [FILE]
//	onetoken confine [-ttl DURATION] [-now TIME] [-any] [CAVEAT]... < TOKEN
//	onetoken mint    -subject SUBJECT [flags] [CAVEAT]...
//	onetoken verify  [flags] < TOKEN
//
// For example, a token for a user, lent to one network for an hour, and used:
//
//	export ONETOKEN_SECRET=$(openssl rand -hex 32)
//	onetoken mint -subject usr-alice > alice.token
//	onetoken confine -ttl 1h "ip = 10.0.0.0/8" < alice.token > lent.token
//	onetoken verify -ip 10.1.2.3 < lent.token
//
// # Tokens and secrets
//
// Whoever has a token can use it, and whoever has a secret can make tokens.
// Neither is ever an argument, because all users of the machine can read those.
// A token comes on standard input, or for inspect in a file; one line ending
// behind it is dropped, and "opw-" or "opp-" may stand in front. A secret is in
// the file that -secret-file names, or else in the environment variable
// ONETOKEN_SECRET. It is one line and is used byte for byte, hexadecimal secrets
// too; the line ending does not belong to it. A token has at most 1048576 bytes,
// a secret 65536.
//
// Only confine and mint print tokens. No command prints secrets, signatures or,
// in a message, anything that it was given as an argument: it might be a token or
// secret in the wrong place.
//
// # Caveats
//
// A caveat is one argument, after all flags, in the language of Onezone:
//
//	"time < 1700000000"            Unix seconds
//	"ip = 10.0.0.0/8|192.0.2.7"
//	"service = opw-PROVIDER"
//	"consumer = usr-ID|prv-ID"
//	"interface = rest"             rest, oneclient or graphsync
//	"api = ozw/get/user.*.*:*"
//	data.readonly
//
// and asn, geo.country, geo.region, data.path, data.objectid; package caveat has
// them all. It enters the token in its canonical form ("ip = 192.0.2.7/32"). What
// is not in the language is refused: no Onezone would let such a token pass. With
// -any such a caveat is added as it is, after a warning, for an application that
// knows it ("project = 42").
//
// With -ttl 1h there is a time caveat before the others, for the moment an hour
// from now, or from -now. Its second begins at most that long from then: the token
// never lives longer.
//
// # Inspect
//
// It prints what the token says, a line for each fact, or with -json the form of
// the REST operation examine. What would command a terminal or mislead a reader,
// such as control characters and changes of direction, is escaped. Nothing of it is verified, and inspect never fails
// because of what a caveat says.
//
// # Confine
//
// It prints the token with the caveats added, all of them or none. No secret is
// needed. The mark "opw-" or "opp-" is not part of what is printed.
//
// # Mint
//
//	-subject SUBJECT   usr-ID or prv-ID; required
//	-type TYPE         act, act:SESSION, idn, or an invitation CODE:TARGET: such
//	                   as ujg:GROUP: and ssp:SPACE:ge; default act
//	-id ID             default: 32 random hexadecimal digits
//	-domain DOMAIN     of the Onezone, default onezone
//	-generation N      of the secret of a temporary token, from 1; default 0, a
//	                   named token
//	-ttl, -now, -any   as above
//	-secret-file FILE
//
// The same arguments and secret give the same token to the byte. An Onezone
// accepts it only if it knows the secret by that id (named) or as the subject's
// secret of that generation (temporary).
//
// # Verify
//
// It checks the signature, then each caveat against the flags, then the session,
// and prints id, subject, type, expiry and caveats. A caveat about something that
// no flag tells is refused; so are asn and geo caveats, and groups as consumers,
// which take databases.
//
//	-ip ADDRESS        of the client
//	-interface NAME    rest, oneclient or graphsync
//	-service SERVICE   that received the token: ozw-onezone, opw-ID ...
//	-consumer SUBJECT  who uses the token: usr-ID, prv-ID or nobody
//	-session ID        that the client is in; default none
//	-now TIME          Unix seconds or RFC 3339; default the clock
//	-allow-data        accept data caveats, which the caller then enforces
//	-identity          the token is to prove an identity, not to authorise
//	-secret-file FILE
//
// A token of every type verifies; a script that wants an access token looks at
// the line "type". So it does for api, service and data caveats, which limit what
// the token is good for and are not decided here. Whether a token was revoked, and
// its subject exists, only its Onezone knows.
//
// # Exit status
//
//	0  done; the token is valid
//	1  refused: the token is malformed or too large, not valid, or can't take the
//	   caveats; standard error has "onetoken: ID: DESCRIPTION" with an id of the
//	   error catalogue, such as tokenInvalid
//	2  wrong usage, or the environment fails: a bad flag or caveat, no secret, a
//	   file that can't be read. Nothing is known of the token
package main
