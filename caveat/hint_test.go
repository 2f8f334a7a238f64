package caveat_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
)

// Errors about bad caveats show the form of the kind that the client named, or
// list the known kinds.
func TestErrorOfABadCaveatShowsTheFormOfItsKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, form string }{
		{"time < 5.0", `time < SECONDS`},
		{"ip = 1.2.3", `ip = A.B.C.D/LENGTH|...`},
		{"ip=10.0.0.0/8", `ip = A.B.C.D/LENGTH|...`},
		{"time<1700000000", `time < SECONDS`},
		{"geo.country!=PL", `geo.country = CODE|..., or != for all others`},
		{"asn = x", `asn = NUMBER|...`},
		{"geo.country =", `geo.country = CODE|..., or != for all others`},
		{"geo.region =", `geo.region = NAME|..., or != for all others`},
		{"authorization = all", `authorization = none`},
		{"service = ozw", `service = opw-ID|...`},
		{"consumer = root", `consumer = usr-ID|...`},
		{"interface = gui", `interface = rest, oneclient or graphsync`},
		{"api = ozw/get", `api = SERVICE/OPERATION/GRI|...`},
		{"data.readonly ", `data.readonly`},
		{"data.path = a", `data.path = BASE64|...`},
		{"data.objectid =", `data.objectid = ID|...`},
	} {
		unknown, err := caveat.Parse(c.text)
		require.Error(t, err, c.text)
		description := requireInvalid(t, caveat.Validate(unknown)).Description
		assert.Equal(t, "Bad value: provided caveat is not valid: it is not a known caveat; its kind has the form "+c.form+".", description)
	}
	for _, c := range []struct{ object, form string }{
		{`{"type":"time"}`, `{"type":"time","validUntil":SECONDS}`},
		{`{"type":"time","validUntil":"x"}`, `{"type":"time","validUntil":SECONDS}`},
		{`{"type":"ip","whitelist":["x"]}`, `{"type":"ip","whitelist":["A.B.C.D/LENGTH",...]}`},
		{`{"type":"asn","whitelist":["x"]}`, `{"type":"asn","whitelist":[NUMBER,...]}`},
		{`{"type":"geo.country"}`, `{"type":"geo.country","filter":"whitelist" or "blacklist","list":["CODE",...]}`},
		{`{"type":"geo.region"}`, `{"type":"geo.region","filter":"whitelist" or "blacklist","list":["NAME",...]}`},
		{`{"scope":"all"}`, `{"scope":"identityToken"}`},
		{`{"type":"service","whitelist":[]}`, `{"type":"service","whitelist":["opw-ID",...]}`},
		{`{"type":"consumer"}`, `{"type":"consumer","whitelist":["usr-ID",...]}`},
		{`{"type":"interface","interface":"gui"}`, `{"type":"interface","interface":"rest", "oneclient" or "graphsync"}`},
		{`{"type":"api","whitelist":"x"}`, `{"type":"api","whitelist":["SERVICE/OPERATION/GRI",...]}`},
		{`{"type":"data.path","whitelist":["a"]}`, `{"type":"data.path","whitelist":["BASE64",...]}`},
		{`{"type":"data.objectid"}`, `{"type":"data.objectid","whitelist":["ID",...]}`},
	} {
		_, err := caveat.FromJSON([]byte(c.object))
		assert.Contains(t, requireInvalid(t, err).Description, "; its type has the form "+c.form+".", c.object)
	}
}

func TestErrorOfAnUnknownKindListsTheKinds(t *testing.T) {
	t.Parallel()
	v := vocabulary(t, always("project"))
	for _, text := range []string{"", "color = red", "TIME < 5"} {
		description := requireInvalid(t, caveat.Validate(caveat.Unknown(text))).Description
		assert.Contains(t, description, "its kind must be one of time, ip, asn, geo.country, geo.region, authorization, service, "+
			"consumer, interface, api, data.readonly, data.path, data.objectid.")
		assert.NotContains(t, description, "red", "the text might be a token in the wrong place")
		description = requireInvalid(t, v.Validate(caveat.Unknown(text))).Description
		assert.Contains(t, description, "data.objectid, project.")
	}
	for _, object := range []string{`{}`, `{"type":5}`, `{"type":"color"}`, `{"type":"authorization"}`} {
		_, err := caveat.FromJSON([]byte(object))
		assert.Contains(t, requireInvalid(t, err).Description, "its type must be one of time, ip, asn, geo.country, geo.region, scope, service, "+
			"consumer, interface, api, data.readonly, data.path, data.objectid.")
		_, err = v.FromJSON([]byte(object))
		assert.Contains(t, requireInvalid(t, err).Description, "data.objectid, project.")
	}
	assert.Contains(t, requireInvalid(t, v.Validate(caveat.Unknown("project"))).Description, "its kind has the form project = VALUE.")
	_, err := v.FromJSON([]byte(`{"type":"project","value":5}`))
	assert.Contains(t, requireInvalid(t, err).Description, `its type has the form {"type":"project","value":"VALUE"}.`)
	assert.Contains(t, requireInvalid(t, v.LimitEntries(2).Validate(caveat.Unknown("ip = a|b|c"))).Description, "its list has more than 2 entries")
}
