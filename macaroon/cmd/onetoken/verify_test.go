package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
)

const exampleProof = `token     4c71496ba3dff0052c04c697b12fe157ch9a1f (verified)
subject   usr-d4f5876dbe7f1e7e8a511de6dd31144c
type      access token
expires   1571147494 (2019-10-15T13:51:34Z)
caveat    time < 1571147494
caveat    ip = 189.34.15.0/24
`

func TestVerifyPrintsTheVerifiedProperties(t *testing.T) {
	t.Parallel()
	secret := file(t, exampleSecret+"\n")
	for _, c := range []struct {
		name, stdin string
		args        []string
	}{
		{"the last second", exampleToken, []string{"--now", "1571147493", "--ip", "189.34.15.7"}},
		{"a time of day", exampleToken + "\n", []string{"--now", "2019-10-15T15:51:33+02:00", "--ip", "189.34.15.7"}},
		{"an IPv4 address in IPv6", exampleToken, []string{"--now", "0", "--ip", "::ffff:189.34.15.7"}},
		{"the secret of a file", exampleToken, []string{"--now", "0", "--ip", "189.34.15.7", "--secret-file", secret}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := onetoken(c.stdin, append([]string{"verify"}, c.args...)...).done(t)
			assert.Equal(t, exampleProof, out)
			leaksNothing(t, out, exampleToken, exampleSecret)
		})
	}
}

func TestVerifyPrintsTokensOfAllTypes(t *testing.T) {
	t.Parallel()
	const legacy = "MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDAyOGlkZW500aWZpZXIgWHIxdlR6cTBsZWdhY3lJZGVudGlmaWVyCjAwMWFjaWQgdGltZSA8IDE1MjIzNTgzMzMKMDAyZnNpZ25hdHVyZSA4JiEog01t02pnv334IeZWbNwLpbINT1WACf6kv6XnVoiAo"
	assert.Equal(t, `token     Xr1vTzq0legacyIdentifier (verified)
subject   known to the issuer only (version 1)
type      access token
expires   1522358333 (2018-03-29T21:18:53Z)
caveat    time < 1522358333
`, onetokenWith(map[string]string{secretVariable: "legacySecret"}, legacy, "verify", "--now", "1522358332").done(t))
	for _, c := range []struct {
		name, want string
		typ        macaroon.Type
		caveats    []string
		args       []string
	}{
		{
			"identity", "subject   usr-u1\ntype      identity token\nexpires   never\n",
			macaroon.IdentityToken(), nil, []string{"--identity"},
		},
		{
			"invitation", "subject   usr-u1\ntype      invite token for a user to join the group g1\nexpires   never\n",
			macaroon.InviteToken(macaroon.UserJoinGroup, "g1"), nil, nil,
		},
		{
			"session", "subject   usr-u1\ntype      access token for the session s1\nexpires   never\n",
			macaroon.SessionToken("s1"), nil, []string{"--session", "s1"},
		},
		{
			"a year without a name", "subject   usr-u1\ntype      access token\nexpires   253402300800\ncaveat    time < 253402300800\n",
			macaroon.AccessToken(), []string{"time < 253402300800"}, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := onetoken(minted(t, c.typ, c.caveats...), append([]string{"verify"}, c.args...)...).done(t)
			assert.Equal(t, "token     id1 (verified)\n"+c.want, out)
		})
	}
}

// Anyone with a token may add a caveat that holds and contains arbitrary text.
func TestACaveatDoesNotForgeALine(t *testing.T) {
	t.Parallel()
	token := minted(t, macaroon.AccessToken(), "consumer = usr-a|usr-b\nsubject   usr-root\x1b[2K")
	assert.Equal(t, `token     id1 (verified)
subject   usr-u1
type      access token
expires   never
caveat    "consumer = usr-a|usr-b\nsubject   usr-root\x1b[2K"
`, onetoken(token, "verify", "--consumer", "usr-a").done(t))
}

func TestVerifyRefusesWithTheIDOfTheCatalogue(t *testing.T) {
	t.Parallel()
	forged := strings.Replace(exampleToken, "IPovuOh8", "IPowuOh8", 1)
	_, err := macaroon.Parse(forged)
	require.NoError(t, err, "forged, not malformed")
	require.NotEqual(t, exampleToken, forged)
	access := macaroon.AccessToken()
	for _, c := range []struct{ name, token, args, id string }{
		{"forged", forged, "--now 0 --ip 189.34.15.7", "tokenInvalid"},
		{"forged, before its caveats are looked at", forged, "", "tokenInvalid"},
		{"expired", exampleToken, "--now 1571147494 --ip 189.34.15.7", "tokenCaveatUnverified"},
		{"expired by the clock", exampleToken, "--ip 189.34.15.7", "tokenCaveatUnverified"},
		{"another network", exampleToken, "--now 0 --ip 189.34.16.7", "tokenCaveatUnverified"},
		{"no address", exampleToken, "--now 0", "tokenCaveatUnverified"},
		{"unknown caveat", minted(t, access, "color = red"), "", "tokenCaveatUnknown"},
		{"caveat that the type does not support", minted(t, macaroon.IdentityToken(), "service = opw-p1"), "--service opw-p1", "tokenCaveatUnverified"},
		{"no session", minted(t, macaroon.SessionToken("s1")), "", "tokenSessionInvalid"},
		{"another session", minted(t, macaroon.SessionToken("s1")), "--session s2", "tokenSessionInvalid"},
		{"a token without a session in one", minted(t, access), "--session s1", "tokenSessionInvalid"},
		{"group as consumer", minted(t, access, "consumer = grp-*"), "--consumer usr-a", "tokenCaveatUnverified"},
		{"autonomous system", minted(t, access, "asn = 322"), "--ip 10.0.0.1", "tokenCaveatUnverified"},
		{"country", minted(t, access, "geo.country != RU"), "--ip 10.0.0.1", "tokenCaveatUnverified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := onetoken(c.token, append([]string{"verify"}, strings.Fields(c.args)...)...)
			o.refused(t, c.id)
			leaksNothing(t, o.err, c.token, exampleSecret)
		})
	}
	t.Run("another secret", func(t *testing.T) {
		t.Parallel()
		for _, other := range []string{exampleSecret + " ", strings.ToUpper(exampleSecret), exampleSecret[1:]} {
			o := onetoken(exampleToken, "verify", "--now", "0", "--ip", "189.34.15.7", "--secret-file", file(t, other))
			o.refused(t, "tokenInvalid")
		}
	})
	onetoken(exampleToken, "verify", "--secret-file", file(t, exampleSecret), "a.token", "b.token").trouble(t, "verify takes one file")
	onetoken("", "verify", "--now", "0", "--ip", "189.34.15.7", "--secret-file", file(t, exampleSecret), file(t, exampleToken)).done(t)
}

// A caveat holds only with its flag, and only with the right value.
func TestEachFlagSatisfiesItsCaveat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ caveat, good, bad string }{
		{"time < 1000", "--now 999", "--now 1000"},
		{"ip = 10.0.0.0/8", "--ip 10.1.2.3", "--ip 192.0.2.1"},
		{"interface = rest", "--interface rest", "--interface graphsync"},
		{"service = opw-p1", "--service opw-p1", "--service opp-p1"},
		{"service = ozw-*", "--service ozw-onezone", "--service opw-onezone"},
		{"consumer = usr-a|prv-p", "--consumer prv-p", "--consumer usr-p"},
		{"consumer = usr-*", "--consumer usr-a", "--consumer nobody"},
		{"data.readonly", "--allow-data", "--allow-data=false"},
		{"authorization = none", "--identity", "--identity=false"},
	} {
		t.Run(c.caveat, func(t *testing.T) {
			t.Parallel()
			token := minted(t, macaroon.AccessToken(), c.caveat)
			verify := func(flags string) outcome {
				return onetoken(token, append([]string{"verify"}, strings.Fields(flags)...)...)
			}
			assert.Contains(t, verify(c.good).done(t), "caveat    "+c.caveat+"\n")
			verify(c.bad).refused(t, "tokenCaveatUnverified")
			verify("").refused(t, "tokenCaveatUnverified")
		})
	}
}
