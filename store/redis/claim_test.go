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

// A client that crashes while it deletes a token may leave its use. A new token
// with the id does not have it.
func TestANewTokenHasNoUseOfAFormerOne(t *testing.T) {
	t.Parallel()
	s := newClusterStore(t)
	token := store.Token{
		ID: "id", Name: "name", Version: 2, Subject: caveat.User("u"), Type: "act", Secret: store.NewSecret("secret"),
	}
	use := store.Use{TokenID: "id", At: 60, Count: 1}
	create := func() error {
		_, err := s.CreateToken(t.Context(), token, 0)
		return err
	}
	load := func() error { return s.Import(t.Context(), []store.Record{{Token: &token}}) }
	require.NoError(t, create())
	for _, again := range []func() error{create, load} {
		require.NoError(t, s.RecordUses(t.Context(), []store.Use{use}))
		created, rev, err := s.token(t.Context(), "id")
		require.NoError(t, err)
		_, err = s.commit(t.Context(), step{ops: append(s.dropToken(created, rev), s.unindex(created)...)}) // and it crashes
		require.NoError(t, err)
		require.NoError(t, again())
		uses, err := s.LastUses(t.Context(), []string{"id"})
		require.NoError(t, err)
		require.Equal(t, []store.Use{{}}, uses)
	}
}
