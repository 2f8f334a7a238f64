package gate

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/onezone-go/onezone/macaroon"
)

// FuzzCleanPath checks that other ways to read an accepted path agree: parsing
// it as a URL, cleaning it, decoding it again.
func FuzzCleanPath(f *testing.F) {
	for _, seed := range []string{
		"/", "/a/b", "/a%20b/?x=/..", "/a%2Fb", "/a/%2e%2e/b", "/a;b", "//a", "/%25", "/%C5%82/", "/a/..%5c", "/%252e", "*",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		got, why := cleanPath(target)
		if why != "" {
			assert.Empty(t, got)
			return
		}
		u, err := url.ParseRequestURI(target)
		if strings.ContainsAny(target, "\x00\x7f") || err != nil {
			// Only the query, which is not used, may have bad escapes and control
			// characters.
			query := target[strings.IndexByte(target, '?')+1:]
			assert.NotEqual(t, target, query, "%v", err)
			return
		}
		assert.Equal(t, strings.TrimSuffix(u.Path, "/"), got)
		assert.Equal(t, path.Clean("/"+got), "/"+strings.TrimPrefix(got, "/"))
		again, err := url.PathUnescape(got)
		if err == nil {
			assert.Equal(t, got, again)
		}
	})
}

// FuzzParseRules checks that rules are either refused or usable.
func FuzzParseRules(f *testing.F) {
	f.Add([]byte(`proxy = "nginx"
[[rule]]
path = "/a/{b}/{c...}"
methods = ["GET"]
allow = ["client"]
api = "opw/get/file.{b}.content"
read = "/{b}/{c}"
`))
	f.Add([]byte(`proxy = "envoy"
prefix = "/x"
service = "opw-p"
[[rule]]
path = "/"
methods = ["*"]
allow = ["usr-a"]
`))
	f.Add([]byte("rule = [{path = 1}]\n[a.b]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := ParseRules("rules.toml", text)
		if err != nil {
			assert.Nil(t, rules)
			assert.Contains(t, err.Error(), "rules.toml:")
			return
		}
		g, err := New(none{}, rules)
		assert.NoError(t, err)
		assert.NotNil(t, g)
		for _, r := range rules.rules {
			target := (&url.URL{Path: "/" + strings.TrimPrefix(exampleOf(r.pattern), "/")}).EscapedPath()
			path, why := cleanPath(target)
			assert.Empty(t, why, "no request matches %q", r.pattern.text)
			assert.NotNil(t, rules.tree.find(strings.TrimPrefix(path, "/")), target)
			_, _ = rules.Explain(r.methods[0], target)
		}
	})
}

func exampleOf(p pattern) string {
	var b strings.Builder
	p.writeExamples(&b, 0)
	return b.String()
}

// none is a verifier that is never asked.
type none struct{ macaroon.Verifier }
