package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

func TestInspectMarksWhereATokenIsCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		keep   int // characters
		packet string
		shows  bool // the rest of the token
	}{
		{10, "location", false},
		{48, "identifier", false},
		{200, "caveat 1", true},
		{235, "caveat 2", true},
		{280, "signature", true},
		{len(exampleToken) - 1, "signature", true},
	} {
		t.Run(c.packet+strconv.Itoa(c.keep), func(t *testing.T) {
			t.Parallel()
			text := exampleToken[:c.keep]
			o := onetoken(text, "inspect")
			assert.Equal(t, statusRefused, o.status)
			assert.Regexp(t, `^TRUNCATED in (the )?`+c.packet+`: at least \d+ characters? (is|are) missing\n`, o.out)
			assert.Regexp(t, `^onetoken: badToken: The token could not be understood: it is TRUNCATED in (the )?`+c.packet+`: .*\.\n$`, o.err)
			assert.Equal(t, c.shows, strings.Contains(o.out, "subject   "+exampleUser+"\n"), o.out)
			leaksNothing(t, o.out+o.err, exampleToken, exampleSecret)
			for _, args := range [][]string{{"confine", "time < 5"}, {"verify"}} {
				other := onetoken(text, args...)
				other.refused(t, "badToken")
				assert.Equal(t, o.err, other.err)
			}
		})
	}
}

func TestACutTokenIsShownInJSON(t *testing.T) {
	t.Parallel()
	var view struct {
		Subject   struct{ ID string }
		Caveats   []struct{ Type string }
		Truncated struct {
			Packet            string
			MissingCharacters int
		}
	}
	o := onetoken(exampleToken[:len(exampleToken)-8], "inspect", "--json")
	assert.Equal(t, statusRefused, o.status)
	require.NoError(t, json.Unmarshal([]byte(o.out), &view))
	assert.Equal(t, "signature", view.Truncated.Packet)
	assert.Equal(t, "usr-"+view.Subject.ID, exampleUser)
	assert.Len(t, view.Caveats, 2)
	o = onetoken(exampleToken[:10], "inspect", "--json")
	assert.Regexp(t, `^{"expired":false,"truncated":{"packet":"location","missingCharacters":\d+}}\n$`, o.out)
}

// The number is exact for plain base64 cut in its signature, and otherwise a
// lower limit.
func TestTheNumberOfMissingCharactersIsALowerLimit(t *testing.T) {
	t.Parallel()
	var raw string
	for _, pad := range []string{"", "0", "00"} {
		token := minted(t, macaroon.AccessToken(), "ip = 1.2.3.4/32", "consumer = usr-"+pad)
		raw, _ = wire.Decode(token)
		plain := base64.RawURLEncoding.EncodeToString([]byte(raw))
		for cut := 1; cut < len(token); cut++ {
			found, ok := findTruncation(token[:len(token)-cut])
			if len(token)-cut < 14 {
				continue // too short to be recognized
			}
			require.True(t, ok, cut)
			require.LessOrEqual(t, found.Missing, cut, found.Packet)
			require.Positive(t, found.Missing, cut)
		}
		for cut := 1; cut < 40; cut++ {
			found, ok := findTruncation(plain[:len(plain)-cut])
			require.True(t, ok, cut)
			require.Equal(t, cut, found.Missing)
			require.Equal(t, "signature", found.Packet)
		}
	}
}

func TestAMissingBeginningIsSaid(t *testing.T) {
	t.Parallel()
	for cut := 1; cut < 60; cut++ { // not of the rest, which has few characters
		onetoken(exampleToken[cut:], "inspect").refused(t, "badToken")
		assert.Contains(t, onetoken(exampleToken[cut:], "verify").err, "it is TRUNCATED: its beginning is missing", cut)
	}
}

func TestOtherDamageIsNotCalledTruncated(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "MDA", "hello", exampleSecret, exampleToken + "A", exampleToken + exampleToken,
		strings.Replace(exampleToken, "MDAyMWxvY2F0", "MDAyMWxvY2E0", 1),
		wire.Encode("0009location x\n"), wire.Encode("0000location "), wire.Encode("zzzzlocation x"), wire.Encode("\x00\x00\x00\x00\x00\x00\x00"),
	} {
		assert.NotContains(t, onetoken(text, "inspect").err, "TRUNCATED", fmt.Sprintf("%q", text))
	}
}

func FuzzFindTruncation(f *testing.F) {
	f.Add(exampleToken)
	f.Add(exampleToken[:100])
	f.Add(exampleToken[3:])
	f.Add(wire.Encode("0012location \x1b[2J\n"))
	f.Fuzz(func(t *testing.T, text string) {
		found, ok := findTruncation(text)
		if _, err := macaroon.Parse(text); ok && (err == nil || found.Missing < 1) {
			t.Fatalf("%q is said to be cut: %v", text, found)
		}
		isEnd(text)
	})
}
