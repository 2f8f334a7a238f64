package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// examined runs doctor in 2023, and returns the findings and the command that
// repairs the token.
func examined(t *testing.T, typ macaroon.Type, caveats ...string) (problems []finding, command string) {
	t.Helper()
	o := onetoken(minted(t, typ, caveats...), "doctor", "--json", "--now", "2023-11-14")
	var report struct {
		Problems []finding
		Command  string
	}
	require.NoError(t, json.Unmarshal([]byte(o.out), &report), o.out)
	if len(report.Problems) == 0 {
		require.Equal(t, statusDone, o.status)
		require.Empty(t, o.err)
	} else {
		require.Equal(t, statusRefused, o.status)
		require.Regexp(t, `^onetoken: \d problems? found\n$`, o.err)
	}
	return report.Problems, report.Command
}

func TestDoctorFindsTheMistakeAndItsFix(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, problem, fix, instead string }{
		{"a path from echo", "data.path = L3NwYWNlL2EK", "newline, because echo adds one", "printf %s PATH | base64", "data.path = L3NwYWNlL2E="},
		{"a path from echo on Windows", "data.path = L3NwYWNlL2ENCg==", "newline", "printf", "data.path = L3NwYWNlL2E="},
		{"a path with a slash at the end", "data.path = L3NwYWNlLw==", "must be absolute", "as Onezone shows it", "data.path = L3NwYWNl"},
		{"a path that is not encoded", "data.path = /space/a.b", "UNKNOWN", "exactly", "data.path = L3NwYWNlL2EuYg=="},
		{"a path that looks encoded", "data.path = /space/a", "must be absolute", "as Onezone shows it", "data.path = L3NwYWNlL2E="},
		{"a path without its padding", "data.path = L3NwYWNlL2E", "UNKNOWN", "exactly", "data.path = L3NwYWNlL2E="},
		{"the United Kingdom", "geo.country = PL|UK", "UK is not a country code of ISO 3166, so it matches no client", "the code is GB", "geo.country = PL|GB"},
		{"an excluded country", "geo.country != UK", "so it excludes no client", "the code is GB", "geo.country != GB"},
		{"lower case", "geo.country = pl", "pl is not a country code", "the code is PL", "geo.country = PL"},
		{"the European Union", "geo.country = EU", "EU is not a country code", "is a region", "geo.region = EU"},
		{"a country that does not exist", "geo.country = QQ", "QQ is not a country code", "give codes", ""},
		{"the name of a country", "country = GB", "UNKNOWN", "exactly", "geo.country = GB"},
		{"a region in lower case", "geo.region = europe", "europe is not a region", "the regions are Africa", "geo.region = Europe"},
		{"a region with a space", "geo.region = North America", "is not a region", "the regions are", "geo.region = NorthAmerica"},
		{"past", "time < 1571147494", "EXPIRED: the time is past since 2019-10-15T13:51:34Z", "onetoken create", ""},
		{"milliseconds", "time < 1735689600000", "probably in milliseconds", "2025-01-01", "time < 1735689600"},
		{"a date", "time < 2030-01-01", "UNKNOWN", "exactly", "time < 1893456000"},
		{"no spaces", "time<1893456000", "UNKNOWN", "exactly", "time < 1893456000"},
		{"capital letters", "TIME < 1893456000", "UNKNOWN", "exactly", "time < 1893456000"},
		{"commas", "ip = 10.0.0.0/8, 192.0.2.7", "UNKNOWN", "exactly", "ip = 10.0.0.0/8|192.0.2.7/32"},
		{"IPv6", "ip = 2001:db8::/32", "IPv4 addresses only", "correct the caveat", ""},
		{"an incomplete operation", "api = ozw/get", "UNKNOWN", "its kind has the form api = SERVICE/OPERATION/GRI|...", ""},
		{"an incomplete address", "ip = 10.0.0", "UNKNOWN", "A.B.C.D/LENGTH", ""},
		{"AS numbers", "asn = AS64496", "UNKNOWN", "exactly", "asn = 64496"},
		{"an interface in capitals", "interface = REST", "UNKNOWN", "exactly", "interface = rest"},
		{"two interfaces", "interface = rest|oneclient", "UNKNOWN", "interface = rest, oneclient or graphsync", ""},
		{"a value where none is", "data.readonly = true", "UNKNOWN", "exactly", "data.readonly"},
		{"a newline at the end", "data.readonly\n", "UNKNOWN", "exactly", "data.readonly"},
		{"a misspelled kind", "servce = opw-p1", "UNKNOWN", "exactly", "service = opw-p1"},
		{"an application", "project = 42", "UNKNOWN", "only that application accepts", ""},
		{"a service without an id", "service = opw-", "opw- has no id", "* for all", "service = opw-*"},
		{"another Onezone", "service = ozw-example", "matches no service", "give the id", "service = ozw-onezone"},
		{"no scope", "api = ozw/get/user.*.*|ozw/get/space.*.*:*", "matches the scope private only", ":* for all", "api = ozw/get/user.*.*:*|ozw/get/space.*.*:*"},
		{"nobody", "consumer = nobody", "every consumer", "correct", ""},
		{"an application with a similar name", "size = 5", "UNKNOWN", "only that application accepts", ""},
		{"hostile", "x\x1b[2J\u202e", "UNKNOWN", "correct", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			problems, command := examined(t, macaroon.AccessToken(), "interface = rest", c.text)
			require.NotEmpty(t, problems)
			found := problems[0]
			assert.Equal(t, 2, found.Caveat)
			assert.Equal(t, c.text, found.Text)
			assert.Contains(t, found.Problem, c.problem)
			assert.Contains(t, found.Fix, c.fix)
			assert.Equal(t, c.instead, found.Instead)
			if c.instead == "" {
				assert.Empty(t, command)
				return
			}
			if len(problems) == 1 {
				assert.Equal(t, "onetoken confine 'interface = rest' '"+c.instead+"' < ORIGINAL", command)
			}
			read, err := caveat.Parse(c.instead)
			require.NoError(t, err)
			require.NoError(t, caveat.Validate(read))
			again, _ := examined(t, macaroon.AccessToken(), c.instead)
			assert.Empty(t, again, "what it proposes is right")
		})
	}
}

func TestDoctorFindsContradictions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, problem string
		caveats       []string
	}{
		{"addresses", "no address is in all ip lists", []string{"ip = 10.0.0.0/8", "ip = 192.0.2.0/24|198.51.100.7"}},
		{"addresses of three lists", "no address", []string{"ip = 10.0.0.0/8", "data.readonly", "ip = 10.1.0.0/16|10.2.0.0/16", "ip = 10.3.0.0/16"}},
		{"autonomous systems", "no autonomous system", []string{"asn = 1|2", "asn = 3"}},
		{"interfaces", "one interface", []string{"interface = rest", "interface = oneclient"}},
		{"services", "no service", []string{"service = opw-a|opw-b", "service = opw-c|opp-*"}},
		{"consumers", "no consumer", []string{"consumer = usr-a", "consumer = usr-b|prv-a"}},
		{"paths", "no file", []string{"data.path = L3NwYWNlL2E=", "data.path = L3NwYWNlL2I="}},
		{"countries", "no country", []string{"geo.country = PL", "geo.country = DE|FR"}},
		{"an excluded country", "no country", []string{"geo.country = PL", "geo.country != PL"}},
		{"regions", "no region", []string{"geo.region = Asia", "geo.region = EU"}},
		{"an excluded region", "no region", []string{"geo.region != EU", "geo.region = EU"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			problems, command := examined(t, macaroon.AccessToken(), c.caveats...)
			require.Len(t, problems, 1)
			assert.Contains(t, problems[0].Problem, c.problem)
			assert.Contains(t, problems[0].Problem, "never verifies")
			assert.Positive(t, problems[0].Caveat)
			assert.Empty(t, command)
		})
	}
}

func TestDoctorFindsCaveatsThatTheTypeDoesNotSupport(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  macaroon.Type
		text []string
		kind string
	}{
		{macaroon.IdentityToken(), []string{"service = opw-p1"}, "identity token"},
		{macaroon.IdentityToken(), []string{"data.readonly"}, "identity token"},
		{macaroon.IdentityToken(), []string{"authorization = none"}, "identity token"},
		{macaroon.InviteToken(macaroon.UserJoinGroup, "g1"), []string{"interface = rest"}, "invite token"},
		{macaroon.AccessToken(), []string{"authorization = none", "api = ozw/get/user.*.*:*"}, "access token that only proves an identity"},
	} {
		problems, _ := examined(t, c.typ, c.text...)
		require.Len(t, problems, 1, c.text)
		assert.Contains(t, problems[0].Problem, "not supported by an "+c.kind)
	}
}

func TestDoctorFindsNothingInAGoodToken(t *testing.T) {
	t.Parallel()
	good := []string{
		"time < 1893456000", "ip = 10.0.0.0/8", "ip = 10.1.0.0/16|192.0.2.7/32", "asn = 1|2", "asn = 2", "geo.country = GB|PL", "geo.country != RU",
		"geo.region = Europe", "geo.region = EU|Asia", "service = opw-*|ozw-onezone", "service = opw-p1", "consumer = usr-a|prv-b", "consumer = grp-g|usr-*",
		"interface = rest", "interface = rest", "api = ozw/get/user.*.*:*", "data.readonly", "data.path = L3NwYWNl", "data.path = L3NwYWNlL2E=",
		"data.objectid = 000000000010DB4967756964237575696423737061636531",
	}
	problems, command := examined(t, macaroon.AccessToken(), good...)
	assert.Empty(t, problems)
	assert.Empty(t, command)
	for _, text := range append(good, "authorization = none") {
		problems, _ := examined(t, macaroon.AccessToken(), text)
		assert.Empty(t, problems, text)
	}
}

func TestDoctorExplainsATokenInWords(t *testing.T) {
	t.Parallel()
	token := minted(t, macaroon.AccessToken(), "time < 1571147494", "ip = 10.0.0.0/8", "geo.country != UK", "data.path = L3NwYWNlL2EK")
	o := onetoken(token, "doctor", "--now", "1571147493")
	assert.Equal(t, `access token id1 of usr-u1 (not verified)
  caveat 1: valid before 2019-10-15T13:51:34Z
  caveat 2: only from the addresses 10.0.0.0/8
  caveat 3: not from the countries UK
  caveat 4: only for the files at and below "/space/a\n"

PROBLEM caveat 3, geo.country != UK: UK is not a country code of ISO 3166, so it excludes no client
  fix: the code is GB
  instead: geo.country != GB

PROBLEM caveat 4, data.path = L3NwYWNlL2EK: a path ends in a newline, because echo adds one before base64 encodes it; no file has that path
  fix: encode it with: printf %s PATH | base64
  instead: data.path = L3NwYWNlL2E=

Caveats cannot be removed. Confine the token that you had before:
  onetoken confine 'time < 1571147494' 'ip = 10.0.0.0/8' 'geo.country != GB' 'data.path = L3NwYWNlL2E=' < ORIGINAL
`, o.out)
	assert.Equal(t, "onetoken: 2 problems found\n", o.err)
	out := onetoken(exampleToken, "doctor", "--now", "0").done(t)
	assert.Contains(t, out, "no problems found; only its Onezone knows")
}

func TestDoctorExplainsACutToken(t *testing.T) {
	t.Parallel()
	o := onetoken(exampleToken[:len(exampleToken)-8], "doctor", "--now", "0")
	assert.Equal(t, statusRefused, o.status)
	assert.Contains(t, o.out, "PROBLEM it is TRUNCATED in the signature: at least ")
	assert.Contains(t, o.out, "  fix: copy the whole token again")
	assert.Contains(t, o.out, "caveat 2: only from the addresses 189.34.15.0/24")
	onetoken("hello", "doctor").refused(t, "badToken")
}

func TestTheCountriesAreThoseOfISO(t *testing.T) {
	t.Parallel()
	codes := strings.Fields(countries)
	assert.Len(t, codes, 250, "249 and XK")
	assert.IsIncreasing(t, codes)
	for _, code := range codes {
		assert.Regexp(t, `^[A-Z]{2}$`, code)
	}
}
