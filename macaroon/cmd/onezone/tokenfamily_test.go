package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
)

// tokenNamed returns what token list prints of the token.
func tokenNamed(t *testing.T, file, name string) tokeninfo.Token {
	t.Helper()
	for _, info := range listTokens(t, file) {
		if info.Name == name {
			return info
		}
	}
	require.FailNow(t, "there is no such token", name)
	return tokeninfo.Token{}
}

// TestTokensAreTightenedLoosenedAndBaited changes tokens while the service runs.
func TestTokensAreTightenedLoosenedAndBaited(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	s, end := inProcess(t, "--store", "sqlite:"+file)
	defer end()
	laptop := issue(t, file, "--user", "alice", "--name", "laptop")
	works := func() bool { return s.do("GET", "/user/tokens/named", "", "X-Auth-Token", laptop.Token).status == 200 }
	require.True(t, works())
	do := func(args ...string) string {
		t.Helper()
		out, err := order(t, file, "", append([]string{"token"}, args...)...)
		require.NoError(t, err)
		return out
	}
	require.Equal(t, "tightened token "+laptop.TokenID+"\n", do("tighten", laptop.TokenID, "--caveat", "ip = 203.0.113.0/24"))
	eventually(t, func() bool { return !works() }, "the token is refused")
	require.Contains(t, do("show", laptop.TokenID), "\tip = 203.0.113.0/24\n")
	require.Contains(t, do("show", "--json", laptop.TokenID), `"serverCaveats"`)
	require.Contains(t, do("list"), "\tip = 203.0.113.0/24 (added)\n")
	require.JSONEq(t, `{"tokenId":"`+laptop.TokenID+`","result":"loosened"}`, do("loosen", "--json", laptop.TokenID, "--caveat", "ip = 203.0.113.0/24"))
	eventually(t, works, "the token works again")

	do("bait", laptop.TokenID)
	require.Contains(t, do("show", laptop.TokenID), "bait\talarm\n")
	eventually(t, func() bool { return !works() }, "the canary is refused")
	do("bait", laptop.TokenID, "--bait", "none")
	eventually(t, works, "the token works again")
	do("issue", "--user", "alice", "--name", "canary", "--bait", "revoke-family")
	require.Equal(t, "revoke-family", tokenNamed(t, file, "canary").Bait)

	for _, c := range []struct{ want, arg string }{
		{"needs --caveat", ""}, {"for flag --caveat", "moon = full"}, {"has not added it", "asn = 5"},
	} {
		args := []string{"token", "loosen", laptop.TokenID}
		if c.arg != "" {
			args = append(args, "--caveat", c.arg)
		}
		_, err := order(t, file, "", args...)
		require.ErrorContains(t, err, c.want)
	}
	_, err := order(t, file, "", "token", "tighten", "absent", "--caveat", "asn = 5")
	require.ErrorContains(t, err, `there is no named token with the id "absent"`)
}

func TestFamiliesAreShownRevokedAndDeleted(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	s, end := inProcess(t, "--store", "sqlite:"+file)
	defer end()
	mint := func(with, name string) issued {
		t.Helper()
		res := s.do("POST", "/user/tokens/named", `{"name":"`+name+`"}`, "X-Auth-Token", with)
		require.Equal(t, 201, res.status)
		var made issued
		require.NoError(t, json.Unmarshal([]byte(res.body), &made))
		return made
	}
	root := issue(t, file, "--user", "alice", "--name", "root")
	child := mint(root.Token, "child")
	grandchild := mint(child.Token, "grandchild")
	out, err := order(t, file, "", "token", "tree", root.TokenID)
	require.NoError(t, err)
	for _, line := range []string{"root\t" + root.TokenID, "  child\t" + child.TokenID, "    grandchild\t" + grandchild.TokenID} {
		require.Contains(t, out, line)
	}
	require.NotContains(t, out, grandchild.Token)
	out, err = order(t, file, "", "token", "tree", "--json", child.TokenID)
	require.NoError(t, err)
	require.Contains(t, out, grandchild.TokenID)
	require.NotContains(t, out, root.TokenID)

	_, err = order(t, file, "", "token", "revoke", "--family", child.TokenID)
	require.NoError(t, err)
	for name, state := range map[string]string{"root": tokeninfo.Active, "child": tokeninfo.Revoked, "grandchild": tokeninfo.Revoked} {
		require.Equal(t, state, tokenNamed(t, file, name).State)
	}
	_, err = order(t, file, "", "token", "delete", "--children", "adopt", root.TokenID)
	require.ErrorContains(t, err, "keep, revoke or delete")
	_, err = order(t, file, "", "token", "delete", "--children", "revoke", child.TokenID)
	require.NoError(t, err)
	require.Len(t, listTokens(t, file), 2)
	require.Equal(t, child.TokenID, tokenNamed(t, file, "grandchild").Parent)
	_, err = order(t, file, "", "token", "delete", "--children", "delete", root.TokenID)
	require.NoError(t, err)
	require.Len(t, listTokens(t, file), 1, "the parent of the grandchild is gone already")
}
