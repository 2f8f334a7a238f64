package macaroon_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/memory"
)

// A user name that imitates the key of another user and address does not affect
// that key's count.
func TestNoUserNameIsTheThrottleKeyOfSomethingElse(t *testing.T) {
	t.Parallel()
	clock := time.Unix(1_700_000_000, 0)
	a, err := macaroon.NewAuthority(memory.New(), macaroon.WithPasswordIterations(2048),
		macaroon.WithClock(func() time.Time { return clock }))
	require.NoError(t, err)
	_, err = a.CreateUser(t.Context(), macaroon.NewUser{ID: "alice", Username: "alice", Password: "correct horse"})
	require.NoError(t, err)
	from := func(address string) func(username, password string) (caveat.Subject, error) {
		ctx := macaroon.WithActor(t.Context(), macaroon.Actor{Address: netip.MustParseAddr(address)})
		return func(username, password string) (caveat.Subject, error) { return a.LogIn(ctx, username, password) }
	}
	home, elsewhere := from("203.0.113.7"), from("198.51.100.1")
	_, err = home("alice", "correct horse")
	require.NoError(t, err)
	for _, username := range []string{"alice", "alice at 203.0.113.7"} {
		for range macaroon.DefaultFailures {
			_, err := elsewhere(username, "a guess")
			require.ErrorIs(t, err, errors.IDBadBasicCredentials)
		}
	}
	_, err = home("alice", "correct horse")
	require.NoError(t, err, "an address that alice has logged in from has a count of its own")
}
