package sqlite_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
	"github.com/onezone-go/onezone/store/transfer"
)

// Writes of this store and of others do not wait for a snapshot, and it does not
// see them.
func TestASnapshotDoesNotChange(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, other := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})
	for i := range 300 {
		require.NoError(t, s.CreateIdentity(t.Context(), newUser(fmt.Sprint("u", i))))
	}
	read := 0
	require.NoError(t, s.Snapshot(t.Context(), func(ctx context.Context, from store.Exporter) error {
		for page, err := range transfer.Walk(ctx, from, transfer.Position{}, 100) {
			if err != nil {
				return err
			}
			read += len(page.Records)
			for i, writer := range []*sqlite.Store{s, other} {
				if err := writer.CreateIdentity(ctx, newUser(fmt.Sprint("v", read, "-", page.Kind, "-", i))); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	require.Equal(t, 300, read)
	later, _, err := s.Export(t.Context(), store.IdentityRecords, "", store.MaxPage)
	require.NoError(t, err)
	require.Greater(t, len(later), 300)
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Snapshot(t.Context(), nil), store.ErrClosed)
}
