package caveat_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// A text is decided about as the caveat that it is, whichever of the two ways
// the decision takes.
func TestCheckTextIsParseAndCheck(t *testing.T) {
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

func TestCheckTextAsksWhatTheTokenSupports(t *testing.T) {
	t.Parallel()
	req := caveat.Request{Now: now, IP: netip.MustParseAddr("10.1.2.3"), Interface: caveat.REST}
	for _, c := range []struct {
		typ                  caveat.Type
		good, bad, malformed string
	}{
		{caveat.TypeTime, "time < 1600000001", "time < 1600000000", "time < 01"},
		{caveat.TypeIP, "ip = 10.0.0.0/8", "ip = 11.0.0.0/8", "ip = 10.0.0.0/8|"},
		{caveat.TypeInterface, "interface = rest", "interface = oneclient", "interface = gui"},
		{caveat.TypeAPI, "api = ozw/all/*.*.*:*", "", "api = x"},
	} {
		none := func(asked caveat.Type) bool { return asked != c.typ }
		check := func(text string, r caveat.Request) error { return caveat.CheckText(t.Context(), text, &r, none) }
		ignoring := req
		ignoring.Ignored = []caveat.Type{c.typ}

		assert.NoError(t, caveat.CheckText(t.Context(), c.good, &req, nil), c.good)
		requireUnverified(t, check(c.good, req), caveat.MustParse(c.good))
		requireUnverified(t, check(c.good, ignoring), caveat.MustParse(c.good))
		assert.ErrorIs(t, caveat.CheckText(t.Context(), c.malformed, &ignoring, nil), errors.IDTokenCaveatUnknown)
		if c.bad != "" {
			requireUnverified(t, caveat.CheckText(t.Context(), c.bad, &req, nil), caveat.MustParse(c.bad))
			assert.NoError(t, caveat.CheckText(t.Context(), c.bad, &ignoring, nil), "it is ignored")
		}
	}
}

func TestCheckTextSparesMemory(t *testing.T) {
	req := caveat.Request{Now: now, IP: netip.MustParseAddr("10.1.2.3"), Interface: caveat.REST}
	for _, text := range []string{"time < 1600000001", "ip = 1.2.3.4|5.6.7.0/24|9.9.9.9|10.0.0.0/8", "interface = rest"} {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if caveat.CheckText(t.Context(), text, &req, nil) != nil {
				panic(text)
			}
		}), text)
	}
	long := "ip = " + strings.Repeat("1.2.3.4|", 4000) + "10.0.0.0/8"
	require.NoError(t, caveat.CheckText(t.Context(), long, &req, nil))
}
