package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheTableMissesNothingThatItNames(t *testing.T) {
	t.Parallel()
	names := map[string]bool{"": true, "stored/10": true, "stored/1000000": true, "distinct/recognition": true, "distinct/none": true,
		"one token, cores/2": true, "many tokens, cores/2": true}
	for _, c := range slices.Concat(comparison(), formats(), discharges(), growth(), remoteVerification(), cores()) {
		names[c.name] = true
	}
	for _, r := range rows() {
		assert.True(t, names[r.name], r.name)
		assert.True(t, names[r.over], r.over)
		assert.True(t, names[r.under], r.under)
		assert.Equal(t, r.over == "", r.under == "", r.what)
	}
}

func TestTheTableMarksMissedTargets(t *testing.T) {
	t.Parallel()
	m := measurements{
		"ours":   {ns: []float64{100, 300, 200}, allocs: 9},
		"theirs": {ns: []float64{250, 400, 400}, allocs: 50},
	}
	for what, test := range map[string]struct {
		row  row
		want string
	}{
		"no target":        {row{over: "ours", under: "theirs"}, "| ours | 200 | 9 | 0.50 |  |\n"},
		"not over":         {row{over: "ours", under: "theirs", most: 0.5}, "| ours | 200 | 9 | 0.50 | <= 0.50 |\n"},
		"over":             {row{over: "ours", under: "theirs", most: 0.4}, "| ours | 200 | 9 | 0.50 | <= 0.40 **missed** |\n"},
		"many times":       {row{over: "theirs", under: "ours", times: 10, most: 0.25}, "| ours | 200 | 9 | 0.20 | <= 0.25 |\n"},
		"enough":           {row{over: "theirs", under: "ours", least: 2}, "| ours | 200 | 9 | 2.00 | >= 2.00 |\n"},
		"too little":       {row{over: "theirs", under: "ours", least: 2.1}, "| ours | 200 | 9 | 2.00 | >= 2.10 **missed** |\n"},
		"few allocations":  {row{maxAllocs: 9}, "| ours | 200 | 9 |  | <= 9 allocs |\n"},
		"many allocations": {row{maxAllocs: 8}, "| ours | 200 | 9 |  | <= 8 allocs **missed** |\n"},
	} {
		test.row.what, test.row.name = "ours", "ours"
		text, missed := m.table([]row{test.row})
		assert.Equal(t, "| what | ns/op | allocs/op | ratio | target |\n| --- | ---: | ---: | ---: | --- |\n"+test.want, text, what)
		assert.Equal(t, what == "over" || what == "too little" || what == "many allocations", missed == 1, what)
	}
	_, missed := m.table([]row{{name: "not measured", maxAllocs: 1}})
	assert.Zero(t, missed)
}

func TestMedian(t *testing.T) {
	t.Parallel()
	assert.InDelta(t, 2.0, median([]float64{3, 1, 2}), 0)
	assert.InDelta(t, 2.5, median([]float64{4, 1, 2, 3}), 0)
	assert.InDelta(t, 7.0, median([]float64{7}), 0)
}

// A benchmark whose operations fail must not appear fast.
func TestFailedOperationsAreNotMeasured(t *testing.T) {
	s, text := caveated(1)
	c, err := chainOf(workload)
	assert.NoError(t, err)
	c.signature[0] ^= 1
	broken := peer{
		mint:   func(claims) (string, error) { return "text", nil },
		verify: func(string, use) (string, error) { return "", errForbidden },
	}
	for what, run := range map[string]func(b *testing.B){
		"loop":      func(b *testing.B) { s.loop(b, text, text[1:]) },
		"on a core": func(b *testing.B) { s.loopOn(b, 1, text[1:]) },
		"peer":      broken.benchVerify,
		"chain":     c.bench,
	} {
		assert.Panics(t, func() { measurements{}.measure(1, []contender{{what, run}}) }, what)
	}
}
