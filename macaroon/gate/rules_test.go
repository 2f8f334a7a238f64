package gate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/gate"
)

// rule returns a [[rule]] that allows every client to GET the path.
func rule(path string) string { return ruleFor(path, "GET") }

func ruleFor(path, methods string) string {
	return "[[rule]]\npath = \"" + path + "\"\nmethods = [\"" + methods + "\"]\nallow = [\"client\"]\n"
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
		"no proxy":       {rule("/a"), `rules.toml: proxy: must be "nginx", "traefik", "caddy" or "envoy"`},
		"unknown proxy":  {"proxy = \"ngnix\"\n" + rule("/a"), `rules.toml:1: proxy: must be "nginx", "traefik", "caddy" or "envoy"; did you mean "nginx"?`},
		"no rules":       {nginx, `rules.toml: rule: there is none`},
		"syntax":         {nginx + "service = \n", `rules.toml:2: `},
		"repeated key":   {nginx + nginx + rule("/a"), `rules.toml:2: proxy: key proxy is already defined`},
		"wrong type":     {nginx + "[[rule]]\npath = 5\n", `rules.toml:3: path: `},
		"wrong list":     {nginx + "[[rule]]\nmethods = \"GET\"\n", `rules.toml:3: methods: `},
		"unknown key":    {nginx + rule("/a") + "acess = 1\n", `rules.toml:6: acess: unknown key; the keys of a rule are path, `},
		"near key":       {nginx + rule("/a") + "raed = \"/x\"\n", `rules.toml:6: raed: unknown key; did you mean "read"?`},
		"key in capital": {nginx + "[[rule]]\nPath = \"/a\"\n", `rules.toml:3: Path: unknown key; did you mean "path"?`},
		"near top key":   {"prxy = \"nginx\"\n" + rule("/a"), `rules.toml:1: prxy: unknown key; did you mean "proxy"?`},
		"dotted key":     {nginx + rule("/a") + "read.path = \"/x\"\n", `rules.toml:6: read.path: unknown key`},
		"other table":    {nginx + rule("/a") + "[rules]\n", `rules.toml:6: rules: the only table is [[rule]]`},
		"single table":   {nginx + "[rule]\n", `rules.toml:2: rule: the only table is [[rule]], with two brackets`},
		"inline rules":   {nginx + "rule = [{path = \"/a\"}]\n", `rules.toml:2: rule: each rule begins with a line [[rule]]`},
		"bad service":    {nginx + "service = \"opx-1\"\n" + rule("/a"), `rules.toml:2: service: "opx-1" must be a service`},
		"any service":    {nginx + "service = \"opw-*\"\n" + rule("/a"), `rules.toml:2: service: `},
		"prefix":         {nginx + "prefix = \"/check\"\n" + rule("/a"), `rules.toml:2: prefix: only Envoy`},
		"long prefix":    {"proxy = \"envoy\"\nprefix = \"/check/\"\n" + rule("/a"), `rules.toml:2: prefix: "/check/" must be written "/check"`},
		"bad prefix":     {"proxy = \"envoy\"\nprefix = \"check\"\n" + rule("/a"), `rules.toml:2: prefix: "check": the path must begin with a slash`},

		"no path":          {nginx + "[[rule]]\nmethods = [\"GET\"]\nallow = [\"client\"]\n", `rules.toml:2: path: it is missing`},
		"relative path":    {nginx + rule("a"), `rules.toml:3: path: "a" must begin with a slash`},
		"trailing slash":   {nginx + rule("/a/"), `rules.toml:3: path: "/a/" must not end with a slash: "/a" matches both forms`},
		"dots":             {nginx + rule("/a/../b"), `rules.toml:3: path: "/a/../b": ".." matches no request`},
		"empty name":       {nginx + rule("/a//b"), `rules.toml:3: path: "/a//b": "" matches no request`},
		"encoded":          {nginx + rule("/a%20b"), `rules.toml:3: path: "/a%20b": "a%20b" must be a plain name, decoded`},
		"star":             {nginx + rule("/a/*"), `rules.toml:3: path: "/a/*": "*" must be a plain name`},
		"part of a name":   {nginx + rule("/{a}.txt"), `rules.toml:3: path: "/{a}.txt": "{a}.txt" must be a plain name, decoded, or {NAME} as a whole`},
		"no name":          {nginx + rule("/{}"), `rules.toml:3: path: "/{}": "{}" must be {NAME} or {NAME...}`},
		"rest not last":    {nginx + rule("/{a...}/b"), `rules.toml:3: path: "/{a...}/b": {NAME...} must be the last part`},
		"repeated name":    {nginx + rule("/{a}/{a}"), `rules.toml:3: path: "/{a}/{a}": the name "a" occurs twice`},
		"no methods":       {nginx + "[[rule]]\npath = \"/a\"\nallow = [\"client\"]\n", `rules.toml:2: methods: it is missing or empty`},
		"unknown method":   {nginx + ruleFor("/a", "get"), `rules.toml:4: methods: "get" is not one of GET, HEAD, `},
		"near method":      {nginx + ruleFor("/a", "DELTE"), `did you mean "DELETE"?`},
		"second path":      {nginx + ruleFor("/a", "MOVE"), `rules.toml:4: methods: "MOVE" is not one of`},
		"star and more":    {nginx + ruleFor("/a", `*", "GET`), `rules.toml:4: methods: "*" stands for all methods`},
		"repeated method":  {nginx + ruleFor("/a", `PUT", "PUT`), `rules.toml:4: methods: "PUT" is listed twice`},
		"no allow":         {nginx + "[[rule]]\npath = \"/a\"\nmethods = [\"GET\"]\n", `rules.toml:2: allow: it is missing or empty`},
		"near allow":       {nginx + "[[rule]]\npath = \"/a\"\nmethods = [\"GET\"]\nallow = [\"anonymus\"]\n", `rules.toml:5: allow: "anonymus" must be "anonymous", "client", "usr-ID" or "prv-ID"; did you mean "anonymous"?`},
		"group":            {nginx + "[[rule]]\npath = \"/a\"\nmethods = [\"GET\"]\nallow = [\"grp-g1\"]\n", `rules.toml:5: allow: "grp-g1" must be`},
		"nobody":           {nginx + "[[rule]]\npath = \"/a\"\nmethods = [\"GET\"]\nallow = [\"nobody\"]\n", `rules.toml:5: allow: "nobody" must be`},
		"empty id":         {nginx + "[[rule]]\npath = \"/a\"\nmethods = [\"GET\"]\nallow = [\"usr-\"]\n", `rules.toml:5: allow: "usr-" must be`},
		"client and more":  {nginx + "[[rule]]\npath = \"/a\"\nmethods = [\"GET\"]\nallow = [\"client\", \"usr-a\"]\n", `rules.toml:5: allow: "client" includes the others`},
		"repeated subject": {nginx + "[[rule]]\npath = \"/a\"\nmethods = [\"GET\"]\nallow = [\"usr-a\", \"usr-a\"]\n", `rules.toml:5: allow: "usr-a" is listed twice`},

		"api service":       {nginx + rule("/a") + `api = "op/get/file.x.content"`, `rules.toml:6: api: "op/get/file.x.content" must begin with the service`},
		"api operation":     {nginx + rule("/a") + `api = "opw/all/file.x.content"`, `rules.toml:6: api: "opw/all/file.x.content" must have the operation`},
		"api wildcard":      {nginx + rule("/a") + `api = "opw/get/file.*.content"`, `rules.toml:6: api: "opw/get/file.*.content" must end with`},
		"api type":          {nginx + rule("/a") + `api = "opw/get/{a}.x.content"`, `rules.toml:6: api: `},
		"api name":          {nginx + rule("/{ident}") + `api = "opw/get/file.{idnet}.content"`, `rules.toml:6: api: the path "/{ident}" has no {idnet}; did you mean "ident"?`},
		"api brace":         {nginx + rule("/{id}") + `api = "opw/get/file.{id.content"`, `rules.toml:6: api: `},
		"anonymous api":     {nginx + strings.Replace(rule("/a"), "client", "anonymous", 1) + `api = "opw/get/file.x.content"`, `rules.toml:5: allow: everybody may make the request`},
		"file without api":  {nginx + rule("/a") + `read = "/s/a"`, `rules.toml:6: read: it needs api`},
		"relative file":     {nginx + rule("/a") + "api = \"opw/get/file.x.content\"\nread = \"s/a\"", `rules.toml:7: read: "s/a" must begin with a slash`},
		"file with dots":    {nginx + rule("/a") + "api = \"opw/get/file.x.content\"\nread = \"/s/../a\"", `rules.toml:7: read: "/s/../a": the path must not contain the names "." and ".."`},
		"empty file":        {nginx + rule("/a") + "api = \"opw/get/file.x.content\"\nread = \"/\"", `rules.toml:7: read: "/": the path must not contain empty names`},
		"file name":         {nginx + rule("/{a}") + "api = \"opw/get/file.x.content\"\nread = \"/s/{b}\"", `rules.toml:7: read: the path "/{a}" has no {b}`},
		"part of file name": {nginx + rule("/{a}") + "api = \"opw/get/file.x.content\"\nread = \"/s/x{a}\"", `rules.toml:7: read: "/s/x{a}": "x{a}" must be a plain name`},
		"read and write":    {nginx + rule("/a") + "api = \"opw/get/file.x.content\"\nread = \"/s/a\"\nwrite = \"/s/a\"", `rules.toml:8: write: a rule has either read or write`},
		"read by PUT":       {nginx + ruleFor("/a", "PUT") + "api = \"opw/get/file.x.content\"\nread = \"/s/a\"", `rules.toml:7: read: PUT may change the file`},
		"read by anything":  {nginx + ruleFor("/a", "*") + "api = \"opw/get/file.x.content\"\nread = \"/s/a\"", `rules.toml:7: read: * may change the file`},

		"equal paths":  {nginx + rule("/a/{x}") + ruleFor("/a/{y}", "GET"), `rules.toml:8: methods: GET is also listed by the rule at line 4, whose path "/a/{x}" is equal`},
		"GET and HEAD": {nginx + rule("/a") + ruleFor("/a", "HEAD"), `rules.toml:8: methods: HEAD is also listed by the rule at line 4`},
		"two stars":    {nginx + ruleFor("/a", "*") + ruleFor("/a", "*"), `rules.toml:8: methods: * is also listed`},
		"ambiguous":    {nginx + rule("/{a}/b") + ruleFor("/a/{b}", "PUT"), `rules.toml:7: path: "/a/{b}" and "/{a}/b" at line 3 both match "/a/b", and neither is more specific`},
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

// TestTheMostSpecificPathDecides names the deciding rule by its line.
func TestTheMostSpecificPathDecides(t *testing.T) {
	t.Parallel()
	rules := parse(t, nginx+
		rule("/{all...}")+ // line 2
		rule("/files/{space}/{path...}")+ // line 6
		rule("/files/{space}/index")+ // line 10
		ruleFor("/files/public/index", "PUT")+ // line 14
		ruleFor("/files/public/index", "*")+ // line 18
		ruleFor("/admin/{rest...}", "POST")+ // line 22
		rule("/files/{space}/{a}/{b}/end")) // line 26
	for request, want := range map[string]string{
		"GET /":                      ":2",
		"GET /x":                     ":2",
		"GET /files":                 ":2",
		"GET /files/":                ":2",
		"GET /files/s":               ":6",
		"GET /files/s/":              ":6",
		"GET /files/s/a/b/c":         ":6",
		"GET /files/s/index":         ":10",
		"GET /files/s/index/":        ":10",
		"HEAD /files/s/index":        ":10",
		"GET /files/s/index/x":       ":6",
		"PUT /files/public/index":    ":14",
		"GET /files/public/index":    ":18",
		"DELETE /files/public/index": ":18",
		"GET /files/public/other":    ":6",
		"POST /admin":                ":22",
		"POST /admin/":               ":22",
		"POST /admin/x/y":            ":22",
		"GET /files/s/a/b/end":       ":26",
		"GET /files/s/a/b/end?q=/..": ":26",
		"GET /files/s/a/end":         ":6",
		"GET /f%69les/s/index":       ":10",
		"GET /files/%C5%82/index":    ":10",

		"POST /":                      "", // the path has a rule, but not for the method
		"PUT /files/s/index":          "",
		"GET /admin":                  "", // not :2: its path is less specific
		"GET /admin/x":                "",
		"MOVE /files/public/index":    "",
		"get /files/public/index":     "",
		"":                            "",
		"PROPFIND /files/s/index":     "",
		"TRACE /files/public/index":   "",
		"DELETE /files/public/index/": ":18",
	} {
		method, target, _ := strings.Cut(request, " ")
		text, err := rules.Explain(method, target)
		if want == "" {
			assert.ErrorIs(t, err, errors.IDForbidden, request)
			assert.Empty(t, text)
			continue
		}
		require.NoError(t, err, request)
		assert.Contains(t, text, "rules.toml"+want+",", request)
	}
}

func TestRequestsWithoutARuleAreRefused(t *testing.T) {
	t.Parallel()
	rules := parse(t, nginx+rule("/a/{x}"))
	for _, target := range []string{"/", "/a", "/a/", "/b/x", "/a/x/y", "/ab/x", "/A/x"} {
		_, err := rules.Explain("GET", target)
		assert.ErrorIs(t, err, errors.IDForbidden, target)
	}
}

// TestPathsThatProgramsReadDifferentlyAreRefused has a rule for every path.
func TestPathsThatProgramsReadDifferentlyAreRefused(t *testing.T) {
	t.Parallel()
	rules := parse(t, nginx+rule("/{all...}"))
	for target, why := range map[string]string{
		"":                       "begin with a slash",
		"a":                      "begin with a slash",
		"http://host/a":          "begin with a slash",
		"*":                      "begin with a slash",
		"/a%2Fb":                 "encoded slashes",
		"/a%2fb":                 "encoded slashes",
		"/a/..%2f":               "encoded slashes",
		`/a\b`:                   "backslashes",
		"/a%5Cb":                 "backslashes",
		"/a%5c..":                "backslashes",
		"/a%00b":                 "control characters",
		"/a%0d%0ab":              "control characters",
		"/a%7f":                  "control characters",
		"/a%C2%85":               "control characters",
		"/..":                    `the names "." and ".."`,
		"/a/../b":                `the names "." and ".."`,
		"/a/./b":                 `the names "." and ".."`,
		"/a/.":                   `the names "." and ".."`,
		"/a/../":                 `the names "." and ".."`,
		"/a/%2e%2e/b":            `the names "." and ".."`,
		"/a/%2E./b":              `the names "." and ".."`,
		"//a":                    "empty names",
		"//":                     "empty names",
		"/a//b":                  "empty names",
		"/a//":                   "empty names",
		"/a;v=1/b":               "semicolons",
		"/a/..;/b":               "semicolons",
		"/a%3Bb":                 "semicolons",
		"/a%252Fb":               "encoded twice",
		"/a/%252e%252e/b":        "encoded twice",
		"/a%2500":                "encoded twice",
		"/a%ff":                  "UTF-8",
		"/%c0%af":                "UTF-8",
		"/%c0%ae%c0%ae/b":        "UTF-8",
		"/a%":                    "hexadecimal",
		"/a%2":                   "hexadecimal",
		"/a%zz":                  "hexadecimal",
		"/a%u002f":               "hexadecimal",
		"/a#b":                   "fragment",
		"/a b":                   "spaces",
		"/a\x00b":                "control characters",
		"/a\r\nX-Injected: true": "spaces",
	} {
		_, err := rules.Explain("GET", target)
		require.ErrorIs(t, err, errors.IDForbidden, "%q", target)
		assert.Contains(t, err.Error(), why, "%q", target)
	}
	for _, target := range []string{
		"/", "/a/", "/a%20b", "/%E2%82%AC", "/...", "/a..b", "/.hidden", "/a?x=/../..//%2f;\\", "/100%25", "/a+b", "/a:b@c=d&e", "/a%3Fb", "/a%23b",
	} {
		_, err := rules.Explain("GET", target)
		assert.NoError(t, err, "%q", target)
	}
}

func TestExplainSaysWhatIsAsked(t *testing.T) {
	t.Parallel()
	rules := parse(t, `proxy = "caddy"
service = "opw-p1"

[[rule]]
path = "/files/{space}/{path...}"
methods = ["GET"]
allow = ["client"]
api = "opw/get/file.{space}.content"
read = "/{space}/{path}"

[[rule]]
path = "/files/{space}/{path...}"
methods = ["PUT"]
allow = ["usr-alice", "prv-p1"]
api = "opw/update/file.{space}.content:private"
write = "/{space}/{path}"

[[rule]]
path = "/public"
methods = ["GET"]
allow = ["anonymous"]

[[rule]]
path = "/me"
methods = ["GET"]
allow = ["client"]
`)
	for request, want := range map[string]string{
		"GET /files/s1/a%20b/c?x=y": `rule       rules.toml:4, path "/files/{space}/{path...}"
{space}    "s1"
{path}     "a b/c"
allow      every client
token      access, at the service opw-p1
api        opw/get/file.s1.content
read       "/s1/a b/c"
`,
		"PUT /files/s1/": `rule       rules.toml:11, path "/files/{space}/{path...}"
{space}    "s1"
{path}     ""
allow      usr-alice, prv-p1
token      access, at the service opw-p1
api        opw/update/file.s1.content:private
write      "/s1"
`,
		"GET /public": `rule       rules.toml:18, path "/public"
allow      everybody, without credentials
`,
		"GET /me": `rule       rules.toml:23, path "/me"
allow      every client
token      identity
`,
	} {
		method, target, _ := strings.Cut(request, " ")
		text, err := rules.Explain(method, target)
		require.NoError(t, err, request)
		assert.Equal(t, want, text, request)
	}
	_, err := rules.Explain("DELETE", "/me")
	assert.ErrorContains(t, err, `no rule with the path "/me" lists the method`)
}
