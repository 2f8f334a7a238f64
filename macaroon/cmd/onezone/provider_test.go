package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A registered Oneprovider proves who it is, and users may use their tokens with
// it while it is not blocked.
func TestOneprovidersAreUsedAsServices(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	out, err := order(t, file, "", "provider", "add", "lyon-1")
	require.NoError(t, err)
	require.Equal(t, "registered Oneprovider lyon-1\n", out)
	worker := issue(t, file, "--provider", "lyon-1", "--name", "worker", "--type", "identity").Token
	token := issue(t, file, "--user", "alice", "--name", "laptop", "--caveat", "service = opw-lyon-1").Token
	s, end := inProcess(t, "--store", "sqlite:"+file)
	defer end()
	verify := func(serviceToken string) answer {
		body := map[string]string{"token": token, "peerIp": "127.0.0.1"}
		if serviceToken != "" {
			body["serviceToken"] = serviceToken
		}
		return s.do("POST", "/tokens/verify_access_token", encoded(t, body))
	}
	require.Equal(t, 200, verify(worker).status)
	require.Equal(t, 400, verify("").status, "the caveat allows the Oneprovider only")

	for _, c := range []struct {
		command, said string
		status        int
	}{{"block", "blocked", 400}, {"unblock", "unblocked", 200}} {
		out, err = order(t, file, "", "provider", c.command, "lyon-1")
		require.NoError(t, err)
		require.Equal(t, c.said+" Oneprovider lyon-1\n", out)
		eventually(t, func() bool { return verify(worker).status == c.status }, c.command)
	}
	out, err = order(t, file, "", "provider", "list")
	require.NoError(t, err)
	require.Contains(t, out, "\nlyon-1\tno\t20")
	_, err = order(t, file, "", "provider", "delete", "lyon-1")
	require.NoError(t, err)
	eventually(t, func() bool { return verify(worker).status == 400 }, "the Oneprovider is gone")
	out, err = order(t, file, "", "provider", "list", "--json")
	require.NoError(t, err)
	require.JSONEq(t, "[]", out)
	_, err = order(t, file, "", "store", "check")
	require.NoError(t, err, "nothing is left over")
}

func TestMistakesAboutOneprovidersAreReported(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice")
	_, err := order(t, file, "", "provider", "add", "lyon-1")
	require.NoError(t, err)
	_, err = order(t, file, "", "provider", "add", "lyon-1")
	require.ErrorContains(t, err, `there is a Oneprovider "lyon-1": alreadyExists`)
	_, err = order(t, file, "", "provider", "add", "a b")
	require.Equal(t, exitUsage, exitCode(err))
	require.ErrorContains(t, err, `"a b" is not an id`)
	for _, command := range []string{"block", "unblock", "delete"} {
		_, err = order(t, file, "", "provider", command, "absent")
		require.ErrorContains(t, err, `Oneprovider "absent": `, command)
		require.ErrorContains(t, err, "notFound", command)
	}
	_, err = order(t, file, "", "token", "issue", "--provider", "absent", "--name", "worker")
	require.ErrorContains(t, err, "tokenSubjectInvalid")
	_, err = order(t, file, "", "token", "issue", "--provider", "lyon-1", "--user", "alice")
	require.ErrorContains(t, err, "either --user NAME or --provider ID")
}
