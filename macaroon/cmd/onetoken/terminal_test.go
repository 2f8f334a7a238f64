package main

import (
	"encoding/json"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// controls holds characters that must not reach a terminal unescaped: an escape
// sequence, DEL, C1 controls, an override and isolates of direction, zero-width
// characters.
const controls = "\x1b[2J\x07\x7f\u0085\u009b31m\u202e\u2066\u2069\u200b\u200d\ufeff\u2028\u00ad\U000e0041"

// requirePlain asserts that all characters of the text are printable, except
// line endings.
func requirePlain(t *testing.T, text string) {
	t.Helper()
	for i, r := range text {
		require.True(t, unicode.IsPrint(r) || r == '\n', "%U at byte %d of %q", r, i, text)
	}
}

// No control characters of a token, argument or file name reach the terminal.
func TestNoControlCharacterReachesTheTerminal(t *testing.T) {
	t.Parallel()
	caveats := []string{
		"x" + controls, "consumer = usr-a|usr-b" + controls, "service = opw-" + controls, "geo.country = PL",
		"api = ozw/get/user." + controls + ".*:*", "moon = \xff\n" + controls,
	}
	hostile := minted(t, macaroon.AccessToken(), caveats...)
	old, err := macaroon.Mint(macaroon.Spec{Version: 1, Domain: "d" + controls, ID: "old"}, store.NewSecret(exampleSecret))
	require.NoError(t, err)
	for _, text := range []string{hostile, old.String(), controls, "MDAx" + controls, hostile[:len(hostile)-4] + controls} {
		for _, args := range [][]string{
			{"inspect"},
			{"inspect", "--json"},
			{"inspect", controls},
			{"doctor"},
			{"doctor", "--json"},
			{"verify"},
			{"verify", "--consumer", "usr-a", "--service", "opw-" + controls},
			{"verify", "-" + controls},
			{"verify", "--secret-file", controls},
			{"confine", controls},
			{"confine", "--any", "project = " + controls},
			{"confine", "service = opw-" + controls},
			{"confine", "geo.country = " + controls},
			{"confine", "data.readonly"},
			{"mint", "--subject", "usr-a" + controls},
			{"mint", "--subject", "usr-a", "--domain", "d" + controls},
			{"mint", "--subject", "usr-a", "--id", controls},
			{"mint", "--subject", "usr-a", "--type", "ujg:g" + controls + ":"},
			{controls},
		} {
			o := onetoken(text, args...)
			requirePlain(t, o.out)
			requirePlain(t, o.err)
		}
	}
	// The refusal quotes the first caveat that does not hold.
	for _, text := range caveats {
		requirePlain(t, onetoken(minted(t, macaroon.AccessToken(), text), "verify").err)
	}
}

func TestInspectedJSONIsTheSameInEscapes(t *testing.T) {
	t.Parallel()
	token := minted(t, macaroon.AccessToken(), "x"+controls)
	out := onetoken(token, "inspect", "--json").done(t)
	requirePlain(t, out)
	assert.Contains(t, out, `\u007f\u0085\u009b31m\u202e\u2066\u2069\u200b\u200d\ufeff\u2028\u00ad\udb40\udc41`)
	var view struct {
		Caveats []struct{ Type, Text string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &view))
	require.Len(t, view.Caveats, 1)
	assert.Equal(t, "x"+controls, view.Caveats[0].Text)
}
