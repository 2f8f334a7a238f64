//go:build e2e

package page_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
)

// furnish issues tokens in every state.
func (z *zone) furnish(t testing.TB) (first string) {
	t.Helper()
	now := z.Now()
	day := 24 * time.Hour
	laptop := z.issue(t, "Laptop backup", caveat.Until(now.Add(90*day)), caveat.MustParse("ip = 192.0.2.0/24"), caveat.REST)
	z.issue(t, "CI pipeline", caveat.Until(now.Add(3*day)), caveat.MustParse("service = ozw-onezone"))
	z.issue(t, "Old notebook", caveat.Until(now.Add(-10*day)))
	z.issue(t, "Everything for ever")
	z.issue(t, "Żółw שלום")
	lost := z.issue(t, "Lost phone", caveat.Until(now.Add(30*day)))
	require.NoError(t, z.Revoke(t.Context(), lost.ID()))
	return laptop.ID()
}

// axeScript is the source of axe-core, which .ci/packages puts into the cache.
var axeScript = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(filepath.Join(cache, "onezone-tests", "axe-core-4.14.1.js"))
	return string(data), err
})

// accessible asserts that axe-core finds no fault in what the page shows.
func (b *tab) accessible() {
	b.Helper()
	script, err := axeScript()
	if err != nil {
		text := "axe-core is missing: run .ci/packages: " + err.Error()
		if os.Getenv("CI") != "" {
			b.Fatal(text)
		}
		b.Skip(text)
	}
	evaluate[any](b, script+";0")
	found := evaluate[[]string](b, `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations']})
		.then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.impact + ' ' + v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary)))`)
	require.Empty(b, found)
}

// Every view fits every size, and axe-core finds no fault in it.
func TestLooks(t *testing.T) {
	for name, l := range looks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := newZone(t, "")
			id := z.furnish(t)
			b := newTab(t, z.url, l)
			b.sees("Log in")
			b.accessible()
			b.shoot("login")
			b.logIn(username, password)
			for _, v := range []struct{ path, text string }{
				{"tokens", "6 of 6 tokens"}, {"tokens/" + id, "When it works"}, {"create", "Onezone REST"},
				{"create/oneclient-in-oneprovider", "Only where"}, {"create/invite-user-to-space", "Privileges"},
				{"examine", "Paste a token"}, {"account", "Temporary tokens"},
			} {
				b.goTo(v.path)
				b.sees(v.text)
				if name == "1440-light" || name == "390-dark" { // each color and each layout once
					b.accessible()
				}
				b.shoot(strings.Replace(v.path, id, "one", 1))
				require.False(t, evaluate[bool](b, `document.documentElement.scrollWidth > innerWidth`), "%s is wider than the window", v.path)
			}
		})
	}
}
