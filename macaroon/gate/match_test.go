package gate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
)

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
		"/", "/a/", "/a%20b", "/%E2%82%AC", "/...", "/a..b", "/.hidden", "/a?x=/../..//%2f;\\", "/100%25", "/a+b",
		"/a:b@c=d&e", "/a%3Fb", "/a%23b",
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
api        opw/get/file.s1.content:private
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
