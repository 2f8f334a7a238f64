package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// TestDiskFull issues tokens until the disk is full. Acknowledged tokens are
// stored, later calls fail with an operational error, and the store works again
// when there is space. A limit of SQLite simulates the full disk.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	db := newHandle(t, newPath(t), "_journal_mode", "WAL", "_synchronous", "FULL")
	db.SetMaxOpenConns(1)
	s := newOver(t, db, sqlite.Options{})
	execute(t, db, fmt.Sprint("PRAGMA max_page_count = ", ask[int](t, db, "PRAGMA page_count")+20))
	fillUp(t, s, func() { execute(t, db, "PRAGMA max_page_count = 1000000") })
}

// fillUp issues tokens until the disk is full, and more after makeSpace.
func fillUp(t *testing.T, s *sqlite.Store, makeSpace func()) {
	t.Helper()
	require.NoError(t, s.CreateIdentity(t.Context(), newUser("alice")))
	require.NoError(t, second(s.RotateTemporaryKey(t.Context(), alice, store.NewSecret("temporary"))))
	authority, err := macaroon.NewAuthority(s)
	require.NoError(t, err)
	acknowledged := make(map[string]string)
	issue := func(i int) error {
		token, err := authority.IssueNamed(t.Context(), fmt.Sprint("token ", i), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		if err == nil {
			acknowledged[token.ID()] = token.String()
		}
		return err
	}
	i := 0
	for ; err == nil; i++ {
		require.Less(t, i, 100_000, "the disk did not become full")
		err = issue(i)
	}
	require.NotEmpty(t, acknowledged)
	// A token that fits into an existing page may still be created.
	for refused := 0; refused < 5; i++ {
		if err != nil {
			requireOperational(t, err)
			require.ErrorContains(t, err, "full")
			refused++
		}
		requireVerified(t, s, acknowledged)
		err = issue(i)
	}
	many := make([]store.Record, 500)
	for j := range many {
		token := newToken(fmt.Sprint("imported ", j))
		many[j].Token = &token
	}
	requireOperational(t, s.Import(t.Context(), many))
	require.Equal(t, len(acknowledged), requireWhole(t, s), "the store contains a token that was not acknowledged")

	makeSpace()
	for range 50 {
		require.NoError(t, issue(i))
		i++
	}
	require.NoError(t, s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
		i.FullName = "Alice"
		return nil
	}))
	requireVerified(t, s, acknowledged)
	require.Equal(t, len(acknowledged), requireWhole(t, s))
	requireSound(t, s)
}
