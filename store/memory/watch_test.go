package memory

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
)

func TestEndedWatchIsUnregistered(t *testing.T) {
	t.Parallel()
	s := New()
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Watch(ctx, func(c store.Change) {
		require.Equal(t, store.FeedUp, c.Kind)
		require.Len(t, s.watchers, 1)
		cancel()
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, s.watchers)
}
