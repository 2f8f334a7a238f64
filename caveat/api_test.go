package caveat_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func spec(t testing.TB, text string) caveat.MatchSpec {
	t.Helper()
	m, err := caveat.ParseMatchSpec(text)
	require.NoError(t, err)
	return m
}

func gri(t testing.TB, text string) caveat.GRI {
	t.Helper()
	g, err := caveat.ParseGRI(text)
	require.NoError(t, err)
	return g
}

func TestAPIText(t *testing.T) {
	testCanonical(t, []canonical{
		{
			text:  "api = all/get/*.*.*:*|ozw/get/user.self.instance",
			value: caveat.API{spec(t, "all/get/*.*.*:*"), spec(t, "ozw/get/user.self.instance:private")},
			print: "api = all/get/*.*.*:*|ozw/get/user.self.instance:private",
			json:  `{"type":"api","whitelist":["all/get/*.*.*:*","ozw/get/user.self.instance:private"]}`,
		},
		{
			text:  "api = opw/all/file.*.*:*|ozw/all/*.null.*,*:private",
			value: caveat.API{spec(t, "opw/all/file.*.*:*"), spec(t, "ozw/all/*.null.*,*:private")},
			json:  `{"type":"api","whitelist":["opw/all/file.*.*:*","ozw/all/*.null.*,*:private"]}`,
		},
		{
			text:  "api = ozw/get/user..",
			value: caveat.API{spec(t, "ozw/get/user..")},
			print: "api = ozw/get/user..:private",
			json:  `{"type":"api","whitelist":["ozw/get/user..:private"]}`,
		},
	})
	unknownTexts(t, "api = ", "api = ozw/get", "api = ozw/read/user.*.*", "api = ozw/get/user.*.*|",
		"api = |ozw/get/user.*.*", "api = ozw/get/user.*.*||ozw/get/user.*.*", "api != ozw/get/user.*.*", "api")
}

func TestBadMatchSpec(t *testing.T) {
	for _, text := range []string{
		"", "/", "//", "ozw", "ozw/get", "ozw/get/", "ozw/get/user", "ozw/get/user.*", "ozw/get/user.*.*.*",
		"ozw/read/user.*.*", "ozw//user.*.*", "ozw/GET/user.*.*", "ozw/*/user.*.*", "*/get/user.*.*", "/get/user.*.*",
		"oz_worker/get/user.*.*", "OZW/get/user.*.*", "xyz/get/user.*.*", "ozw/get/user.*.*/", "ozw/get/user.a/b.*",
		"ozw/get//user.*.*", "ozw/get/users.*.*", "ozw/get/user.*.*:", "ozw/get/user.*.*:x", "ozw/get/user.*.*,*,*",
		"unknown/get/user.*.*", "ozw/unknown/user.*.*",
	} {
		m, err := caveat.ParseMatchSpec(text)
		assert.ErrorIs(t, err, errors.IDBadGRI, "%q", text)
		assert.Zero(t, m)
	}
}

func TestMatchSpecMatches(t *testing.T) {
	user := gri(t, "user.u1.instance")
	for _, c := range []struct {
		spec      string
		service   caveat.ServiceType
		operation caveat.Operation
		want      bool
	}{
		{"ozw/get/user.*.*", caveat.OzWorker, caveat.Get, true},
		{"ozw/get/user.*.*", caveat.OpWorker, caveat.Get, false},
		{"ozw/get/user.*.*", caveat.OzWorker, caveat.Update, false},
		{"ozw/get/space.*.*", caveat.OzWorker, caveat.Get, false},
		{"all/get/user.*.*", caveat.OzPanel, caveat.Get, true},
		{"all/get/user.*.*", caveat.OpPanel, caveat.Get, true},
		{"ozw/all/user.*.*", caveat.OzWorker, caveat.Create, true},
		{"ozw/all/user.*.*", caveat.OzWorker, caveat.Delete, true},
		// "all" does not match an invalid service or operation.
		{"all/all/*.*.*:*", 0, caveat.Get, false},
		{"all/all/*.*.*:*", 5, caveat.Get, false},
		{"all/all/*.*.*:*", caveat.OzWorker, 0, false},
		{"all/all/*.*.*:*", caveat.OzWorker, 5, false},
	} {
		assert.Equal(t, c.want, spec(t, c.spec).Matches(c.service, c.operation, user), "%v", c)
	}
	assert.False(t, caveat.MatchSpec{}.Matches(0, 0, caveat.GRI{}), "the zero spec matches nothing")
	assert.False(t, caveat.MatchSpec{}.Matches(caveat.OzWorker, caveat.Get, user))
}

func TestOperationNames(t *testing.T) {
	for o, name := range map[caveat.Operation]string{
		caveat.Create: "create", caveat.Get: "get", caveat.Update: "update", caveat.Delete: "delete",
	} {
		assert.Equal(t, name, o.String())
		got, err := caveat.ParseOperation(name)
		require.NoError(t, err)
		assert.Equal(t, o, got)
	}
	for _, name := range []string{"", "all", "Get", "unknown"} {
		o, err := caveat.ParseOperation(name)
		require.ErrorIs(t, err, errors.IDBadValueNotAllowed)
		assert.Zero(t, o)
	}
	assert.Equal(t, "unknown", caveat.Operation(0).String())
	assert.Equal(t, "unknown", caveat.Operation(99).String())
}

func TestAPIHoldsWhenVerified(t *testing.T) {
	holds(t, true, "api = ozw/get/user.u1.instance", &caveat.Request{})
}

func TestNewAPI(t *testing.T) {
	testNew(t, []newCase{
		{caveat.API{spec(t, "all/all/*.*.*:*"), spec(t, "ozw/get/user..")}, ""},
		{caveat.API{}, "the list must not be empty"},
		{caveat.API{{}}, "every match spec must be"},
		{caveat.API{spec(t, "ozw/get/user.a|b.x")}, "every match spec must be"},
		{caveat.API{spec(t, "ozw/get/user.a\nb.x")}, "every match spec must be"},
		{caveat.API{spec(t, "ozw/get/user.\xff.x")}, "valid UTF-8"},
	})
}
