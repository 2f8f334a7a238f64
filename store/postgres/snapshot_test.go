package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/transfer"
)

// Writes do not wait for a snapshot, and it does not see them.
func TestASnapshotDoesNotChange(t *testing.T) {
	t.Parallel()
	s := newStore(t, newPool(t, nil))
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
			if err := s.CreateIdentity(ctx, newUser(fmt.Sprint("v", read, "-", page.Kind))); err != nil {
				return err
			}
		}
		return nil
	}))
	require.Equal(t, 300, read)
	later, _, err := s.Export(t.Context(), store.IdentityRecords, "", store.MaxPage)
	require.NoError(t, err)
	require.Greater(t, len(later), 300)
}
