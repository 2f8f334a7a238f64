package caveat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestFromJSON(t *testing.T) {
	for _, c := range []struct{ json, text string }{ // text "": badValueCaveat
		{`{"type":"time","validUntil":1571147494}`, "time < 1571147494"},
		{`{"type":"time","validUntil":0}`, "time < 0"},
		{` { "validUntil" : 5 , "type" : "time" , "more" : [ ] } `, "time < 5"},
		{`{"type":"time","validUntil":9223372036854775807}`, "time < 9223372036854775807"},
		{`{"type":"time","validUntil":9223372036854775808}`, ""},
		{`{"type":"time","validUntil":-1}`, ""},
		{`{"type":"time","validUntil":5.0}`, ""},
		{`{"type":"time","validUntil":5e0}`, ""},
		{`{"type":"time","validUntil":"5"}`, ""},
		{`{"type":"time","validUntil":null}`, ""},
		{`{"type":"time","validUntil":true}`, ""},
		{`{"type":"time","validUntil":[5]}`, ""},
		{`{"type":"time"}`, ""},
		{`{"type":"time","validuntil":5}`, ""},
		{`{"Type":"time","validUntil":5}`, ""},
		{`{"type":"Time","validUntil":5}`, ""},
		{`{"validUntil":5}`, ""},

		{`{"type":"ip","whitelist":["189.34.15.0/8","167.73.12.17"]}`, "ip = 189.34.15.0/8|167.73.12.17/32"},
		{`{"type":"ip","whitelist":["1.2.3.4/"]}`, ""},
		{`{"type":"ip","whitelist":["1.2.3.4","::1"]}`, ""},
		{`{"type":"ip","whitelist":[16909060]}`, ""},
		{`{"type":"ip","whitelist":[]}`, ""},
		{`{"type":"ip","whitelist":"1.2.3.4"}`, ""},
		{`{"type":"ip","whitelist":null}`, ""},
		{`{"type":"ip","list":["1.2.3.4"]}`, ""},

		{`{"type":"asn","whitelist":[322,0,4294967295]}`, "asn = 322|0|4294967295"},
		{`{"type":"asn","whitelist":[4294967296]}`, ""},
		{`{"type":"asn","whitelist":[-1]}`, ""},
		{`{"type":"asn","whitelist":[1.0]}`, ""},
		{`{"type":"asn","whitelist":["1"]}`, ""},
		{`{"type":"asn","whitelist":[null]}`, ""},
		{`{"type":"asn","whitelist":[]}`, ""},

		{`{"type":"geo.country","filter":"whitelist","list":["PL","fr"]}`, "geo.country = PL|fr"},
		{`{"type":"geo.country","filter":"blacklist","list":["RU"]}`, "geo.country != RU"},
		{`{"type":"geo.country","filter":"greylist","list":["RU"]}`, ""},
		{`{"type":"geo.country","filter":1,"list":["RU"]}`, ""},
		{`{"type":"geo.country","list":["RU"]}`, ""},
		{`{"type":"geo.country","filter":"whitelist","list":[]}`, ""},
		{`{"type":"geo.country","filter":"whitelist","list":["PL",5]}`, ""},
		{`{"type":"geo.country","filter":"whitelist","list":["POL"]}`, ""},
		{`{"type":"geo.country","filter":"whitelist","whitelist":["PL"]}`, ""},
		{`{"type":"geo.region","filter":"whitelist","list":["Europe","EU"]}`, "geo.region = Europe|EU"},
		{`{"type":"geo.region","filter":"blacklist","list":["Atlantis"]}`, ""},
		{`{"type":"geo.region","filter":"","list":["EU"]}`, ""},

		{`{"scope":"identityToken"}`, "authorization = none"},
		{`{"scope":"identityToken","type":"scope"}`, "authorization = none"},
		{`{"scope":"unlimited"}`, ""},
		{`{"scope":null}`, ""},
		{`{"scope":["identityToken"]}`, ""},
		{`{"type":"scope"}`, ""},

		{`{"type":"service","whitelist":["opw-p1","ozp-*"]}`, "service = opw-p1|ozp-*"},
		{`{"type":"service","whitelist":["opw-"]}`, ""},
		{`{"type":"service","whitelist":["opw-a|opw-b"]}`, ""},
		{`{"type":"service","whitelist":["foo-a"]}`, ""},
		{`{"type":"service","whitelist":[{"type":"op_worker","id":"a"}]}`, ""},
		{`{"type":"service","whitelist":[]}`, ""},
		{`{"type":"service"}`, ""},
		{`{"type":"consumer","whitelist":["usr-u1","grp-g1","prv-*"]}`, "consumer = usr-u1|grp-g1|prv-*"},
		{`{"type":"consumer","whitelist":["nobody"]}`, ""},
		{`{"type":"consumer","whitelist":["usr-"]}`, ""},
		{`{"type":"consumer","whitelist":["root"]}`, ""},
		{`{"type":"consumer","whitelist":["usr-a\u0000"]}`, ""},

		{`{"type":"interface","interface":"rest"}`, "interface = rest"},
		{`{"type":"interface","interface":"gui"}`, ""},
		{`{"type":"interface","interface":["rest"]}`, ""},
		{`{"type":"interface"}`, ""},

		{`{"type":"api","whitelist":["ozw/get/user.*.*"]}`, "api = ozw/get/user.*.*:private"},
		{`{"type":"api","whitelist":["ozw/get"]}`, ""},
		{`{"type":"api","whitelist":["ozw/get/user.a|b.c"]}`, ""},
		{`{"type":"api","whitelist":[7]}`, ""},

		{`{"type":"data.readonly"}`, "data.readonly"},
		{`{"type":"data.readonly","value":false}`, "data.readonly"},
		{`{"type":"data.path","whitelist":["L3NwYWNlL3BhdGg="]}`, "data.path = L3NwYWNlL3BhdGg="},
		{`{"type":"data.path","whitelist":["L3NwYWNl L3BhdGg="]}`, ""},
		{`{"type":"data.path","whitelist":["L3NwYWNlL3BhdGh="]}`, ""},
		{`{"type":"data.path","whitelist":["L3Nw\nYWNlL3BhdGg="]}`, ""},
		{`{"type":"data.path","whitelist":["/space/path"]}`, ""},
		{`{"type":"data.path","whitelist":["Lw=="]}`, ""},
		{`{"type":"data.path","whitelist":["L3MxLw=="]}`, ""},
		{`{"type":"data.path","whitelist":[""]}`, ""},
		{`{"type":"data.objectid","whitelist":["000000000010DB4967756964237575696423737061636531"]}`, "data.objectid = 000000000010DB4967756964237575696423737061636531"},
		{`{"type":"data.objectid","whitelist":["zz"]}`, ""},
		{`{"type":"data.objectid","whitelist":[]}`, ""},

		// The first form that fits is used; the key scope has its own form.
		{`{"type":"service","whitelist":["opw-x"],"scope":"identityToken"}`, "authorization = none"},
		{`{"type":"data.readonly","scope":"identityToken"}`, "authorization = none"},
		{`{"type":"x","scope":"identityToken"}`, "authorization = none"},
		{`{"type":5,"scope":"identityToken"}`, "authorization = none"},
		{`{"type":"service","whitelist":["opw-x"],"scope":"x"}`, ""},
		{`{"type":"time","validUntil":5,"scope":"identityToken"}`, "time < 5"},
		{`{"type":"time","scope":"identityToken"}`, "authorization = none"},
		{`{"type":"ip","whitelist":["1.2.3.4"],"scope":"identityToken"}`, "ip = 1.2.3.4/32"},
		{`{"type":"ip","whitelist":["nonsense"],"scope":"identityToken"}`, ""},
		{`{"type":"ip","whitelist":[],"scope":"identityToken"}`, "authorization = none"},
		{`{"type":"geo.region","filter":"whitelist","list":["EU"],"scope":"identityToken"}`, "geo.region = EU"},
		{`{"type":"geo.region","list":["EU"],"scope":"identityToken"}`, "authorization = none"},

		{`{"type":"unknown","text":"time < 5"}`, ""},
		{`{"type":"project","value":"42"}`, ""},
		{`{"type":""}`, ""},
		{`{"type":null}`, ""},
		{`{}`, ""},

		// Invalid Unicode must not become another id.
		{`{"type":"consumer","whitelist":["usr-ż"]}`, "consumer = usr-ż"},
		{`{"type":"consumer","whitelist":["usr-\u017c"]}`, "consumer = usr-ż"},
		{`{"type":"consumer","whitelist":["usr-\ud83d\ude00"]}`, "consumer = usr-😀"},
		{`{"type":"consumer","whitelist":["usr-\ud83d"]}`, ""},
		{`{"type":"consumer","whitelist":["usr-\uFFFD"]}`, ""},
		{"{\"type\":\"consumer\",\"whitelist\":[\"usr-\xff\"]}", ""},
	} {
		got, err := caveat.FromJSON([]byte(c.json))
		if c.text != "" {
			if assert.NoError(t, err, c.json) {
				assert.Equal(t, c.text, got.String(), c.json)
				assert.NoError(t, caveat.Validate(got), c.json)
			}
			continue
		}
		assert.Nil(t, got, c.json)
		e := requireInvalid(t, err)
		assert.IsType(t, map[string]any{}, e.Details["caveat"], c.json)
		assert.True(t, strings.HasPrefix(e.Description, "Bad value: provided caveat is not valid: "), e.Description)
	}
}

func TestFromJSONReportsTheBadValue(t *testing.T) {
	for _, c := range []struct {
		json string
		want any // the detail caveat
	}{
		{`{"type":"x","n":12345678901234567890}`, `{"type":"x","n":12345678901234567890}`},
		{`"time < 5"`, `"time < 5"`},
		{` "time < 5" `, `"time < 5"`},
		{`["time < 5"]`, `"[\"time < 5\"]"`},
		{`null`, `"null"`},
		{`5`, `"5"`},
		{` true `, `"true"`},
		{``, `""`},
		{`{`, `"{"`},
		{`{"type":"time","validUntil":5}x`, `"{\"type\":\"time\",\"validUntil\":5}x"`},
		{"\xff", `"\ufffd"`},
	} {
		got, err := caveat.FromJSON([]byte(c.json))
		assert.Nil(t, got)
		shown, err := json.Marshal(requireInvalid(t, err).Details["caveat"])
		require.NoError(t, err)
		assert.JSONEq(t, c.want.(string), string(shown), c.json)
	}
}

func TestFromJSONLimitsLists(t *testing.T) {
	list := func(n int) []byte {
		return fmt.Appendf(nil, `{"type":"asn","whitelist":[1%s]}`, strings.Repeat(",1", n-1))
	}
	_, err := caveat.FromJSON(list(4096))
	require.NoError(t, err)
	_, err = caveat.FromJSON(list(4097))
	assert.Contains(t, requireInvalid(t, err).Description, "more than 4096 entries")
	_, err = (*caveat.Vocabulary)(nil).LimitEntries(3).FromJSON(list(4))
	assert.Contains(t, requireInvalid(t, err).Description, "more than 3 entries")
}

func TestFromJSONSurvivesDeepNesting(t *testing.T) {
	for _, depth := range []int{100, 9_000, 100_000} {
		for _, open := range []string{`{"scope":`, `[`, `{"type":"ip","whitelist":[`} {
			_, err := caveat.FromJSON([]byte(strings.Repeat(open, depth)))
			require.ErrorIs(t, err, errors.IDBadValueCaveat)
		}
		deep := `{"type":"time","validUntil":5,"x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
		if c, err := caveat.FromJSON([]byte(deep)); err == nil {
			assert.Equal(t, "time < 5", c.String())
		}
	}
}
