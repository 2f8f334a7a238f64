package caveat_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// A list decides a text like Parse and Check.
func TestListDecidesLikeParseAndCheck(t *testing.T) {
	t.Parallel()
	v := vocabulary(t, projectKind, always("free"))
	texts := append(slices.Clone(textSeeds),
		"time < 1600000000", "time < 1600000001", "time < -1", "time < +5", "time <1600000001", "time  < 1600000001", "Time < 1600000001",
		"ip = 10.1.2.3", "ip = 10.0.0.0/8", "ip = 10.0.0.0/8|", "ip = 10.0.0.0/8|x", "ip = 10.0.0.0/33", "ip =10.0.0.0/8", "ip = ",
		"ip = 1.1.1.1|2.2.2.2|3.3.3.3|10.0.0.0/8", "ip = 1.1.1.1|2.2.2.2|3.3.3.3|4.4.4.4|10.0.0.0/8", "ip = 10.0.0.0/8|1.1.1.1|2.2.2.2|3.3.3.3|x",
		"interface = rest", "interface = REST", "interface =rest", "interface = rest ", "interface = ", "interface = oneclient",
	)
	requests := map[string]*caveat.Request{
		"nil":   nil,
		"zero":  {},
		"plain": {Now: now, IP: netip.MustParseAddr("10.1.2.3"), Interface: caveat.REST},
		"other": {Now: now.Add(1), IP: netip.MustParseAddr("189.34.15.0"), Interface: caveat.Oneclient, Vocabulary: v, DataAccess: true},
		"six":   {Now: now, IP: netip.MustParseAddr("::ffff:10.1.2.3"), Vocabulary: v.LimitEntries(3)},
		"few":   {Now: now, IP: netip.MustParseAddr("10.1.2.3"), Vocabulary: v.LimitEntries(1)},
		"many":  {Now: now, IP: netip.MustParseAddr("10.1.2.3"), Vocabulary: v.LimitEntries(9)},
	}
	held := 0
	for name, req := range requests {
		for _, text := range texts {
			var language *caveat.Vocabulary
			if req != nil {
				language = req.Vocabulary
			}
			c, want := language.Parse(text)
			if want == nil {
				want = caveat.Check(t.Context(), c, req)
			}
			if want == nil {
				held++
			}
			t.Run(fmt.Sprintf("%s/%.60q", name, text), func(t *testing.T) { requireSameText(t, want, text, req) })
		}
	}
	assert.Greater(t, held, 40, "too few of them hold to tell the ways apart")
}

func TestListRefusesWhatTheUseDoesNotSupport(t *testing.T) {
	t.Parallel()
	req := caveat.Request{Now: now, IP: netip.MustParseAddr("10.1.2.3"), Interface: caveat.REST}
	for _, c := range []struct {
		typ                  caveat.Type
		use                  caveat.Use // supports it
		other                caveat.Use // does not
		good, bad, malformed string
	}{
		{caveat.TypeTime, caveat.UseInvite, 0, "time < 1600000001", "time < 1600000000", "time < 01"},
		{caveat.TypeIP, caveat.UseIdentity, 0, "ip = 10.0.0.0/8", "ip = 11.0.0.0/8", "ip = 10.0.0.0/8|"},
		{caveat.TypeInterface, caveat.UseAccess, caveat.UseInvite, "interface = rest", "interface = oneclient", "interface = gui"},
		{caveat.TypeAPI, caveat.UseAccess, caveat.UseIdentity, "api = ozw/all/*.*.*:*", "", "api = x"},
	} {
		check := func(text string, use caveat.Use, r caveat.Request) error {
			list := (*caveat.Vocabulary)(nil).ParseList([]string{"time < 1600000001", text})
			index, err := list.Check(t.Context(), use, &r)
			if err == nil {
				assert.Equal(t, -1, index)
			} else if use == c.use {
				assert.Equal(t, 1, index)
			}
			return err
		}
		ignoring := req
		ignoring.Ignored = []caveat.Type{c.typ}

		assert.NoError(t, check(c.good, c.use, req), c.good)
		if c.other != 0 {
			requireUnverified(t, check(c.good, c.other, req), caveat.MustParse(c.good))
			requireUnverified(t, check(c.good, c.other, ignoring), caveat.MustParse(c.good))
		}
		assert.ErrorIs(t, check(c.malformed, c.use, ignoring), errors.IDTokenCaveatUnknown)
		if c.bad != "" {
			requireUnverified(t, check(c.bad, c.use, req), caveat.MustParse(c.bad))
			assert.NoError(t, check(c.bad, c.use, ignoring), "it is ignored")
		}
	}
}

func TestSupportMatrix(t *testing.T) {
	t.Parallel()
	all := []caveat.Use{caveat.UseAccess, caveat.UseAccessAsIdentity, caveat.UseIdentity, caveat.UseInvite}
	access := all[:1]
	want := map[caveat.Type][]caveat.Use{
		caveat.TypeTime: all, caveat.TypeIP: all, caveat.TypeASN: all, caveat.TypeCountry: all, caveat.TypeRegion: all,
		caveat.TypeIdentityOnly: {caveat.UseAccessAsIdentity}, caveat.TypeService: access, caveat.TypeConsumer: all,
		caveat.TypeInterface: all[:3], caveat.TypeAPI: access,
		caveat.TypeDataReadonly: access, caveat.TypeDataPath: access, caveat.TypeDataObjectID: access,
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(want)), caveat.Types())
	for typ, uses := range want {
		for _, use := range append([]caveat.Use{0}, all...) {
			assert.Equal(t, slices.Contains(uses, use), typ.SupportedBy(use), "%s in use %d", typ, use)
		}
	}
	assert.True(t, caveat.Type("project").SupportedBy(caveat.UseInvite), "an application's")
}

func TestCheckingAListTakesNoMemory(t *testing.T) {
	req := caveat.Request{Now: now, IP: netip.MustParseAddr("10.1.2.3"), Interface: caveat.REST}
	list := (*caveat.Vocabulary)(nil).ParseList([]string{
		"time < 1600000001", "ip = " + strings.Repeat("1.2.3.4|", 4000) + "10.0.0.0/8", "interface = rest",
	})
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := list.Check(t.Context(), caveat.UseAccess, &req); err != nil {
			panic(err)
		}
	}))
}

func TestListHandsOutCopies(t *testing.T) {
	t.Parallel()
	list := (*caveat.Vocabulary)(nil).ParseList([]string{"ip = 10.0.0.0/8", "moon = full"})
	require.Equal(t, 2, list.Len())
	masks := list.Caveats()[0].(caveat.IP)
	masks[0] = netip.MustParsePrefix("0.0.0.0/0")
	index, err := list.Check(t.Context(), caveat.UseAccess, &caveat.Request{IP: netip.MustParseAddr("1.2.3.4")})
	assert.Zero(t, index)
	requireUnverified(t, err, caveat.MustParse("ip = 10.0.0.0/8"))
	index, err = list.Check(t.Context(), caveat.UseAccess, &caveat.Request{IP: netip.MustParseAddr("10.2.3.4")})
	assert.Equal(t, 1, index)
	assert.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
}
