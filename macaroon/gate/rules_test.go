package gate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/gate"
)

// rule returns a [[rule]] that allows every client to GET the path.
func rule(path string) string { return ruleFor(path, "GET") }

func ruleFor(path, methods string) string {
	return "[[rule]]\npath = \"" + path + "\"\nmethods = [\"" + methods + "\"]\nallow = [\"client\"]\n"
}

// allowing returns a [[rule]] for GET /a that allows the subject or word.
func allowing(who string) string { return strings.Replace(rule("/a"), "client", who, 1) }

// accessing returns a [[rule]] for the method and /a with an api, and the given
// lines after it.
func accessing(method string, lines ...string) string {
	return ruleFor("/a", method) + "api = \"opw/get/file.x.content\"\n" + strings.Join(lines, "\n") + "\n"
}

// nginx is the head of a file of rules.
const nginx = "proxy = \"nginx\"\n"

func parse(t testing.TB, text string) *gate.Rules {
	t.Helper()
	rules, err := gate.ParseRules("rules.toml", []byte(text))
	require.NoError(t, err)
	return rules
}

func TestBadRulesAreRefusedWithFileLineAndKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"no proxy": {rule("/a"), `rules.toml: proxy: must be "nginx", "traefik", "caddy" or "envoy"`},
		"unknown proxy": {
			"proxy = \"ngnix\"\n" + rule("/a"),
			`rules.toml:1: proxy: must be "nginx", "traefik", "caddy" or "envoy"; did you mean "nginx"?`,
		},
		"no rules":     {nginx, `rules.toml: rule: there is none`},
		"syntax":       {nginx + "service = \n", `rules.toml:2: `},
		"repeated key": {nginx + nginx + rule("/a"), `rules.toml:2: proxy: key proxy is already defined`},
		"wrong type":   {nginx + "[[rule]]\npath = 5\n", `rules.toml:3: path: `},
		"wrong list":   {nginx + "[[rule]]\nmethods = \"GET\"\n", `rules.toml:3: methods: `},
		"unknown key": {
			nginx + rule("/a") + "acess = 1\n",
			`rules.toml:6: acess: unknown key; the keys of a rule are path, `,
		},
		"near key": {
			nginx + rule("/a") + "raed = \"/x\"\n",
			`rules.toml:6: raed: unknown key; did you mean "read"?`,
		},
		"key in capital": {
			nginx + "[[rule]]\nPath = \"/a\"\n",
			`rules.toml:3: Path: unknown key; did you mean "path"?`,
		},
		"near top key": {"prxy = \"nginx\"\n" + rule("/a"), `rules.toml:1: prxy: unknown key; did you mean "proxy"?`},
		"dotted key":   {nginx + rule("/a") + "read.path = \"/x\"\n", `rules.toml:6: read.path: unknown key`},
		"other table":  {nginx + rule("/a") + "[rules]\n", `rules.toml:6: rules: the only table is [[rule]]`},
		"single table": {nginx + "[rule]\n", `rules.toml:2: rule: the only table is [[rule]], with two brackets`},
		"inline rules": {
			nginx + "rule = [{path = \"/a\"}]\n",
			`rules.toml:2: rule: each rule begins with a line [[rule]]`,
		},
		"bad service": {
			nginx + "service = \"opx-1\"\n" + rule("/a"),
			`rules.toml:2: service: "opx-1" must be a service`,
		},
		"any service": {nginx + "service = \"opw-*\"\n" + rule("/a"), `rules.toml:2: service: `},
		"prefix":      {nginx + "prefix = \"/check\"\n" + rule("/a"), `rules.toml:2: prefix: only Envoy`},
		"long prefix": {
			"proxy = \"envoy\"\nprefix = \"/check/\"\n" + rule("/a"),
			`rules.toml:2: prefix: "/check/" must be written "/check"`,
		},
		"bad prefix": {
			"proxy = \"envoy\"\nprefix = \"check\"\n" + rule("/a"),
			`rules.toml:2: prefix: "check": the path must begin with a slash`,
		},

		"no path": {
			nginx + "[[rule]]\nmethods = [\"GET\"]\nallow = [\"client\"]\n",
			`rules.toml:2: path: it is missing`,
		},
		"relative path": {nginx + rule("a"), `rules.toml:3: path: "a" must begin with a slash`},
		"trailing slash": {
			nginx + rule("/a/"),
			`rules.toml:3: path: "/a/" must not end with a slash: "/a" matches both forms`,
		},
		"dots":       {nginx + rule("/a/../b"), `rules.toml:3: path: "/a/../b": ".." matches no request`},
		"empty name": {nginx + rule("/a//b"), `rules.toml:3: path: "/a//b": "" matches no request`},
		"encoded": {
			nginx + rule("/a%20b"),
			`rules.toml:3: path: "/a%20b": "a%20b" must be a plain name, decoded`,
		},
		"star": {nginx + rule("/a/*"), `rules.toml:3: path: "/a/*": "*" must be a plain name`},
		"part of a name": {
			nginx + rule("/{a}.txt"),
			`rules.toml:3: path: "/{a}.txt": "{a}.txt" must be a plain name, decoded, or {NAME} as a whole`,
		},
		"no name": {nginx + rule("/{}"), `rules.toml:3: path: "/{}": "{}" must be {NAME} or {NAME...}`},
		"rest not last": {
			nginx + rule("/{a...}/b"),
			`rules.toml:3: path: "/{a...}/b": {NAME...} must be the last part`,
		},
		"repeated name": {nginx + rule("/{a}/{a}"), `rules.toml:3: path: "/{a}/{a}": the name "a" occurs twice`},
		"no methods": {
			nginx + "[[rule]]\npath = \"/a\"\nallow = [\"client\"]\n",
			`rules.toml:2: methods: it is missing or empty`,
		},
		"unknown method":  {nginx + ruleFor("/a", "get"), `rules.toml:4: methods: "get" is not one of GET, HEAD, `},
		"near method":     {nginx + ruleFor("/a", "DELTE"), `did you mean "DELETE"?`},
		"second path":     {nginx + ruleFor("/a", "MOVE"), `rules.toml:4: methods: "MOVE" is not one of`},
		"star and more":   {nginx + ruleFor("/a", `*", "GET`), `rules.toml:4: methods: "*" stands for all methods`},
		"repeated method": {nginx + ruleFor("/a", `PUT", "PUT`), `rules.toml:4: methods: "PUT" is listed twice`},
		"no allow": {
			nginx + "[[rule]]\npath = \"/a\"\nmethods = [\"GET\"]\n",
			`rules.toml:2: allow: it is missing or empty`,
		},
		"near allow": {
			nginx + allowing(`anonymus`),
			`rules.toml:5: allow: "anonymus" must be "anonymous", "client", "usr-ID" or "prv-ID"; did you mean "anonymous"?`,
		},
		"group":            {nginx + allowing(`grp-g1`), `rules.toml:5: allow: "grp-g1" must be`},
		"nobody":           {nginx + allowing(`nobody`), `rules.toml:5: allow: "nobody" must be`},
		"empty id":         {nginx + allowing(`usr-`), `rules.toml:5: allow: "usr-" must be`},
		"client and more":  {nginx + allowing(`client", "usr-a`), `rules.toml:5: allow: "client" includes the others`},
		"repeated subject": {nginx + allowing(`usr-a", "usr-a`), `rules.toml:5: allow: "usr-a" is listed twice`},

		"api service": {
			nginx + rule("/a") + `api = "op/get/file.x.content"`,
			`rules.toml:6: api: "op/get/file.x.content" must begin with the service`,
		},
		"api operation": {
			nginx + rule("/a") + `api = "opw/all/file.x.content"`,
			`rules.toml:6: api: "opw/all/file.x.content" must have the operation`,
		},
		"api wildcard": {
			nginx + rule("/a") + `api = "opw/get/file.*.content"`,
			`rules.toml:6: api: "opw/get/file.*.content" must end with`,
		},
		"api type": {nginx + rule("/a") + `api = "opw/get/{a}.x.content"`, `rules.toml:6: api: `},
		"api name": {
			nginx + rule("/{ident}") + `api = "opw/get/file.{idnet}.content"`,
			`rules.toml:6: api: the path "/{ident}" has no {idnet}; did you mean "ident"?`,
		},
		"api brace": {nginx + rule("/{id}") + `api = "opw/get/file.{id.content"`, `rules.toml:6: api: `},
		"anonymous api": {
			nginx + allowing("anonymous") + `api = "opw/get/file.x.content"`,
			`rules.toml:5: allow: everybody may make the request`,
		},
		"file without api": {nginx + rule("/a") + `read = "/s/a"`, `rules.toml:6: read: it needs api`},
		"relative file": {
			nginx + accessing("GET", `read = "s/a"`),
			`rules.toml:7: read: "s/a" must begin with a slash`,
		},
		"file with dots": {
			nginx + accessing("GET", `read = "/s/../a"`),
			`rules.toml:7: read: "/s/../a": the path must not contain the names "." and ".."`,
		},
		"empty file": {
			nginx + accessing("GET", `read = "/"`),
			`rules.toml:7: read: "/": the path must not contain empty names`,
		},
		"file name": {
			nginx + rule("/{a}") + "api = \"opw/get/file.x.content\"\nread = \"/s/{b}\"",
			`rules.toml:7: read: the path "/{a}" has no {b}`,
		},
		"part of file name": {
			nginx + rule("/{a}") + "api = \"opw/get/file.x.content\"\nread = \"/s/x{a}\"",
			`rules.toml:7: read: "/s/x{a}": "x{a}" must be a plain name`,
		},
		"read and write": {
			nginx + accessing("GET", `read = "/s/a"`, `write = "/s/a"`),
			`rules.toml:8: write: a rule has either read or write`,
		},
		"read by PUT":      {nginx + accessing("PUT", `read = "/s/a"`), `rules.toml:7: read: PUT may change the file`},
		"read by anything": {nginx + accessing("*", `read = "/s/a"`), `rules.toml:7: read: * may change the file`},

		"equal paths": {
			nginx + rule("/a/{x}") + ruleFor("/a/{y}", "GET"),
			`rules.toml:8: methods: GET is also listed by the rule at line 4, whose path "/a/{x}" is equal`,
		},
		"GET and HEAD": {
			nginx + rule("/a") + ruleFor("/a", "HEAD"),
			`rules.toml:8: methods: HEAD is also listed by the rule at line 4`,
		},
		"two stars": {nginx + ruleFor("/a", "*") + ruleFor("/a", "*"), `rules.toml:8: methods: * is also listed`},
		"ambiguous": {
			nginx + rule("/{a}/b") + ruleFor("/a/{b}", "PUT"),
			`rules.toml:7: path: "/a/{b}" and "/{a}/b" at line 3 both match "/a/b", and neither is more specific`,
		},
		"ambiguous by rest": {nginx + rule("/{a}/b") + rule("/a/{b...}"),
			`rules.toml:7: path: "/a/{b...}" and "/{a}/b" at line 3 both match "/a/b", and neither is more specific`},
		"unreachable": {nginx + rule("/a/{x...}") + rule("/a") + rule("/a/{x}/{y...}"),
			`rules.toml:3: path: "/a/{x...}" matches no request, because rules with more specific paths match them all`},
		"unreachable in three": {nginx + rule("/{x...}") + rule("/") + rule("/{x}") + rule("/{x}/{y}/{z...}"),
			`rules.toml:3: path: "/{x...}" matches no request`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules, err := gate.ParseRules("rules.toml", []byte(c.text))
			require.Error(t, err)
			assert.Nil(t, rules)
			assert.Contains(t, err.Error(), c.want)
		})
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := gate.ParseRules("rules.toml", []byte(nginx+rule("a")+ruleFor("/b", "PSOT")))
	require.Error(t, err)
	assert.Len(t, strings.Split(err.Error(), "\n"), 2)
}

func TestRulesHaveLimits(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	many.WriteString(nginx)
	for i := range 1001 {
		many.WriteString(rule("/" + strings.Repeat("a", i+1)))
	}
	_, err := gate.ParseRules("rules.toml", []byte(many.String()))
	assert.ErrorContains(t, err, "rules.toml: rule: there are 1001, the limit is 1000")
	_, err = gate.ParseRules("rules.toml", []byte(nginx+rule("/a")+"#"+strings.Repeat("x", 1<<20)))
	assert.ErrorContains(t, err, "rules.toml: the file has more than 1048576 bytes")
}

func TestReadRules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "my.toml")
	require.NoError(t, os.WriteFile(file, []byte(nginx+rule("/a")), 0o600))
	rules, err := gate.ReadRules(file)
	require.NoError(t, err)
	text, err := rules.Explain("GET", "/a")
	require.NoError(t, err)
	assert.Contains(t, text, `my.toml:2, path "/a"`)

	require.NoError(t, os.WriteFile(file, []byte(nginx+rule("a")), 0o600))
	_, err = gate.ReadRules(file)
	assert.ErrorContains(t, err, "my.toml:3: path: ")
	_, err = gate.ReadRules(filepath.Join(dir, "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
