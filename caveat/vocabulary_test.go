package caveat_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestUnknownTexts(t *testing.T) {
	unknownTexts(t, "", " ", "=", " = ", "x", "x = y", "user = u1", "time\xff", "geo.country = \xff", "data.path = L3Mx\xff",
		"unknown = x", "scope = identityToken", "not a caveat", `{"type":"time","validUntil":5}`)
}

func TestParseLimitsLists(t *testing.T) {
	list := func(head, entry string, n int) string { return head + strings.Repeat(entry+"|", n-1) + entry }
	for head, entry := range map[string]string{
		"ip = ": "1.2.3.4", "asn = ": "5", "geo.country != ": "PL", "geo.region = ": "EU", "service = ": "opw-x",
		"consumer = ": "usr-x", "api = ": "ozw/get/user.*.*", "data.path = ": "L3Mx", "data.objectid = ": "00",
	} {
		text := list(head, entry, caveat.DefaultMaxEntries)
		c, err := caveat.Parse(text)
		require.NoError(t, err)
		require.NotEqual(t, caveat.TypeUnknown, c.Type())
		unknownTexts(t, text+"|"+entry)

		three := (*caveat.Vocabulary)(nil).LimitEntries(3)
		_, err = three.Parse(list(head, entry, 3))
		assert.NoError(t, err)
		_, err = three.Parse(list(head, entry, 4))
		assert.ErrorIs(t, err, errors.IDTokenCaveatUnknown)

		c, err = caveat.Parse(list(head, entry, 4))
		require.NoError(t, err)
		requireInvalid(t, three.Validate(c))
	}
}

func TestLimitEntriesBelowOne(t *testing.T) {
	for _, n := range []int{0, -1} {
		v := (*caveat.Vocabulary)(nil).LimitEntries(n)
		for _, text := range []string{"asn = 5", "time < 5", "data.readonly"} {
			c, err := v.Parse(text)
			require.NoError(t, err)
			assert.NoError(t, v.Validate(c))
		}
		_, err := v.Parse("asn = 5|6")
		assert.Error(t, err)
	}
}

func TestLimitEntriesLeavesTheVocabularyAlone(t *testing.T) {
	v := vocabulary(t, always("mine"))
	limited := v.LimitEntries(1)
	_, err := v.Parse("asn = 5|6")
	assert.NoError(t, err)
	_, err = limited.Parse("asn = 5|6")
	assert.Error(t, err)
	_, err = limited.LimitEntries(2).Parse("asn = 5|6")
	assert.NoError(t, err)
	_, err = limited.Parse("mine = a|b|c")
	assert.NoError(t, err, "a value of a kind is no list")
	made, err := limited.New("mine", "a|b|c")
	require.NoError(t, err, "nor is it one in a new token")
	assert.NoError(t, limited.Validate(made))
}

func TestValidateRejectsUnknownCaveats(t *testing.T) {
	path := caveat.DataPath{"/s1"}
	type wrapped struct{ caveat.DataPath }
	for _, c := range []caveat.Caveat{nil, caveat.Unknown("x"), caveat.Unknown(""), &path, (*caveat.DataPath)(nil), wrapped{path}} {
		e := requireInvalid(t, caveat.Validate(c))
		assert.Contains(t, e.Description, "it is not a known caveat")
	}
}

func TestValidateShowsTheCaveat(t *testing.T) {
	e := requireInvalid(t, caveat.Validate(caveat.Time{ValidUntil: -5}))
	requireDetail(t, e, caveat.Time{ValidUntil: -5})
	assert.Equal(t, "Bad value: provided caveat is not valid: validUntil must not be negative.", e.Description)
}

func TestMustParse(t *testing.T) {
	assert.Equal(t, caveat.Time{ValidUntil: 5}, caveat.MustParse("time < 5"))
	assert.Panics(t, func() { caveat.MustParse("time < +5") })
}

func TestZeroVocabularyIsTheOnezoneLanguage(t *testing.T) {
	for _, v := range []*caveat.Vocabulary{nil, {}, vocabulary(t)} {
		c, err := v.Parse("asn = 5|6")
		require.NoError(t, err)
		assert.NoError(t, v.Validate(c))
		_, err = v.New("mine", "x")
		requireInvalid(t, err)
	}
}

// Work on hostile input grows linearly: a quarter megabyte takes well below a
// second even under the race detector.
func TestHostileTextsAreCheap(t *testing.T) {
	const size = 1 << 18
	var texts []string
	for _, head := range []string{
		"", "time < ", "ip = ", "asn = ", "geo.country = ", "geo.region != ", "service = ", "consumer = ", "api = ",
		"data.path = ", "data.objectid = ", "interface = ", "mine = ",
	} {
		for _, filler := range []string{"|", " ", "0", "9", "a", "/", ".", "opw-|", "usr-x|", "1.2.3.4|", "L3Mx|", "ozw/get/user.*.*|", "\xff", "23"} {
			texts = append(texts, head+strings.Repeat(filler, size/len(filler)))
		}
	}
	v := vocabulary(t, always("mine"))
	for _, text := range texts {
		start := time.Now()
		c, err := v.Parse(text)
		if err == nil {
			_ = v.Validate(c)
		}
		_, _ = caveat.ParseObjectID(text)
		_, _ = caveat.ParseGUID(text)
		_, _ = caveat.ParseGRI(text)
		require.Less(t, time.Since(start), 5*time.Second, "%.40q", text)
	}
}

func TestHostileListsAreCheap(t *testing.T) {
	var paths caveat.DataPath
	var ids caveat.DataObjectID
	for range caveat.DefaultMaxEntries {
		paths = append(paths, "/"+strings.Repeat("x", 8))
		ids = append(ids, objectID(t, "uuid", "space", ""))
	}
	cs := make([]caveat.Caveat, 0, 64)
	for range 32 {
		cs = append(cs, paths, ids)
	}
	file := caveat.File{Path: "/xxxxxxxx/y", ObjectIDs: append(ids, objectID(t, "other", "space", ""))}
	spaces := make([]string, 10_000)
	for i := range spaces {
		spaces[i] = strings.Repeat("y", i%100)
	}
	start := time.Now()
	assert.NoError(t, caveat.CheckFile(cs, file, caveat.Read))
	assert.Error(t, caveat.CheckFile(cs, caveat.File{Path: "/xxxxxxxx/y", ObjectIDs: file.ObjectIDs[len(ids):]}, caveat.Read))
	assert.Empty(t, caveat.AvailableSpaces(cs, spaces))
	_, _ = caveat.OfflineAccess(cs, "p", 5)
	assert.Less(t, time.Since(start), 20*time.Second)
}

// roundTrips asserts that the caveat survives its text and its object form.
func roundTrips(t *testing.T, v *caveat.Vocabulary, c caveat.Caveat) {
	t.Helper()
	text := c.String()
	back, err := v.Parse(text)
	require.NoError(t, err, "%q", text)
	require.Equal(t, c, back)
	require.Equal(t, text, back.String())
	raw, err := json.Marshal(c)
	require.NoError(t, err)
	read, err := v.FromJSON(raw)
	require.NoError(t, err, "%s", raw)
	require.Equal(t, c, read)
	require.Equal(t, text, read.String())
}

func TestNewCaveatsRoundTrip(t *testing.T) {
	v := vocabulary(t, projectKind)
	project, err := v.New("project", "42")
	require.NoError(t, err)
	accepted := 0
	try := func(c caveat.Caveat) {
		if v.Validate(c) == nil {
			accepted++
			roundTrips(t, v, c)
		}
	}
	try(project)
	for i := range caveat.Interface(6) {
		try(i)
	}
	try(caveat.IdentityOnly{})
	try(caveat.DataReadonly{})
	require.Equal(t, 6, accepted)

	// Every list is tried with strings that are almost valid for its type.
	parts := []string{"", "a", "PL", "EU", "|", "/", "*", " ", "\n", "\xff", "\uFFFD", "ż", "<&>", "\"", "\\", "\u2028", "/s", "/s/..", "000000000010DB4967756964237575696423737061636531"}
	check := func(pick []uint8, n uint32, t64 int64) bool {
		var list []string
		for _, p := range pick[:min(len(pick), 3)] {
			list = append(list, parts[int(p)%len(parts)]+parts[int(p>>4)%len(parts)])
		}
		try(caveat.Time{ValidUntil: t64})
		try(caveat.ASN{n})
		ip := caveat.IP{netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n), byte(n >> 8), 1, 2}), int(n%40))}
		try(ip)
		for filter := range caveat.Filter(3) {
			try(caveat.Country{Filter: filter, List: list})
			try(caveat.Region{Filter: filter, List: list})
		}
		var services caveat.Services
		var consumers caveat.Consumers
		var api caveat.API
		for i, id := range list {
			services = append(services, caveat.Service{Type: caveat.ServiceType(i + int(n%4)), ID: id})
			consumers = append(consumers, caveat.Subject{Type: caveat.SubjectType(i + int(n%4)), ID: id})
			if m, err := caveat.ParseMatchSpec("opw/all/file." + id + ".x"); err == nil {
				api = append(api, m)
			}
		}
		try(services)
		try(consumers)
		try(api)
		try(caveat.DataPath(list))
		try(caveat.DataObjectID(list))
		if c, err := v.New("project", strings.Join(list, "")); err == nil {
			try(c)
		}
		return true
	}
	require.NoError(t, quick.Check(check, &quick.Config{MaxCount: 2000}))
	require.Greater(t, accepted, 2000, "most were refused: the property was hardly tried")
}

func TestTypesAreACopy(t *testing.T) {
	types := caveat.Types()
	assert.Len(t, types, 13)
	types[0] = "x"
	assert.Equal(t, caveat.TypeTime, caveat.Types()[0])
	assert.False(t, reflect.DeepEqual(types, caveat.Types()))
}
