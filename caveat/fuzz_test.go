package caveat_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// addSeeds adds the seeds of a fuzz target, which must not be empty.
func addSeeds(f *testing.F, seeds ...string) {
	f.Helper()
	require.Greater(f, len(seeds), 10, "too few seeds")
	for _, seed := range seeds {
		f.Add(seed)
	}
}

// textSeeds are one text of every type, and some invalid ones.
var textSeeds = slices.Concat(samples, []string{
	"", "time < 005", "time < 9223372036854775808", "ip = 189.34.15.0/8|127.0.0.0/24|167.73.12.17", "ip = 1.2.3.4//8",
	"asn = 322|64", "geo.country = PL|", "geo.country != |", "geo.region != Asia|EU", "service = ozw-onezone|opp-*|opw-",
	"consumer = usr-a|grp-*|prv-p|nobody", "interface = gui", "api = all/get/*.*.*:*|ozw/get/user.self.instance",
	"api = opw/all/file.*.*:*|ozw/all/*.null.*,*:private", "data.path = L3NwYWNlL3BhdGg=|L3NwMg==", "data.path = L3 Mx||", "data.path = \n",
	"data.path = L3MxLy4u", "data.objectid = zz|", "data.readonly ", "project = 42", "project = x", "free = a|b",
	"service = opw-\uFFFD", "consumer = usr-\xff",
})

func FuzzParse(f *testing.F) {
	addSeeds(f, textSeeds...)
	v := vocabulary(f, projectKind, always("free"))
	f.Fuzz(func(t *testing.T, text string) {
		req := caveat.Request{Now: now, IP: netip.MustParseAddr("189.34.15.0"), Interface: caveat.Oneclient, Vocabulary: v}
		c, err := v.Parse(text)
		if err != nil {
			require.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
			require.Equal(t, caveat.Unknown(text), c)
			requireSameText(t, err, text, &req)
			return
		}
		requireSameText(t, caveat.Check(t.Context(), c, &req), text, &req)
		printed := c.String()
		again, err := v.Parse(printed)
		require.NoError(t, err, "%q", printed)
		require.Equal(t, c, again)
		require.Equal(t, printed, again.String())
		if v.Validate(c) == nil {
			roundTrips(t, v, c)
		}
		usesEverywhere(t, c)
	})
}

// usesEverywhere passes the caveat to every function that takes one.
func usesEverywhere(t *testing.T, c caveat.Caveat) {
	t.Helper()
	cs := []caveat.Caveat{c}
	_ = caveat.Check(t.Context(), c, &caveat.Request{Now: now})
	_ = caveat.CheckFile(cs, caveat.File{Path: "/s1/a", ObjectIDs: []string{"00"}}, caveat.Read)
	_ = caveat.Authorize(cs, caveat.OpWorker, caveat.Get, caveat.GRI{Type: "file", ID: "f", Aspect: "x", Scope: "private"})
	caveat.AvailableSpaces(cs, []string{"s1"})
	caveat.AllowedServiceIDs(cs, caveat.OpWorker, []string{"p1"})
	assert.GreaterOrEqual(t, len(offline(t, cs, "p1", 5)), 4)
	assert.ErrorIs(t, caveat.Unverified(c), errors.IDTokenCaveatUnverified)
}

func FuzzFromJSON(f *testing.F) {
	var seeds []string
	for _, c := range parseAll(f, samples...) {
		raw, err := c.MarshalJSON()
		require.NoError(f, err)
		seeds = append(seeds, string(raw))
	}
	addSeeds(f, append(seeds,
		`{"type":"project","value":"42"}`, `{"type":"free","value":"a|b"}`, `{"type":"time","validUntil":-1}`,
		`{"type":"service","whitelist":["opw-x"],"scope":"identityToken"}`, `{"type":"consumer","whitelist":["usr-\ud800"]}`,
		`{"type":"unknown","text":"x"}`, `null`, `[]`, `"time < 5"`, `{`, ``)...)
	v := vocabulary(f, projectKind, always("free"))
	f.Fuzz(func(t *testing.T, data string) {
		c, err := v.FromJSON([]byte(data))
		if err != nil {
			require.Nil(t, c)
			require.ErrorIs(t, err, errors.IDBadValueCaveat)
			return
		}
		require.NoError(t, v.Validate(c))
		roundTrips(t, v, c)
	})
}

func FuzzGRI(f *testing.F) {
	addSeeds(f, "user.u1.instance:private", "user.u1.instance", "user.null.list", "user.self.instance:auto", "user..",
		"space.s1.user,u1:shared", "*.*.*:*", "user.*.*,*", "user.u1.a.b", "user.u1.a:b:c", "user.u1.a,b,c", "od_user.u1.a",
		"user.u1.instance:", "file.a:b/c.x:public", "")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := caveat.ParseGRI(text)
		m, specErr := caveat.ParseMatchSpec("all/all/" + text)
		if specErr == nil {
			again, err := caveat.ParseMatchSpec(m.String())
			require.NoError(t, err)
			require.Equal(t, m, again)
		}
		if err != nil {
			require.ErrorIs(t, err, errors.IDBadGRI)
			require.Zero(t, g)
			return
		}
		again, err := caveat.ParseGRI(g.String())
		require.NoError(t, err)
		require.Equal(t, g, again)
		require.NoError(t, caveat.Authorize(nil, caveat.OzWorker, caveat.Get, g))
		require.True(t, spec(t, "all/all/*.*.*:*").Matches(caveat.OzWorker, caveat.Get, g))
		if specErr == nil {
			require.True(t, m.Matches(caveat.OzWorker, caveat.Get, g), "a GRI matches itself")
		}
	})
}

func FuzzObjectID(f *testing.F) {
	addSeeds(f, "000000000010DB4967756964237575696423737061636531", "000000000010db4967756964237575696423737061636531",
		"00000000001C955F73686172654775696423757569642373706163653223736861726531", "0000000000000000", "00", "0", "zz", "",
		"0000000000000000677569642323", "01000000000000006775696423752373", "Z3VpZCN1dWlkI3NwYWNlMQ", "Z3Vp\nZCN1dWlkI3NwYWNlMQ")
	f.Fuzz(func(t *testing.T, text string) {
		if file, err := caveat.ParseGUID(text); err == nil {
			require.Equal(t, text, file.GUID(), "a guid has one spelling")
		}
		file, err := caveat.ParseObjectID(text)
		if err != nil {
			require.ErrorIs(t, err, errors.IDBadData)
			require.Zero(t, file)
			return
		}
		back, err := caveat.ParseGUID(file.GUID())
		require.NoError(t, err)
		require.Equal(t, file, back)
		if id, err := file.ObjectID(); err == nil {
			back, err := caveat.ParseObjectID(id)
			require.NoError(t, err)
			require.Equal(t, file, back)
		}
	})
}
