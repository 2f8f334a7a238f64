// Package gate answers the authorization requests of a reverse proxy, so that
// Onezone tokens protect programs in any language.
//
//	rules, err := gate.ReadRules("rules.toml")
//	proxy := gate.WithTrustedProxies(netip.MustParsePrefix("127.0.0.0/8"))
//	g, err := gate.New(verifier, rules, proxy)
//	http.ListenAndServe("127.0.0.1:9081", g)
//
// For each request of a client, the proxy asks the gate: nginx with
// auth_request, Traefik with ForwardAuth, Caddy with forward_auth, Envoy with
// the HTTP service of ext_authz. docs/gate.md has a configuration for each.
//
// # Rules
//
// The rules are a TOML file. Other keys than those below are errors.
//
//	proxy = "nginx"          # or "traefik", "caddy", "envoy"
//	service = "opw-p1"       # for access tokens; default: Onezone's worker
//	prefix = "/check"        # the path_prefix of Envoy, if it has one
//
//	[[rule]]
//	path = "/files/{space}/{path...}"
//	methods = ["GET"]
//	allow = ["client"]
//	api = "opw/get/file.{space}.content:private"
//	read = "/{space}/{path}"
//
// path consists of names, of {NAME} for one name, and, at its end, of {NAME...}
// for the rest of the path, which may be empty. Requests with and without a
// slash at the end of the path are equal. The query is not compared.
//
// methods lists methods; GET includes HEAD. ["*"] stands for all methods that
// no rule with the same path lists.
//
// allow says who may make the request. Everybody may if it is ["anonymous"];
// credentials are then ignored, and the program learns no identity. ["client"]
// stands for every client with a good token. Otherwise it lists subjects:
// ["usr-alice", "prv-p1"].
//
// api is the operation that the caveats of the token must allow, in the form of
// an api caveat without wildcards: SERVICE/OPERATION/GRI. The gate enforces it
// as [rest.Require] does, with the values of the path. A rule with api takes
// access tokens. A rule without it takes identity tokens, which prove who the
// client is and give the program no power at Onezone.
//
// read or write is the file that the request reads or changes, as
// "/SPACE/NAME/..."; data caveats of the token must allow it. Rules with
// neither refuse tokens with data caveats. It needs api. A rule with read may
// not list PUT, PATCH, DELETE or "*".
//
// # Which rule decides
//
// The rule with the most specific path decides: /files/public before
// /files/{name} before /files/{rest...}. If no rule with exactly this path
// lists the method, the request is refused, even if a rule with a more general
// path would allow it. Requests without a rule are refused.
//
// A file is refused if two rules match the same request and neither is more
// specific, or if a rule can match no request. Errors give the file, the line
// and the key.
//
// # Answers
//
//   - 200: the proxy may pass the request to the program. Remote-User is the id
//     of the user, X-Onezone-Subject the subject ("usr-alice", "prv-p1"),
//     X-Onezone-Token-Id the id of the token. All three are always present, and
//     empty for anonymous requests. Remote-User is empty for Oneproviders.
//   - 401 unauthorized: the token is missing or bad, or its caveats do not
//     allow the request. The error in WWW-Authenticate (RFC 6750) is absent,
//     invalid_token or insufficient_scope.
//   - 403 forbidden: no rule allows the request, or it is malformed.
//   - 503 serviceUnavailable with Retry-After: the token could not be verified.
//
// Other errors of [rest.Authenticate] keep their status. Bodies are the JSON
// errors of the catalogue.
//
// # What the gate does not believe
//
//   - Peers that [WithTrustedProxies] does not name get 403.
//   - The headers with the method and path of the original request must be
//     present exactly once. nginx: X-Original-Method and X-Original-URI.
//     Traefik and Caddy: X-Forwarded-Method and X-Forwarded-Uri. The headers of
//     other proxies are ignored. Envoy sends the method and path themselves.
//   - Without X-Forwarded-For the address of the client is unknown, and no
//     caveat about it holds.
//   - Paths are decoded once. A path is refused if programs could read it in
//     several ways: it is relative, it has "." or ".." or empty names, encoded
//     slashes, backslashes, semicolons, control characters, a second level of
//     encoding, a fragment, or is not UTF-8.
//   - A request is refused if it has a header that some programs take for
//     another path, method or identity: X-Original-URL, X-Rewrite-URL,
//     X-HTTP-Method-Override and its variants, and the identity headers spelled
//     with underscores or other characters instead of dashes.
//   - A request may upgrade its connection to a WebSocket only. Over another
//     protocol, such as h2c, the program would receive requests that the gate
//     does not see.
//   - Passwords are not accepted.
//
// The gate logs no tokens, paths, queries or headers.
package gate
