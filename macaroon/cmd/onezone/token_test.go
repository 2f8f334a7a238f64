package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
)

// issued is the output of token issue.
type issued struct{ TokenID, Token string }

// issue issues a token with the program.
func issue(t *testing.T, file string, args ...string) (made issued) {
	t.Helper()
	out, err := order(t, file, "", append([]string{"token", "issue", "--json"}, args...)...)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &made))
	return made
}

// listTokens returns the tokens that token list prints.
func listTokens(t *testing.T, file string, args ...string) (list []tokeninfo.Token) {
	t.Helper()
	out, err := order(t, file, "", append([]string{"token", "list", "--json"}, args...)...)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	return list
}

// userStore returns the file of a store with the users.
func userStore(t *testing.T, names ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "onezone.db")
	for _, name := range names {
		_, err := order(t, file, "", "user", "add", "--no-password", name)
		require.NoError(t, err)
	}
	return file
}

func TestTokensOfAnyUserAreManagedWhileTheServiceRuns(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice", "bob")
	s, end := inProcess(t, "--store", "sqlite:"+file)
	defer end()
	laptop := issue(t, file, "--user", "alice", "--name", "laptop", "--caveat", "ip = 127.0.0.0/8", "--caveat", "interface = rest")
	_ = issue(t, file, "--user", "bob", "--name", "phone")
	verified := func() int {
		return s.do("GET", "/user/tokens/named", "", "X-Auth-Token", laptop.Token).status
	}
	require.Equal(t, 200, verified())

	out, err := order(t, file, "", "token", "revoke", laptop.TokenID)
	require.NoError(t, err)
	require.Equal(t, "revoked token "+laptop.TokenID+"\n", out)
	eventually(t, func() bool { return verified() == 401 }, "the token is refused")
	require.Equal(t, tokeninfo.Revoked, listTokens(t, file, "--user", "alice")[0].State)
	_, err = order(t, file, "", "token", "restore", laptop.TokenID)
	require.NoError(t, err)
	eventually(t, func() bool { return verified() == 200 }, "the token works again")

	out, err = order(t, file, "", "token", "show", laptop.TokenID)
	require.NoError(t, err)
	for _, line := range []string{"name\tlaptop", "user\talice", "state\tactive", "type\taccess token", "expires\tnever", "caveat\tip = 127.0.0.0/8"} {
		require.Contains(t, out, line+"\n")
	}
	require.NotContains(t, out, laptop.Token)
	out, err = order(t, file, "", "token", "show", "--json", laptop.TokenID)
	require.NoError(t, err)
	require.Equal(t, "laptop", field(t, out, "name"))

	out, err = order(t, file, "", "token", "delete", "--json", laptop.TokenID)
	require.NoError(t, err)
	require.JSONEq(t, `{"tokenId": "`+laptop.TokenID+`", "result": "deleted"}`, out)
	eventually(t, func() bool { return verified() == 401 }, "the token is gone")
	for _, command := range []string{"show", "revoke", "restore", "delete"} {
		_, err = order(t, file, "", "token", command, laptop.TokenID)
		require.ErrorIs(t, err, onezoneerrors.IDNotFound, command)
		require.ErrorContains(t, err, "there is no named token with the id", command)
	}
}

func TestTemporaryTokensAreIssued(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	s, end := inProcess(t, "--store", "sqlite:"+file)
	defer end()
	out, err := order(t, file, "", "token", "issue", "--user", "alice", "--ttl", "1h")
	require.NoError(t, err)
	require.Equal(t, 200, s.verify(strings.TrimSpace(out), "127.0.0.1").status, "the text alone is on the line")
	_, err = order(t, file, "", "token", "issue", "--user", "alice")
	require.ErrorContains(t, err, "tokenTimeCaveatRequired")
	_, err = order(t, file, "", "token", "issue", "--user", "alice", "--ttl", "31d")
	require.ErrorContains(t, err, "tokenTimeCaveatRequired")
	_, err = order(t, file, "", "token", "issue", "--user", "alice", "--ttl", "31d", "--max-temporary-ttl", "32d")
	require.NoError(t, err)
	require.Empty(t, listTokens(t, file))
}

func TestListsOfTokensAreFiltered(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice", "bob")
	past := issue(t, file, "--user", "alice", "--name", "past", "--caveat", "time < 1000000000")
	soon := issue(t, file, "--user", "alice", "--name", "soon", "--ttl", "1d")
	late := issue(t, file, "--user", "bob", "--name", "late", "--ttl", "100d")
	never := issue(t, file, "--user", "bob", "--name", "never", "--type", "identity")
	revoked := issue(t, file, "--user", "bob", "--name", "revoked")
	_, err := order(t, file, "", "token", "revoke", revoked.TokenID)
	require.NoError(t, err)
	for _, c := range []struct {
		args string
		want []issued
	}{
		{"", []issued{past, soon, late, never, revoked}},
		{"--user alice", []issued{past, soon}},
		{"--state active", []issued{soon, late, never}},
		{"--state expired", []issued{past}},
		{"--state revoked", []issued{revoked}},
		{"--type identity", []issued{never}},
		{"--type invite", nil},
		{"--expires-before 30d", []issued{past, soon}},
		{"--expires-before 2001-09-10", []issued{past}},
		{"--expires-after 30d", []issued{late, never, revoked}},
		{"--expires-after 1h --expires-before 30d --user alice", []issued{soon}},
		{"--expires-after " + time.Now().UTC().Add(50*24*time.Hour).Format(time.RFC3339) + " --type access --state active", []issued{late}},
	} {
		want, got := []string{}, []string{}
		for _, each := range c.want {
			want = append(want, each.TokenID)
		}
		for _, each := range listTokens(t, file, strings.Fields(c.args)...) {
			got = append(got, each.ID)
		}
		require.ElementsMatch(t, want, got, c.args)
	}
	out, err := order(t, file, "", "token", "list", "--state", "expired")
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(out, "\n"))
	require.Contains(t, out, past.TokenID+"\tpast\talice\taccess\texpired\t20")
	require.Contains(t, out, "\t2001-09-09T01:46:40Z\ttime < 1000000000\n")
}

func TestMistakesInTokenCommandsAreReported(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	issue(t, file, "--user", "alice", "--name", "taken")
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"issue --user alice --name taken", exitFailure, `alice has a token with the name "taken": `},
		{"issue --name laptop", exitUsage, "onezone token issue needs either --user NAME or --provider ID"},
		{"issue --user alice --ttl 5", exitUsage, `"5" for flag --ttl: want a number with a unit`},
		{"issue --user alice --ttl -1h", exitUsage, `"-1h" for flag --ttl`},
		{"issue --user alice --caveat ip=10.0.0.0/8", exitUsage, "; its kind has the form ip = A.B.C.D/LENGTH|..."},
		{"issue --user alice --caveat moon", exitUsage, "; its kind must be one of time, ip, "},
		{"issue --user alice --caveat nonsense", exitUsage, `"nonsense" for flag --caveat: want the text of a caveat, such as "ip = 10.0.0.0/8"`},
		{"issue --user alice --type invite", exitUsage, `"invite" for flag --type: want access or identity`},
		{"issue --user bob --name laptop", exitFailure, `there is no user "bob"`},
		{"issue --user alice", exitFailure, "give --name for a named token, or --ttl for a temporary one: tokenTimeCaveatRequired"},
		{"show 5f3a", exitFailure, `there is no named token with the id "5f3a"; onezone token list lists all`},
		{"revoke 5f3a", exitFailure, `there is no named token with the id "5f3a"`},
		{"restore 5f3a", exitFailure, `there is no named token with the id "5f3a"`},
		{"delete 5f3a", exitFailure, `there is no named token with the id "5f3a"`},
		{"list --state gone", exitUsage, `"gone" for flag --state: want active, revoked or expired`},
		{"list --type x", exitUsage, `"x" for flag --type: want access, identity or invite`},
		{"list --expires-before tomorrow", exitUsage, `"tomorrow" for flag --expires-before: want a date such as 2026-12-24`},
		{"list --expires-after 2026-13-01", exitUsage, `"2026-13-01" for flag --expires-after: want a date`},
		{"list --user bob", exitFailure, `there is no user "bob"`},
		{"revoke", exitUsage, "onezone token revoke needs ID"},
	} {
		_, err := order(t, file, "", append([]string{"token"}, strings.Fields(c.args)...)...)
		require.ErrorContains(t, err, c.want, c.args)
		require.Equal(t, c.code, exitCode(err), c.args)
	}
}
