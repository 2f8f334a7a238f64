package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
)

const (
	exampleView = `token     4c71496ba3dff0052c04c697b12fe157ch9a1f (not verified)
domain    onezone.example.com
type      access token
subject   usr-d4f5876dbe7f1e7e8a511de6dd31144c
kind      named
EXPIRED   1571147494 (2019-10-15T13:51:34Z)
caveat    time < 1571147494
caveat    ip = 189.34.15.0/24
`
	exampleExamined = `{"onezoneDomain":"onezone.example.com","id":"4c71496ba3dff0052c04c697b12fe157ch9a1f","persistence":"named",` +
		`"subject":{"type":"user","id":"d4f5876dbe7f1e7e8a511de6dd31144c"},"type":{"accessToken":{}},` +
		`"caveats":[{"type":"time","validUntil":1571147494},{"type":"ip","whitelist":["189.34.15.0/24"]}],"expired":true}` + "\n"
)

func TestInspectShowsATokenWithoutItsSignature(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, stdin string
		args        []string
		want        string
	}{
		{"from standard input", exampleToken, nil, exampleView},
		{"with a line ending", exampleToken + "\n", nil, exampleView},
		{"with a line ending of Windows", exampleToken + "\r\n", nil, exampleView},
		{"presented by a Oneprovider", "opw-" + exampleToken, nil, exampleView},
		{"said to be standard input", exampleToken, []string{"-"}, exampleView},
		{"from a file", "", []string{file(t, exampleToken+"\n")}, exampleView},
		{"as JSON", exampleToken, []string{"--json"}, exampleExamined},
		{"as JSON from a file", "", []string{"--json", file(t, exampleToken)}, exampleExamined},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := onetoken(c.stdin, append([]string{"inspect"}, c.args...)...).done(t)
			assert.Equal(t, c.want, out)
			leaksNothing(t, out, exampleToken, exampleSecret)
		})
	}
}

func TestInspectNeedsNoSecretAndDisplaysRefusedTokens(t *testing.T) {
	t.Parallel()
	token := minted(t, macaroon.IdentityToken(), "color = red\nsubject   usr-root")
	assert.Equal(t, `token     id1 (not verified)
domain    onezone.example.com
type      identity token
subject   usr-u1
kind      named
expires   never
UNKNOWN   "color = red\nsubject   usr-root"
`, onetokenWith(nil, token, "inspect").done(t))
	assert.Contains(t, onetokenWith(nil, token, "inspect", "--json").done(t),
		`"caveats":[{"type":"unknown","text":"color = red\nsubject   usr-root"}]`)
}

func TestInspectTakesOneReadableFile(t *testing.T) {
	t.Parallel()
	token := file(t, exampleToken)
	onetoken("", "inspect", token, token).trouble(t, "inspect takes one file")
	onetoken(exampleToken, "inspect", token+".gone").trouble(t, "reading the token: no such file or directory")
	onetoken(exampleToken, "inspect", t.TempDir()).trouble(t, "reading the token: is a directory")
}

func TestInspectMarksWhatIsExpiredAtTheTime(t *testing.T) {
	t.Parallel()
	last := onetoken(exampleToken, "inspect", "--now", "1571147493").done(t)
	assert.Contains(t, last, "\nexpires   1571147494 (2019-10-15T13:51:34Z)\n")
	assert.Equal(t, strings.Replace(last, "expires", "EXPIRED", 1), onetoken(exampleToken, "inspect", "--now", "1571147494").done(t))
	assert.Contains(t, onetoken(exampleToken, "inspect", "--json", "--now", "1571147493").done(t), `,"expired":false}`)
}

// Marks are red and tables are aligned on a terminal only.
func TestColorsAreForTerminals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		terminal bool
		noColor  string
		mark     string
	}{
		{"a terminal", true, "", "\x1b[31mEXPIRED\x1b[0m   1571147494"},
		{"a terminal without colors", true, "1", "EXPIRED   1571147494"},
		{"a file", false, "", "EXPIRED   1571147494"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out, stderr bytes.Buffer
			p := process{strings.NewReader(exampleToken), &out, &stderr, func(string) string { return c.noColor }, func(any) bool { return c.terminal }}
			require.Equal(t, statusDone, run(t.Context(), []string{"inspect"}, p))
			assert.Contains(t, out.String(), "\n"+c.mark)
			assert.Equal(t, c.terminal, strings.Contains(stderr.String(), "paste the token"))
			out.Reset()
			require.NoError(t, p.printTable([][]string{{"ID", "NAME"}, {"long id", "\x1b[2J"}}))
			want := "ID\tNAME\nlong id\t\\u001b[2J\n"
			if c.terminal {
				want = "ID       NAME\nlong id  \\u001b[2J\n"
			}
			assert.Equal(t, want, out.String())
		})
	}
}
