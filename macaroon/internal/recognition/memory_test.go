package recognition

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// remember presents a text as often as it takes to be added, with its value.
func remember(m *Memory[string], text string) {
	for range 2 {
		if p := m.Present(text); m.Find(p) == nil && m.ShouldAdd(p) {
			m.Add(p, len(text), func(v *string) { *v = "value of " + text })
		}
	}
}

// entries returns the number of entries and their size in bytes.
func (m *Memory[V]) entries() (n, bytes int) {
	for _, set := range m.sets {
		for i := range set {
			if e := set[i].entry.Load(); e != nil {
				n++
				bytes += e.size
			}
		}
	}
	return n, bytes
}

func TestTheMemoryIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ entries, bytes int }{
		"by entries": {16, 1 << 30}, "by bytes": {1000, 20_000}, "to one": {1, 1 << 30}, "to less than one": {8, 10}, "to an odd number": {21, 1 << 30},
	} {
		m := New[string](c.entries, c.bytes)
		most := 0
		for i := range 1000 {
			remember(m, fmt.Sprintf("text %d", i))
			n, bytes := m.entries()
			require.LessOrEqual(t, n, c.entries, name)
			require.LessOrEqual(t, bytes, c.bytes, name)
			require.Equal(t, bytes, m.bytes, "%s: the books are wrong", name)
			most = max(most, n)
		}
		require.Equal(t, c.bytes > 1000, most > 0, name)
	}
	require.Nil(t, New[string](0, 1))
	require.Nil(t, New[string](1, 0))
}

func TestTheWholeTextIsCompared(t *testing.T) {
	t.Parallel()
	m := New[string](16, 1<<20)
	text := strings.Repeat("text", 20)
	remember(m, text)
	p := m.Present(text)
	require.Equal(t, "value of "+text, *m.Find(p))
	for _, other := range []string{text[:len(text)-1] + "_", "_" + text[1:], text[:len(text)-1], text + "A", text[:40], ""} {
		collision := p
		collision.text = other
		require.Nil(t, m.Find(collision), "an equal hash is no equal text")
	}
}

func TestATextIsAddedTheSecondTime(t *testing.T) {
	t.Parallel()
	m := New[string](16, 1<<20)
	p := m.Present("text")
	require.False(t, m.ShouldAdd(p))
	require.True(t, m.ShouldAdd(p))
	long := m.Present(strings.Repeat("x", maxText+1))
	for range 3 {
		require.False(t, m.ShouldAdd(long))
	}
	m.Add(long, 1, func(*string) { t.Error("a long text is added") })
	require.Nil(t, m.Find(long))
}

func TestRemovedValuesAreForgotten(t *testing.T) {
	t.Parallel()
	m := New[string](16, 1<<20)
	remember(m, "a")
	remember(m, "b")
	before := m.Present("c")
	m.Remove(func(v *string) bool { return *v == "value of a" })
	require.Nil(t, m.Find(m.Present("a")))
	require.NotNil(t, m.Find(m.Present("b")))
	m.Add(before, 1, func(*string) {})
	require.Nil(t, m.Find(m.Present("c")), "a text that was presented before the removal")
}

func TestNoMemoryRemembersNothing(t *testing.T) {
	t.Parallel()
	var m *Memory[string]
	remember(m, "text")
	require.Nil(t, m.Find(m.Present("text")))
	m.Remove(func(*string) bool { return true })
}

func TestTheMemoryPrintsNothing(t *testing.T) {
	t.Parallel()
	m := New[string](16, 1<<20)
	remember(m, "credential")
	p := m.Present("credential")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		printed := fmt.Sprintf(verb+verb, m, p)
		require.NotContains(t, printed, "credential")
		require.NotContains(t, printed, fmt.Sprintf("%x", "credential"))
	}
}
