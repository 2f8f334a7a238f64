package redis

import (
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
)

// newClusterStore returns a store on the cluster that all tests share.
func newClusterStore(t *testing.T) *Store {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: redistest.ClusterAddrs(t)})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	s := New(client, Options{Prefix: redistest.Prefix()})
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

// A pointer is not taken over when the record appears after it was found missing.
func TestFenceIsRejectedIfTheRecordExists(t *testing.T) {
	t.Parallel()
	s := newClusterStore(t)
	token := store.Token{
		ID: "id", Name: "name", Version: 2, Subject: caveat.User("u"), Type: "act", Secret: store.NewSecret("secret"),
	}
	c := s.tokenClaim(token)
	_, err := s.commit(t.Context(), step{ops: []op{write("SET", c.key, encodePointer(c.subject))}})
	require.NoError(t, err)
	p, err := s.pointer(t.Context(), c.key)
	require.NoError(t, err)
	key, value, leads, err := c.holder(t.Context(), p.subject)
	require.NoError(t, err)
	require.False(t, leads)
	_, err = s.commit(t.Context(), step{ops: s.putToken(token)})
	require.NoError(t, err)
	_, err = s.commit(t.Context(), step{ops: s.fence(p, key, revision(value))})
	require.ErrorIs(t, err, errStale)
}

func TestSlotsOfShards(t *testing.T) {
	t.Parallel()
	s := newClusterStore(t)
	seen := make(map[int64]bool)
	for _, tag := range tags {
		want, err := s.client.Do(t.Context(), s.client.B().ClusterKeyslot().Key(s.key(tokenKind, tag, "any {id}")).Build()).AsInt64()
		require.NoError(t, err)
		require.Equal(t, want, slotOf(tag), "tag %s", tag)
		seen[want] = true
	}
	require.Len(t, seen, shards, "two shards have the same slot")
}
