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
