package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// The worked example of the specification, which the original Onezone made.
const (
	exampleSecret = "5fae9847bfb530bae8c20128b462076fd69fc89bdd26759b81020f1dcc3fcd04"
	exampleDomain = "onezone.example.com"
	exampleID     = "4c71496ba3dff0052c04c697b12fe157ch9a1f"
	exampleUser   = "usr-d4f5876dbe7f1e7e8a511de6dd31144c"
	exampleTime   = "time < 1571147494"
	exampleIP     = "ip = 189.34.15.0/24"
	exampleToken  = "MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDA2NWlkZW500aWZpZXIgMi9ubWQvdXNyLWQ00ZjU4NzZkYmU3ZjFlN2U4YTUxMWRlNmRkMzExNDRjL2FjdC800YzcxNDk2YmEzZGZmMDA1MmMwNGM2OTdiMTJmZTE1N2NoOWExZgowMDFhY2lkIHRpbWUgPCAxNTcxMTQ3NDk00CjAwMWNjaWQgaXAgPSAxODkuMzQuMTUuMC8yNAowMDJmc2lnbmF00dXJlIPovuOh8GsGWjsHW01SBL1XikK00pYMdVt00jhqff2ITX00oCg"
)

// outcome is the result of a run.
type outcome struct {
	status   int
	out, err string
}

// onetoken runs the program with the example secret in its environment.
func onetoken(stdin string, args ...string) outcome {
	return onetokenWith(map[string]string{secretVariable: exampleSecret}, stdin, args...)
}

func onetokenWith(env map[string]string, stdin string, args ...string) outcome {
	var out, err bytes.Buffer
	status := run(context.Background(), args, process{strings.NewReader(stdin), &out, &err, func(name string) string { return env[name] }, isTerminal})
	return outcome{status, out.String(), err.String()}
}

// refused asserts a refusal with the id of the catalogue.
func (o outcome) refused(t *testing.T, id string) {
	t.Helper()
	assert.Equal(t, statusRefused, o.status)
	assert.Empty(t, o.out)
	assert.Regexp(t, `^onetoken: `+id+`: [A-Z].*\.\n$`, o.err)
}

// trouble asserts exit status 2 and the message.
func (o outcome) trouble(t *testing.T, says string) {
	t.Helper()
	assert.Equal(t, statusTrouble, o.status)
	assert.Empty(t, o.out)
	assert.True(t, strings.HasPrefix(o.err, "onetoken: ") && strings.HasSuffix(o.err, "\n"), o.err)
	assert.Contains(t, o.err, says)
}

// done asserts success and returns the output.
func (o outcome) done(t *testing.T) string {
	t.Helper()
	require.Equal(t, statusDone, o.status, o.err)
	require.Empty(t, o.err)
	return o.out
}

// leaksNothing asserts that the output contains neither the secret nor a useful
// part of the token.
func leaksNothing(t *testing.T, printed, token, secret string) {
	t.Helper()
	shown := strings.ToLower(printed)
	for size, i := 24, 0; i+size <= len(token); i++ {
		if strings.Contains(shown, strings.ToLower(token[i:i+size])) {
			require.Fail(t, "a piece of the token is shown", "%d bytes from byte %d", size, i)
		}
	}
	if parsed, err := macaroon.Parse(token); err == nil {
		for _, form := range []string{
			string(parsed.Signature()),
			hex.EncodeToString(parsed.Signature()),
			strings.TrimRight(base64.StdEncoding.EncodeToString(parsed.Signature()), "="),
			strings.TrimRight(base64.URLEncoding.EncodeToString(parsed.Signature()), "="),
		} {
			require.NotContains(t, shown, strings.ToLower(form), "the signature")
		}
	}
	require.NotContains(t, shown, strings.ToLower(secret), "the secret")
}

// file writes the text to a new file and returns its name.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// minted returns a token signed with the example secret.
func minted(t *testing.T, typ macaroon.Type, caveats ...string) string {
	t.Helper()
	token, err := macaroon.Mint(macaroon.Spec{
		Domain: exampleDomain, ID: "id1", Subject: caveat.User("u1"), Type: typ,
	}, store.NewSecret(exampleSecret))
	require.NoError(t, err)
	if len(caveats) > 0 {
		token, err = token.ConfineUnchecked(caveats...)
		require.NoError(t, err)
	}
	return token.String()
}
