package gate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// alphabet are the names in random patterns and paths. "z" is in no pattern.
var alphabet = []string{"a", "b", "z"}

// randomPattern returns a pattern with up to four segments.
func randomPattern(t *testing.T, r *rand.Rand) pattern {
	t.Helper()
	text := ""
	for i := range r.IntN(4) {
		text += "/" + []string{"a", "b", fmt.Sprintf("{n%d}", i)}[r.IntN(3)]
	}
	if r.IntN(3) == 0 {
		text += "/{rest...}"
	}
	if text == "" {
		text = "/"
	}
	p, err := parsePattern(text)
	require.NoError(t, err)
	return p
}

// paths returns all paths of up to four names.
func paths() []string {
	all := []string{""}
	for i, from := 0, 0; i < 4; i++ {
		to := len(all)
		for _, path := range all[from:to] {
			for _, name := range alphabet {
				all = append(all, path+"/"+name)
			}
		}
		from = to
	}
	return all
}

// matches reports whether the pattern matches the path, by its definition.
func (p pattern) matches(path string) bool {
	var names []string
	if path != "" {
		names = strings.Split(path[1:], "/")
	}
	for i, s := range p.segments {
		switch {
		case s.rest:
			return true
		case i >= len(names) || s.name == "" && s.literal != names[i]:
			return false
		}
	}
	return len(names) == len(p.segments)
}

// set returns the paths that the pattern matches.
func (p pattern) set(all []string) map[string]bool {
	set := make(map[string]bool)
	for _, path := range all {
		if p.matches(path) {
			set[path] = true
		}
	}
	return set
}

func contains(larger, smaller map[string]bool) bool {
	for path := range smaller {
		if !larger[path] {
			return false
		}
	}
	return true
}

// TestOverlapIsThatOfTheSetsOfPaths compares patterns with the sets of the paths
// that they match.
func TestOverlapIsThatOfTheSetsOfPaths(t *testing.T) {
	t.Parallel()
	r, all := rand.New(rand.NewPCG(1, 2)), paths()
	overlaps := 0
	for range 3000 {
		p, q := randomPattern(t, r), randomPattern(t, r)
		ps, qs := p.set(all), q.set(all)
		common := 0
		for path := range ps {
			if qs[path] {
				common++
			}
		}
		want := common > 0 && !contains(ps, qs) && !contains(qs, ps)
		path, got := overlap(p, q)
		require.Equal(t, want, got, "%s and %s", p.text, q.text)
		if got {
			overlaps++
			require.True(t, p.matches(path) && q.matches(path), "%s and %s: %s", p.text, q.text, path)
		}
	}
	require.Greater(t, overlaps, 100)
}

// TestTheTreeFindsTheMostSpecificPattern compares the tree with a search through
// all patterns, and its unreachable patterns with those that are never found.
func TestTheTreeFindsTheMostSpecificPattern(t *testing.T) {
	t.Parallel()
	r, all := rand.New(rand.NewPCG(3, 4)), paths()
	unreachable := 0
	for range 300 {
		var patterns []pattern
		var tree node
		sets := make(map[string]map[string]bool)
	adding:
		for range 12 {
			p := randomPattern(t, r)
			for _, q := range patterns {
				if _, ambiguous := overlap(p, q); ambiguous {
					continue adding
				}
			}
			patterns, sets[p.text] = append(patterns, p), p.set(all)
			tree.add(p)
		}
		found := make(map[*methods]bool)
		for _, path := range all {
			var best *pattern
			for _, p := range patterns {
				if p.matches(path) && (best == nil || contains(sets[best.text], sets[p.text])) {
					best = &p
				}
			}
			got := tree.find(strings.TrimPrefix(path, "/"))
			if found[got] = true; best == nil {
				require.Nil(t, got, path)
				continue
			}
			require.NotNil(t, got, path)
			require.Equal(t, sets[best.text], sets[got.pattern.text], "%s: %s or %s", path, best.text, got.pattern.text)
		}
		reported := make(map[*methods]bool)
		tree.unreachable(func(m *methods) { reported[m] = true })
		for _, p := range patterns {
			m := tree.add(p)
			require.Equal(t, !found[m], reported[m], "%s among %v", p.text, patterns)
			if reported[m] {
				unreachable++
			}
		}
	}
	require.Positive(t, unreachable)
}

func TestBindCallsWithEachValue(t *testing.T) {
	t.Parallel()
	p, err := parsePattern("/a/{b}/c/{d...}")
	require.NoError(t, err)
	for path, want := range map[string]string{
		"/a/x/c":     "b=x d= ",
		"/a/x/c/y":   "b=x d=y ",
		"/a/x/c/y/z": "b=x d=y/z ",
	} {
		var got string
		p.bind(path, func(name, value string) { got += name + "=" + value + " " })
		require.Equal(t, want, got)
	}
}
