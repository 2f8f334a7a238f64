package caveat_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/onezone-go/onezone/caveat"
)

func TestAvailableSpaces(t *testing.T) {
	ids := func(ids ...string) []string { return append([]string{}, ids...) }
	path := func(paths ...string) caveat.Caveat { return caveat.DataPath(paths) }
	for _, c := range []struct {
		name         string
		caveats      []caveat.Caveat
		spaces, want []string
	}{
		{"no caveats", nil, ids("s2", "s1"), ids("s2", "s1")},
		{"no spaces", nil, nil, ids()},
		{"others do not count", parseAll(t, "time < 5", "service = opw-x", "interface = rest"), ids("s1"), ids("s1")},
		{"readonly leaves all", parseAll(t, "data.readonly", "interface = oneclient"), ids("s2", "s1"), ids("s2", "s1")},
		{"a path", []caveat.Caveat{path("/s1/a", "/s3")}, ids("s1", "s2"), ids("s1")},
		{"sorted and once", []caveat.Caveat{path("/s3", "/s1/a", "/s1/b")}, ids("s3", "s2", "s1", "s1"), ids("s1", "s3")},
		{"out of all", []caveat.Caveat{path("/s3/a", "/s1", "/s1")}, ids("*"), ids("s1", "s3")},
		{"of all, all", []caveat.Caveat{caveat.DataReadonly{}}, ids("*"), ids("*")},
		{"two paths", []caveat.Caveat{path("/s1", "/s2"), path("/s2", "/s3")}, ids("*"), ids("s2")},
		{"two apart", []caveat.Caveat{path("/s1"), path("/s2")}, ids("*"), ids()},
		{"a star alone", []caveat.Caveat{path("/*/x")}, ids("s1", "s2"), ids("s1", "s2")},
		{"a star among others", []caveat.Caveat{path("/*/x", "/s2")}, ids("s1", "s2"), ids("s2")},
		{"objects", parseAll(t, "data.objectid = 000000000010DB4967756964237575696423737061636531|zz"), ids("space1", "s2"), ids("space1")},
		{"undecodable", parseAll(t, "data.objectid = zz"), ids("*"), ids()},
		{"unknown", []caveat.Caveat{caveat.Unknown("x")}, ids("*"), ids()},
		{"unknown, of some", []caveat.Caveat{caveat.Unknown("x")}, ids("s1"), ids()},
		{"nil", []caveat.Caveat{nil}, ids("s1"), ids()},
		{"a pointer", []caveat.Caveat{&caveat.DataPath{"/s1"}}, ids("s1", "s2"), ids()},
	} {
		before := ids(c.spaces...)
		got := caveat.AvailableSpaces(c.caveats, c.spaces)
		assert.Equal(t, c.want, got, c.name)
		clear(got)
		assert.Equal(t, before, ids(c.spaces...), "%s: the argument is left as it is", c.name)
	}
}

func TestAllowedServiceIDs(t *testing.T) {
	ids := func(ids ...string) []string { return append([]string{}, ids...) }
	for _, c := range []struct {
		name      string
		caveats   []caveat.Caveat
		ids, want []string
	}{
		{"no caveats", nil, ids("p2", "p1"), ids("p2", "p1")},
		{"others do not count", parseAll(t, "data.path = L3Mx", "consumer = prv-p3"), ids("p1"), ids("p1")},
		{"listed", parseAll(t, "service = opw-p1|opw-p3|opp-p2"), ids("p1", "p2"), ids("p1")},
		{"out of all", parseAll(t, "service = opw-p3|opw-p1|opw-p1"), ids("*"), ids("p1", "p3")},
		{"all of the type", parseAll(t, "service = opw-p1|opw-*"), ids("p2", "p1"), ids("p2", "p1")},
		{"all of another type", parseAll(t, "service = opp-*"), ids("p2", "p1"), ids()},
		{"another type, of all", parseAll(t, "service = opp-*|ozw-onezone"), ids("*"), ids()},
		{"several intersect", parseAll(t, "service = opw-p1|opw-p2", "service = opw-*", "service = opw-p2|opw-p3"), ids("*"), ids("p2")},
		{"unknown", []caveat.Caveat{caveat.Unknown("x")}, ids("*"), ids()},
		{"a pointer", []caveat.Caveat{&caveat.Services{{Type: caveat.OpWorker, ID: "*"}}}, ids("p1"), ids()},
	} {
		before := ids(c.ids...)
		got := caveat.AllowedServiceIDs(c.caveats, caveat.OpWorker, c.ids)
		assert.Equal(t, c.want, got, c.name)
		clear(got)
		assert.Equal(t, before, ids(c.ids...), "%s: the argument is left as it is", c.name)
	}
}
