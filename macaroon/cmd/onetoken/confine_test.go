package main

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
)

// bare returns the example token without caveats.
func bare(t *testing.T) string {
	t.Helper()
	return onetoken("", "mint", "--domain", exampleDomain, "--id", exampleID, "--subject", exampleUser).done(t)
}

func TestConfineAddsExactlyTheCaveats(t *testing.T) {
	t.Parallel()
	assert.Equal(t, exampleToken+"\n", onetokenWith(nil, bare(t), "confine", exampleTime, exampleIP).done(t))
	step := onetokenWith(nil, bare(t), "confine", exampleTime).done(t)
	assert.Equal(t, exampleToken+"\n", onetokenWith(nil, step, "confine", exampleIP).done(t))
	assert.Equal(t, exampleToken+"\n", onetokenWith(nil, "opp-"+step, "confine", exampleIP).done(t), "the mark is not printed")

	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"canonical text", []string{"ip = 192.0.2.7"}, []string{"ip = 192.0.2.7/32"}},
		{"ttl", []string{"--now", "1000", "--ttl", "1h"}, []string{"time < 4600"}},
		{"ttl before the others", []string{"--now", "1970-01-01T00:16:40Z", "--ttl", "90s", "data.readonly", "time < 7"},
			[]string{"time < 1090", "data.readonly", "time < 7"}},
		{"days", []string{"--now", "1000", "--ttl", "30d"}, []string{"time < 2593000"}},
		{"until a time", []string{"--now", "1000", "--until", "2026-12-24T18:00Z"}, []string{"time < 1798135200"}},
		{"until a time of another zone", []string{"--now", "1000", "--until", "2026-12-24T19:00:00+01:00"}, []string{"time < 1798135200"}},
		{"until a date", []string{"--now", "1000", "--until", "2026-12-24"}, []string{"time < 1798070400"}},
		{"template rest", []string{"--now", "1000", "--template", "rest"}, []string{"time < 605800", "interface = rest", "service = ozw-onezone"}},
		{"template oneprovider-rest", []string{"--now", "1000", "--template", "oneprovider-rest"}, []string{"time < 605800", "interface = rest", "service = opw-*"}},
		{"template oneclient", []string{"--now", "1000", "--template", "oneclient"}, []string{"time < 605800", "interface = oneclient", "service = opw-*"}},
		{"template readonly", []string{"--now", "1000", "--template", "readonly"}, []string{"time < 605800", "data.readonly"}},
		{"template path", []string{"--now", "1000", "--template", "path=/space/a"}, []string{"time < 605800", "data.path = L3NwYWNlL2E="}},
		{"template identity", []string{"--now", "1000", "--template", "identity"}, []string{"time < 4600", "authorization = none"}},
		{"a template for a time of its own", []string{"--now", "1000", "--template", "readonly", "--ttl", "1h"}, []string{"time < 4600", "data.readonly"}},
		{"two templates and a caveat", []string{"--now", "1000", "--template", "readonly", "--template", "path=/s/a", "interface = rest"},
			[]string{"time < 605800", "data.readonly", "data.path = L3MvYQ==", "interface = rest"}},
		{"never longer than the ttl", []string{"--now", "1970-01-01T00:16:40.9Z", "--ttl", "1s"}, []string{"time < 1001"}},
		{"a flag behind a caveat", []string{"data.readonly", "--now", "1000", "--ttl", "1h"}, []string{"time < 4600", "data.readonly"}},
		{"behind two hyphens", []string{"--", "interface = rest"}, []string{"interface = rest"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := onetokenWith(nil, bare(t), append([]string{"confine"}, c.args...)...).done(t)
			token, err := macaroon.Parse(strings.TrimSuffix(out, "\n"))
			require.NoError(t, err)
			assert.Equal(t, c.want, token.Caveats())
		})
	}
}

func TestTheLifetimeCountsFromTheClock(t *testing.T) {
	t.Parallel()
	before := time.Now().Add(time.Hour).Unix()
	token, err := macaroon.Parse(strings.TrimSpace(onetokenWith(nil, bare(t), "confine", "--ttl", "1h").done(t)))
	require.NoError(t, err)
	until, ok := token.Expiry()
	require.True(t, ok)
	assert.GreaterOrEqual(t, until, before)
	assert.LessOrEqual(t, until, time.Now().Add(time.Hour).Unix())
}

func TestConfineDoesNotPassATokenOnUnconfined(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"nothing to add", nil, "no caveats to add"},
		{"empty text", []string{""}, "caveat 1 is not in the language"},
		{"unknown kind", []string{"color = red"}, "caveat 1 is not in the language"},
		{"unknown among known", []string{"time < 5", "ip = 1.2.3", "data.readonly"}, "caveat 2 is not in the language"},
		{"several words that were not quoted", []string{"time", "<", "5"}, `a caveat is one argument, such as "time < 1700000000"`},
		{"a caveat that is parsed but never added", []string{"consumer = nobody"}, "caveat 1: Bad value: provided caveat is not valid: every consumer must be"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onetoken(exampleToken, append([]string{"confine"}, c.args...)...).trouble(t, c.says)
		})
	}
}

func TestUnknownKindsAndMalformedValuesHaveDifferentErrors(t *testing.T) {
	t.Parallel()
	onetoken(exampleToken, "confine", "color = red").trouble(t, "caveat 1 is not in the language: "+
		"Bad value: provided caveat is not valid: it is not a known caveat; its kind must be one of time, ip, asn, ")
	onetoken(exampleToken, "confine", "ip = 1.2.3").trouble(t, "caveat 1 is not in the language: "+
		"Bad value: provided caveat is not valid: it is not a known caveat; its kind has the form ip = A.B.C.D/LENGTH|...; ")
}

// A caveat outside the language is added only with -any, and with a warning
// that does not repeat it.
func TestApplicationCaveatsNeedAny(t *testing.T) {
	t.Parallel()
	secret := map[string]string{secretVariable: exampleSecret}
	for _, c := range []struct {
		name, stdin string
		command     []string
	}{
		{"confine", bare(t), []string{"confine"}},
		{"mint", "", []string{"mint", "--subject", exampleUser}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"data.readonly", "project = 42", "ip = 192.0.2.7"}
			onetokenWith(secret, c.stdin, append(c.command, args...)...).trouble(t, "caveat 2 is not in the language")

			o := onetokenWith(secret, c.stdin, append(append(c.command, "--any", "--now", "1000", "--ttl", "1h"), args...)...)
			require.Equal(t, statusDone, o.status, o.err)
			token, err := macaroon.Parse(strings.TrimSpace(o.out))
			require.NoError(t, err)
			assert.Equal(t, []string{"time < 4600", "data.readonly", "project = 42", "ip = 192.0.2.7/32"}, token.Caveats())
			assert.Equal(t, "onetoken: warning: caveat 2 is not in the language of Onezone: "+
				"only an application that knows it accepts the token\n", o.err)
			leaksNothing(t, o.err, o.out, exampleSecret)

			for _, text := range []string{"", "a\nb", "a\x1b[2J", "\u202e", "\xff"} {
				o := onetokenWith(secret, c.stdin, append(append(c.command, "--any"), "data.readonly", text)...)
				o.trouble(t, "caveat 2 is not in the language")
				leaksNothing(t, o.err, exampleToken, exampleSecret)
			}
			o = onetokenWith(secret, c.stdin, append(append(c.command, "--any"), "consumer = nobody")...)
			o.trouble(t, "every consumer must be")
		})
	}
}

func TestATokenThatCannotTakeTheCaveatsIsRefused(t *testing.T) {
	t.Parallel()
	full := make([]string, macaroon.DefaultMaxCaveats)
	for i := range full {
		full[i] = "time < " + strconv.Itoa(i)
	}
	onetoken(minted(t, macaroon.AccessToken(), full...), "confine", "data.readonly").refused(t, "limitReached")
	onetoken(exampleToken, "confine", "service = opw-"+strings.Repeat("x", 65535)).refused(t, "badToken")
}

func TestBadLifetimesAndTemplatesAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, says string }{
		{"--ttl 1h --until 2030-01-01", "--ttl and --until exclude each other"},
		{"--now 1000 --until 1000", "--until is a time in the past"},
		{"--until tomorrow", "--until takes the time of expiry, such as 2026-12-24T18:00Z"},
		{"--until 2026-12-24T18:00", "--until takes"},
		{"--ttl 1.5d", "--ttl takes"},
		{"--template gui", "--template takes rest, oneprovider-rest, oneclient, readonly, identity or path=/SPACE/DIRECTORY"},
		{"--template path", "--template takes"},
		{"--template path=", "--template takes"},
		{"--template path=/", "--template takes"},
		{"--template path=space/a", "--template takes"},
		{"--template path=/space/../b", "--template takes"},
		{"--template rest=1", "--template takes"},
	} {
		onetoken(exampleToken, append([]string{"confine"}, strings.Fields(c.args)...)...).trouble(t, c.says)
	}
}

func TestTheShortestLifetimeOfTheTemplatesCounts(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"identity", "rest"}, {"rest", "identity"}} {
		o := onetoken(bare(t), "confine", "--now", "1000", "--template", names[0], "--template", names[1])
		require.Equal(t, statusDone, o.status)
		token, err := macaroon.Parse(strings.TrimSpace(o.out))
		require.NoError(t, err)
		assert.Equal(t, "time < 4600", token.Caveats()[0])
	}
}

// The token is printed with the caveats, because the user asked for them.
func TestConfineWarnsAboutUselessCaveats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		token string
		args  []string
		says  string
	}{
		{bare(t), []string{"--template", "rest", "--template", "oneclient"}, "interface = oneclient: it contradicts another caveat"},
		{exampleToken, []string{"ip = 10.0.0.0/8"}, "ip = 10.0.0.0/8: it contradicts another caveat: no address is in all ip lists"},
		{bare(t), []string{"geo.country = UK"}, "geo.country = UK: UK is not a country code"},
		{minted(t, macaroon.IdentityToken()), []string{"data.readonly"}, "data.readonly: caveats of the type data.readonly are not supported"},
	} {
		o := onetoken(c.token, append([]string{"confine"}, c.args...)...)
		require.Equal(t, statusDone, o.status)
		require.NotEmpty(t, o.out)
		assert.Contains(t, o.err, "onetoken: warning: "+c.says)
	}
}

func TestNewTokensInJSON(t *testing.T) {
	t.Parallel()
	want := `{"tokenId":"` + exampleID + `","token":"` + exampleToken + `","caveats":["time < 1571147494","ip = 189.34.15.0/24"],"validUntil":1571147494}` + "\n"
	assert.Equal(t, want, onetoken(bare(t), "confine", "--json", exampleTime, exampleIP).done(t))
	assert.Equal(t, want, onetoken("", "mint", "--json", "--domain", exampleDomain, "--id", exampleID, "--subject", exampleUser, exampleTime, exampleIP).done(t))
	assert.Equal(t, `{"tokenId":"`+exampleID+`","subject":{"type":"user","id":"d4f5876dbe7f1e7e8a511de6dd31144c"},"type":{"accessToken":{}},`+
		`"caveats":[{"type":"time","validUntil":1571147494},{"type":"ip","whitelist":["189.34.15.0/24"]}],"validUntil":1571147494}`+"\n",
		onetoken(exampleToken, "verify", "--json", "--now", "0", "--ip", "189.34.15.7").done(t))
}
