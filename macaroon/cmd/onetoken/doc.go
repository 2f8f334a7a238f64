// Onetoken inspects, explains, confines, mints and verifies Onezone tokens
// offline, and manages the tokens of a user at an Onezone.
//
//	go install github.com/onezone-go/onezone/macaroon/cmd/onetoken@latest
//
//	onetoken inspect [--json] [FILE]
//	onetoken doctor  [--json] [FILE]
//	onetoken confine [--ttl DURATION] [--template NAME]... [CAVEAT]... < TOKEN
//	onetoken convert --to FORMAT [FILE]
//	onetoken mint    --subject SUBJECT [flags] [CAVEAT]...
//	onetoken verify  [flags] [FILE]
//	onetoken explain [flags] [FILE]
//	onetoken narrow  --requests FILE [flags] [FILE]
//
//	onetoken login   --onezone URL --user NAME < PASSWORD
//	onetoken logout
//	onetoken create  [--name NAME] [flags] [CAVEAT]...
//	onetoken list
//	onetoken show | revoke | restore | delete ID
//	onetoken tighten | loosen ID --caveat CAVEAT
//	onetoken tree    ID
//	onetoken clean   --unused DURATION [--dry-run] [--delete]
//
//	onetoken completion bash | zsh | fish
//	onetoken man | version
//
// Results are also printed as JSON, with --json. Tables are aligned and marks are red on a terminal
// only, and not if NO_COLOR is set. "onetoken COMMAND --help" lists the flags.
//
// For example, create a token for a user, confine a copy to one network and one
// hour, and verify it:
//
//	export ONETOKEN_SECRET=$(openssl rand -hex 32)
//	onetoken mint --subject usr-alice > alice.token
//	onetoken confine --ttl 1h "ip = 10.0.0.0/8" < alice.token > lent.token
//	onetoken verify --ip 10.1.2.3 < lent.token
//
// # Tokens and secrets
//
// Anyone with a token can use it, and anyone with a secret can issue tokens.
// Neither is ever an argument, because all users of the machine can read
// arguments. A token is read from standard input, or from a file that is named
// as FILE, as people paste it: white space, quotes, the names of headers and variables,
// "Bearer" and the JSON of the API around the token are ignored, and standard
// error says so. It may have the prefix "opw-" or "opp-". A secret is read from
// the file that --secret-file names, or else from the environment variable
// ONETOKEN_SECRET. It is one line without its line ending, used byte for byte,
// also if it is hexadecimal. A token has at most 1048576 bytes, a secret 65536.
//
// Only confine, convert, narrow, mint and create print tokens. No command prints
// secrets or signatures, and an argument that contains a token is refused without
// being repeated.
//
// # Caveats
//
// Each caveat is one argument, in the language of Onezone:
//
//	"time < 1700000000"            Unix seconds
//	"ip = 10.0.0.0/8|192.0.2.7"
//	"service = opw-PROVIDER"
//	"consumer = usr-ID|prv-ID"
//	"interface = rest"             rest, oneclient or graphsync
//	"api = ozw/get/user.*.*:*"
//	data.readonly
//
// The others are asn, geo.country, geo.region, data.path and data.objectid; see
// package caveat. A caveat enters the token in its canonical form ("ip =
// 192.0.2.7/32"). A caveat outside the language is refused, because no Onezone
// would accept the token. With --any it is added unchanged, after a warning, for
// an application that knows it ("project = 42").
//
// With --ttl 1h, the first caveat is a time caveat that ends an hour from now,
// or from --now; days are 30d. With --until 2026-12-24T18:00Z it ends at that
// time. It is rounded down to a whole second, so the token never lives longer.
//
// With --template NAME, which may be repeated, the caveats for one purpose
// follow. A template brings its own lifetime unless another one is given:
//
//	rest               Onezone's REST interface; 7 days
//	oneprovider-rest   the REST interface of any Oneprovider; 7 days
//	oneclient          mounting spaces with Oneclient; 7 days
//	readonly           reading files; 7 days
//	path=/SPACE/DIR    the files at and below the path; 7 days
//	identity           proving an identity, no authorization; 1 hour
//
// # Inspect
//
// Inspect prints the content of the token, one property per line, or with --json
// in the form of the REST operation examine, with the marks. Characters that
// could control a terminal or mislead a reader, such as changes of direction, are
// escaped. Nothing is verified, and no caveat makes inspect fail.
//
// The marks are EXPIRED for a token that has expired now, or at --now; UNKNOWN
// for a caveat outside the language; and TRUNCATED for a text that ends too
// early. Inspect then prints in which packet it ends, how many characters are
// missing at least, and what is left, and exits with status 1.
//
// Tokens in the other formats of convert are shown, too, and macaroons of other
// issuers in all formats: their identifier, location and format, the caveats, and
// where third-party caveats are discharged.
//
// # Doctor
//
// Doctor explains a token in words, lists what is wrong with it, and proposes a
// fix: caveats outside the language and in the wrong spelling, paths that end in
// a newline, country codes that are not those of ISO 3166, times that are past,
// lists that contradict each other, and caveats that the type of the token does
// not support. If all of it can be repaired, it prints the command that makes the
// right token. The status is 1 if there is a problem.
//
// # Confine
//
// Confine prints the token with all caveats added, or fails. It needs no
// secret. The output has no prefix "opw-" or "opp-". Caveats that make the token
// useless, because they contradict each other for instance, cause a warning.
//
// # Convert
//
// Convert reads a macaroon of any issuer in any format, and prints it in the one
// of --to:
//
//	onezone   the tokens of Onezone: version 1 in letters and digits
//	v1        version 1 (libmacaroons), in base64
//	v2        version 2, in base64
//	v1-json   version 1 in JSON
//	v2-json   version 2 in JSON
//
// Only the format changes: the signature, and what it signs, stay. A format that
// cannot hold the macaroon is an error with status 2. Base64 may have either
// alphabet, with or without padding, and is printed in the URL alphabet without.
//
// # Mint
//
//	--subject SUBJECT   usr-ID or prv-ID; required
//	--type TYPE         access, identity, act:SESSION, or an invitation CODE:TARGET:
//	                   such as ujg:GROUP: and ssp:SPACE:ge; default access
//	--id ID             default: 32 random hexadecimal digits
//	--domain DOMAIN     of the Onezone; default onezone
//	--generation N      of the secret of a temporary token, from 1; default 0, a
//	                   named token
//	--ttl, --until, --template, --now, --any   as above
//	--secret-file FILE
//
// The same arguments and secret give the same token, byte for byte. An Onezone
// accepts it only if it has that secret for the id (named tokens) or for the
// subject and generation (temporary tokens).
//
// # Verify
//
// Verify checks the signature, then each caveat against the flags, then the
// session, and prints id, subject, type, expiry and caveats. A caveat is
// refused if the flag for it is missing. Caveats asn and geo.*, and groups as
// consumers, are always refused, because they need databases.
//
//	--ip ADDRESS        of the client
//	--interface NAME    rest, oneclient or graphsync
//	--service SERVICE   that received the token: ozw-onezone, opw-ID ...
//	--consumer SUBJECT  who uses the token: usr-ID, prv-ID or nobody
//	--session ID        of the client; default no session
//	--now TIME          Unix seconds or RFC 3339; default the current time
//	--allow-data        accept data caveats, which the caller then enforces
//	--identity          the token must prove an identity, not authorize an operation
//	--secret-file FILE
//
// Tokens of all types verify; a script that needs an access token must check
// the line "type". It must also enforce api, service and data caveats, which
// limit the operations of the token and are not decided here. Only the Onezone
// knows whether a token is revoked and whether its subject exists.
//
// With --onezone URL, the Onezone verifies the token, revocation included, and no
// secret is needed. So does the Onezone of the login if there is no secret.
//
// # Explain
//
// Explain says for every check and every caveat whether it passes, why, what
// would make it hold, and at what times of the next days that changes. It takes
// the flags of verify, and
//
//	--operation SPEC    what the client does: SERVICE/OPERATION/GRI
//	--read PATH         the file that the client reads
//	--write PATH        the file that the client changes
//	--days N            how far ahead to look for changes, default 7
//
// A caveat "fails" if the request does not satisfy it, and is "unknown" if the
// flags, or a database, lack what it is about; both refuse the token, with status
// 1. Without a secret the Onezone explains the token, with revocation, subject,
// session and service. It does so only for the subject of the token and for
// those who may manage its tokens.
//
// # Narrow
//
// Narrow reads recorded requests, a JSON object on each line, and proposes the
// tightest caveats that let all of them through:
//
//	{"time":1700000000,"peerIp":"10.1.2.3","interface":"rest","access":"read","path":"/lab/a"}
//
// Other members are service ("opw-ID"), consumer ("usr-ID"), operation, resource
// (a GRI), api ("op_worker") and objectIds. A caveat about something that one of
// the requests lacks is not proposed. With --until TIME the token expires then, and
// otherwise a second after the last request. With --confine it prints the token
// with the caveats added. No secret is needed. With --onezone URL, the Onezone
// narrows the token, and also proposes countries and networks if it has a geo
// database.
//
// # Tokens at an Onezone
//
// Login exchanges a password for a named token that expires in 30 days (--ttl),
// and writes it with the URL to the profile: the file of --profile, or of
// ONETOKEN_PROFILE, or onetoken/profile.json in the user's directory of
// configurations. Its mode is 0600, and a profile that others can read is
// refused. The password is typed at the terminal or is the first line of standard
// input; it is never an argument, and it is not kept. A new login deletes the
// token of the login before.
//
// Logout deletes the token at its Onezone, and then the profile. With --offline,
// it only deletes the profile, for an Onezone that does not answer.
//
// Create prints a new token of the user: a named one, or without --name a
// temporary one, which must expire. The template identity makes an identity
// token. List and show print named tokens without their text. Revoke, restore and
// delete change one, which its id or --name NAME identifies.
//
// Tighten adds caveats to the record of a named token. Its text stays the same,
// and the Onezone holds it and all its copies to the added caveats, too. Loosen
// removes added caveats, but not those that the text has. It needs a password
// (--user) or a token without caveats, and the token of a login has one. Tree
// prints a named token and those that were minted with it; revoke --family and
// delete --family change them all. Clean revokes or deletes tokens that were not
// used for a time.
//
// The Onezone is that of --onezone or of the profile. The client has the access
// token of the first of these:
//
//  1. the file of --token-file;
//  2. the variables BEARER_TOKEN and BEARER_TOKEN_FILE;
//  3. the profile, if it is of the same Onezone;
//  4. the files $XDG_RUNTIME_DIR/bt_uID and /tmp/bt_uID, where programs of the
//     grid keep tokens (WLCG Bearer Token Discovery).
//
// With --user NAME, it has a password instead. What a client creates or reads with
// a token carries the caveats of that token: after login, new tokens expire with
// the token of the login. Use --user to create one that lives longer.
//
// # Exit status
//
//	0  success: the token is valid
//	1  refused: the token is malformed, too large or not valid, or cannot take
//	   the caveats; doctor found a problem; the Onezone refused the operation.
//	   Except for doctor and explain, standard error has "onetoken: ID: DESCRIPTION" with
//	   an id of the error catalogue, such as tokenInvalid
//	2  wrong usage or operational error: a bad flag or caveat, no secret, a file
//	   that cannot be read, an Onezone that does not answer; the result says
//	   nothing about the token
package main
