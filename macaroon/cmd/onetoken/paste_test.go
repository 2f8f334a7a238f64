package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// All commands that read a token say what they ignored around it.
func TestATokenIsReadAsPeoplePasteIt(t *testing.T) {
	t.Parallel()
	half := len(exampleToken) / 2
	for _, c := range []struct{ name, before, after, note string }{
		{"line endings", "\n", "\n\n", "white space"},
		{"spaces and tabs", " \t", " \n", "white space"},
		{"a byte order mark and a no-break space", "\ufeff", "\u00a0", "white space"},
		{"zero-width characters", "\u200b", "\u200b", "white space"},
		{"double quotes", `"`, "\"\n", "quotes"},
		{"single quotes", "'", "'", "quotes"},
		{"back quotes", "`", "`", "quotes"},
		{"quotes of a word processor", "\u201c", "\u201d", "quotes"},
		{"the scheme", "Bearer ", "\n", `"Bearer"`},
		{"the scheme in lower case", "bearer  ", "", `"Bearer" and white space`},
		{"a header", "X-Auth-Token: ", "\r\n", "the name of a header and white space"},
		{"a header of HTTP/2", "x-auth-token:", "", "the name of a header"},
		{"the old header", "Macaroon: ", "", "the name of a header and white space"},
		{"the header of RFC 6750", "Authorization: Bearer ", "", `the name of a header, white space and "Bearer"`},
		{"an option of curl", `-H "X-Auth-Token: `, `"`, "the option -H, quotes, the name of a header and white space"},
		{"a variable", "export BEARER_TOKEN='", "'", "the name of a variable and quotes"},
		{"an answer of the API", `{"tokenId":"x","token":"`, `"}` + "\n", "a JSON object"},
		{"a legacy answer of the API", `{"tokens":["`, `"]}`, "a JSON object"},
		{"a line of JSON", `  "token": "`, "\",\n", "white space, a comma, the name of a field and quotes"},
		{"a value", "token = ", "\n", "the name of a field and white space"},
		{"an indented answer", "{\n  \"token\": \"", "\"\n}\n\n", "white space and a JSON object"},
		{"a string of JSON in a header", `X-Auth-Token: {"token": "`, `"}`, "the name of a header, white space and a JSON object"},
		{"line breaks", exampleToken[:half] + "\n  ", "", "line breaks and spaces inside it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			token := exampleToken
			if c.before == exampleToken[:half]+"\n  " {
				token = exampleToken[half:]
			}
			text := c.before + token + c.after
			for _, args := range [][]string{{"inspect"}, {"inspect", file(t, text)}, {"confine", "time < 5"}, {"verify", "--now", "0", "--ip", "189.34.15.7"}} {
				o := onetoken(text, args...)
				require.Equal(t, statusDone, o.status, o.err)
				assert.Equal(t, "onetoken: note: ignored around the token: "+c.note+"\n", o.err)
				if args[0] == "inspect" {
					args = args[:1]
				}
				assert.Equal(t, onetoken(exampleToken, args...).done(t), o.out)
			}
		})
	}
}

func TestATokenWithNothingAroundItNeedsNoNote(t *testing.T) {
	t.Parallel()
	for _, ending := range []string{"", "\n", "\r\n"} {
		onetoken(exampleToken+ending, "inspect").done(t)
	}
}

func TestWhatIsNotWrappedAroundATokenStays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"token":5}`, `{"token":""}`, `{"tokens":[]}`, `{"tokens":["` + exampleToken + `","` + exampleToken + `"]}`, ",", `"token":`, "{", "'", `""`, "Bearer", "Bearer Bearer", "Basic " + exampleToken, "X-Auth-Token:", "=", "A=",
		"token " + exampleToken, exampleToken + " " + exampleToken, strings.Repeat("'", 99) + exampleToken + strings.Repeat("'", 99),
		strings.Repeat("Bearer ", 30) + "x", "-H", "X-Auth-Token: " + exampleToken + "\r\nHost: example.org",
	} {
		o := onetoken(text, "confine", "time < 5")
		assert.Equal(t, statusRefused, o.status, text)
		assert.Empty(t, o.out, text)
		leaksNothing(t, o.err, exampleToken, exampleSecret)
	}
}

// The message has the command that is right, and does not repeat the token.
func TestATokenAsAnArgumentIsRefusedWithTheRightCommand(t *testing.T) {
	t.Parallel()
	truncated := exampleToken[:60]
	for _, c := range []struct {
		args []string
		run  string
	}{
		{[]string{exampleToken}, "onetoken inspect < FILE"},
		{[]string{"inspect", exampleToken}, "onetoken inspect < FILE"},
		{[]string{"inspect", "opw-" + exampleToken}, "onetoken inspect < FILE"},
		{[]string{"inspect", truncated}, "onetoken inspect < FILE"},
		{[]string{"inspect", "Bearer " + exampleToken}, "onetoken inspect < FILE"},
		{[]string{"confine", "--ttl", "1h", exampleToken}, "onetoken confine < FILE"},
		{[]string{"confine", "--any", exampleToken}, "onetoken confine < FILE"},
		{[]string{"verify", exampleToken}, "onetoken verify < FILE"},
		{[]string{"verify", "--token=" + exampleToken}, "onetoken verify < FILE"},
		{[]string{"mint", "--subject", exampleToken}, "onetoken inspect < FILE"},
		{[]string{"-" + exampleToken}, "onetoken inspect < FILE"},
	} {
		o := onetoken(exampleToken, c.args...)
		o.trouble(t, "a token must not be an argument")
		o.trouble(t, "run: "+c.run+"\n")
		leaksNothing(t, o.err, exampleToken, exampleSecret)
	}
}
