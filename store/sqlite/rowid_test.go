package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// Existing files contain these row ids.
func TestRowIDsNeverChange(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]uint64{"a": 0xaf63dc4c8601ec8c, "foobar": 0x85944171f73967e8} { // of FNV's own tests
		require.Equal(t, want, uint64(sqlite.RowIDOf(id)), id)
	}
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{})
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("a"), 0)))
	require.Equal(t, sqlite.RowIDOf("a"), ask[int64](t, newHandle(t, path), "SELECT row_id FROM onezone_tokens"))
}

// TestTokensWithTheSameRowIDAreKeptApart gives the row id of one token to
// others, as a rare collision of hashes does.
func TestTokensWithTheSameRowIDAreKeptApart(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{})
	db := newHandle(t, path)
	setRowID := func(id, idOfRow string) {
		t.Helper()
		execute(t, db, fmt.Sprintf("UPDATE onezone_tokens SET row_id = %d WHERE id = '%s'", sqlite.RowIDOf(idOfRow), id))
	}
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("colliding token"), 0)))
	setRowID("colliding token", "a")
	require.ErrorIs(t, second(s.NamedKey(t.Context(), "a")), errors.IDNotFound, "the key of the other token was returned")

	token, imported := newToken("a"), newToken("b")
	require.NoError(t, second(s.CreateToken(t.Context(), token, 0)))
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("second colliding token"), 0)))
	setRowID("second colliding token", "b")
	require.NoError(t, s.Import(t.Context(), []store.Record{{Token: &imported}}))
	for _, id := range []string{"colliding token", "second colliding token", "a", "b"} {
		key, err := s.NamedKey(t.Context(), id)
		require.NoError(t, err, id)
		require.True(t, key.Secret.Equal(newToken(id).Secret), "the key of another token was returned for %s", id)
		got, err := s.GetToken(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, id, got.ID)
		require.ErrorIs(t, second(s.CreateToken(t.Context(), newToken(id), 0)), errors.IDAlreadyExists)
	}

	// After the other token is deleted, the id still has exactly one token.
	require.NoError(t, s.DeleteToken(t.Context(), "colliding token"))
	require.ErrorIs(t, second(s.CreateToken(t.Context(), token, 0)), errors.IDAlreadyExists)
	imported = token
	imported.Revoked = true
	require.NoError(t, s.Import(t.Context(), []store.Record{{Token: &imported}}))
	key, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, key.Revoked, "the import did not replace the token")
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	require.ErrorIs(t, second(s.NamedKey(t.Context(), "a")), errors.IDNotFound)
	require.NoError(t, second(s.CreateToken(t.Context(), token, 0)))
	require.NoError(t, second(s.NamedKey(t.Context(), "a")))
}
