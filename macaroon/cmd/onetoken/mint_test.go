package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// The worked examples of the specification, byte for byte.
func TestMintMakesTheTokensOfTheOriginal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, secret string
		args         []string
		want         string
	}{
		{"a user's access token", exampleSecret, []string{"--id", exampleID, "--subject", exampleUser, "--type", "act", exampleTime, exampleIP}, exampleToken},
		{"the same with its lifetime", exampleSecret, []string{"--id", exampleID, "--subject", exampleUser, "--now", "1571143894", "--ttl", "1h", exampleIP}, exampleToken},
		{
			"a Oneprovider's temporary identity token", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
			[]string{"--id", "8a2f1c0e9d7b6a5f4e3d2c1b0a998877", "--subject", "prv-01c4455bef059353c9dfb35ba93a24f3", "--type", "idn", "--generation", "3", "time < 1700000000"},
			"MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDA2MWlkZW500aWZpZXIgMi900bXAtMy9wcnYtMDFjNDQ1NWJlZjA1OTM1M2M5ZGZiMzViYTkzYTI00ZjMvaWRuLzhhMmYxYzBlOWQ3YjZhNWY00ZTNkMmMxYjBhOTk4ODc3CjAwMWFjaWQgdGltZSA8IDE3MDAwMDAwMDAKMDAyZnNpZ25hdHVyZSBZm5kFcl9mQXO39qP4u9h6edowpJJo3dcixl1PFVZVIQo",
		},
		{
			"an invitation to support a space", "legacySecret",
			[]string{"--id", "28a45b0ce12fefe8e098e9d8c238d74f", "--subject", "usr-u1", "--type", "ssp:e8df04bb7a8f9a644a773daf24fe631b:ge"},
			"MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDA2NWlkZW500aWZpZXIgMi9ubWQvdXNyLXUxL3NzcDplOGRmMDRiYjdhOGY5YTY00NGE3NzNkYWYyNGZlNjMxYjpnZS8yOGE00NWIwY2UxMmZlZmU4ZTA5OGU5ZDhjMjM4ZDc00ZgowMDJmc2lnbmF00dXJlIEnq02TKGdhZRbExG6pnnI94ZwD7WK4lLwW95ZwV2x02lxCg",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"mint", "--domain", exampleDomain}, c.args...)
			env := map[string]string{secretVariable: c.secret}
			assert.Equal(t, c.want+"\n", onetokenWith(env, "", args...).done(t))
			// The file is used without its line ending.
			for _, ending := range []string{"", "\n", "\r\n"} {
				args := append([]string{"mint", "--secret-file", file(t, c.secret+ending), "--domain", exampleDomain}, c.args...)
				assert.Equal(t, c.want+"\n", onetokenWith(map[string]string{secretVariable: "another"}, "", args...).done(t))
			}
		})
	}
}

func TestMintGeneratesAnIDAndHasDefaults(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for range 3 {
		token, err := macaroon.Parse(strings.TrimSuffix(onetoken("", "mint", "--subject", "usr-alice").done(t), "\n"))
		require.NoError(t, err)
		assert.Regexp(t, `^[0-9a-f]{32}$`, token.ID())
		ids[token.ID()] = true
		assert.Equal(t, "onezone", token.Domain())
		assert.Equal(t, macaroon.AccessToken(), token.Type())
		assert.Equal(t, caveat.User("alice"), token.Subject())
		assert.Zero(t, token.Generation())
		assert.Empty(t, token.Caveats())
	}
	assert.Len(t, ids, 3)
}

func TestMintRejectsBadArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no subject", nil, "--subject usr-ID"},
		{"a subject without an id", []string{"--subject", "usr-"}, "tokenSubjectInvalid: "},
		{"nobody", []string{"--subject", "nobody"}, "tokenSubjectInvalid: "},
		{"a group", []string{"--subject", "grp-g1"}, "tokenSubjectInvalid: "},
		{"an id that is empty", []string{"--subject", "usr-a", "--id", ""}, "badValueIdentifier: "},
		{"an id of two parts", []string{"--subject", "usr-a", "--id", "a/b"}, "badValueIdentifier: "},
		{"a session of two parts", []string{"--subject", "usr-a", "--type", "act:a/b"}, "badValueTokenType: "},
		{"a domain that is empty", []string{"--subject", "usr-a", "--domain", ""}, "badValueDomain: "},
		{"an unknown caveat", []string{"--subject", "usr-a", "color = red"}, "caveat 1 is not in the language"},
		{"too many caveats", append([]string{"--subject", "usr-a"}, strings.Split(strings.Repeat(",data.readonly", 257)[1:], ",")...), "limitReached: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onetoken("", append([]string{"mint"}, c.args...)...).trouble(t, c.says)
		})
	}
}

func TestMintAndVerifyNeedAGoodSecret(t *testing.T) {
	t.Parallel()
	const large = maxSecretSize + 1
	for _, c := range []struct {
		name, env, says string
		args            []string
	}{
		{"none", "", "no secret given", nil},
		{"an empty line", "\n", "no secret given", nil},
		{"an empty file", exampleSecret, "no secret given", []string{"--secret-file", file(t, "")}},
		{"a file with an empty line", exampleSecret, "no secret given", []string{"--secret-file", file(t, "\n")}},
		{"no such file", exampleSecret, "reading the secret file: no such file or directory", []string{"--secret-file", file(t, "") + ".gone"}},
		{"a name that is empty", exampleSecret, "reading the secret file: no such file or directory", []string{"--secret-file", ""}},
		{"a directory", exampleSecret, "reading the secret file: is a directory", []string{"--secret-file", t.TempDir()}},
		{"two lines", exampleSecret, "the secret has more than one line", []string{"--secret-file", file(t, exampleSecret+"\nmore\n")}},
		{"two lines in the environment", exampleSecret + "\nmore", "the secret has more than one line", nil},
		{"too large", exampleSecret, "the secret has more than 65536 bytes", []string{"--secret-file", file(t, strings.Repeat("s", large))}},
		{"too large with a line ending", exampleSecret, "the secret has more than 65536 bytes", []string{"--secret-file", file(t, strings.Repeat("s", large)+"\r\n")}},
		{"too large in the environment", strings.Repeat("s", large), "the secret has more than 65536 bytes", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{secretVariable: c.env}
			for _, command := range [][]string{{"mint", "--subject", "usr-a"}, {"verify", "--now", "0", "--ip", "189.34.15.7"}} {
				o := onetokenWith(env, exampleToken, append(command, c.args...)...)
				o.trouble(t, c.says)
				leaksNothing(t, o.err, exampleToken, exampleSecret)
			}
		})
	}
	largest := file(t, strings.Repeat("s", maxSecretSize)+"\r\n")
	onetoken("", "mint", "--subject", "usr-a", "--secret-file", largest).done(t)
}
