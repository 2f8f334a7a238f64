package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Admin routes answer users with the right, from the moment when it is granted
// until it is withdrawn.
func TestAnAdministratorManagesTheTokensOfOthers(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice", "bob")
	laptop := issue(t, file, "--user", "bob", "--name", "laptop")
	admin := issue(t, file, "--user", "alice", "--name", "admin").Token
	audit := filepath.Join(t.TempDir(), "audit.jsonl")
	s, end := inProcess(t, "--store", "sqlite:"+file, "--audit", audit, "--log-format", "json")
	defer end()
	ask := func(method, path, body string) int {
		return s.do(method, path, body, "X-Auth-Token", admin).status
	}
	bob := listTokens(t, file, "--user", "bob")[0].Subject[len("usr-"):]
	routes := []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/tokens/named", "", 200},
		{"GET", "/tokens/named/" + laptop.TokenID, "", 200},
		{"GET", "/users/" + bob + "/tokens/named", "", 200},
		{"POST", "/users/" + bob + "/tokens/named", `{"name": "phone"}`, 201},
		{"PATCH", "/tokens/named/" + laptop.TokenID, `{"revoked": true}`, 204},
		{"DELETE", "/users/" + bob + "/tokens/temporary", "", 204},
	}
	for _, r := range routes {
		require.Equal(t, 403, ask(r.method, r.path, r.body), r.path)
	}
	var denied []auditLine
	for _, line := range auditLines(t, audit) {
		if line.Event == "denied" {
			denied = append(denied, line)
		}
	}
	require.Len(t, denied, len(routes), "each is in the audit file")
	eventually(t, func() bool { return strings.Count(s.log.String(), `"kind":"denied"`) == len(routes) }, "and in the log")
	last := denied[4]
	require.Equal(t, auditLine{
		Time: last.Time, ID: last.ID, Event: "denied", Outcome: "failure", Reason: "forbidden", Actor: last.Actor, Method: "token",
		ActorToken: last.ActorToken, Client: "127.0.0.1", Request: last.Request, Subject: "usr-" + bob, Token: laptop.TokenID,
	}, last)
	require.NotEmpty(t, last.Request)
	require.Regexp(t, "^usr-[0-9a-f]{32}$", last.Actor)

	out, err := order(t, file, "", "user", "grant", "alice", "oz_tokens_manage")
	require.NoError(t, err)
	require.Equal(t, "granted to alice: oz_tokens_manage\n", out)
	for _, r := range routes {
		require.Equal(t, r.status, ask(r.method, r.path, r.body), r.path)
	}
	require.Equal(t, 400, s.verify(laptop.Token, "127.0.0.1").status, "the token of another user was revoked")
	out, err = order(t, file, "", "user", "show", "--json", "alice")
	require.NoError(t, err)
	var shown userInfo
	require.NoError(t, json.Unmarshal([]byte(out), &shown))
	require.Equal(t, []string{"oz_tokens_manage"}, shown.Rights)

	_, err = order(t, file, "", "user", "withdraw", "alice", "oz_tokens_manage")
	require.NoError(t, err)
	require.Equal(t, 403, ask("GET", "/tokens/named", ""))
}

func TestUnknownRightsAreMistakes(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	_, err := order(t, file, "", "user", "grant", "alice", "oz_token_manage")
	require.Equal(t, exitUsage, exitCode(err))
	require.ErrorContains(t, err, `unknown right "oz_token_manage", did you mean oz_tokens_manage?`)
	_, err = order(t, file, "", "user", "grant", "bob", "oz_tokens_manage")
	require.ErrorContains(t, err, `there is no user "bob"`)
	_, err = order(t, file, "", "user", "grant", "alice")
	require.ErrorContains(t, err, "onezone user grant needs RIGHT")
}
