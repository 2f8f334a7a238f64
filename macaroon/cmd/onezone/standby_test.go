package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
)

// TestAStandbyThatLagsAsksThePrimary pauses a standby before a token is issued.
func TestAStandbyThatLagsAsksThePrimary(t *testing.T) {
	t.Parallel()
	primary := pgtest.Own(t, "fsync=off")
	_, err := command(t, "user", "add", "--store", primary.URL, "--no-password", "alice")
	require.NoError(t, err)
	standby := primary.Standby(t)
	require.NoError(t, standby.PauseReplay())
	out, err := command(t, "token", "issue", "--store", primary.URL, "--user", "alice", "--name", "new", "--json")
	require.NoError(t, err)
	var issued struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(out), &issued))

	s, end := withoutDemo(t, "--store", standby.URL, "--last-use=false")
	require.Contains(t, s.verify(issued.Token, "127.0.0.1").body, "tokenInvalid")
	end()
	s, end = withoutDemo(t, "--store", standby.URL, "--last-use=false", "--primary-store", primary.URL)
	require.Equal(t, 200, s.verify(issued.Token, "127.0.0.1").status)
	end()
}
