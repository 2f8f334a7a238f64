package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// TestSlotOfALeavingCallerIsPassedOn lets callers leave at the moment when they
// receive a slot. It needs no server.
func TestSlotOfALeavingCallerIsPassedOn(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://127.0.0.1:1/none")
	require.NoError(t, err)
	defer pool.Close()
	s := New(pool, Options{})
	defer s.Close()
	for range maxSlots - 1 {
		require.True(t, s.creations.takeSlot(nil))
	}
	for i := range 200 {
		require.True(t, s.creations.takeSlot(nil), "the slot was lost")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := s.CreateToken(ctx, store.Token{
				ID: fmt.Sprint(i), Name: "name", Version: 2, Subject: caveat.User("alice"), Type: "act", Secret: store.NewSecret("secret"),
			}, 0)
			ended <- err
		}()
		require.Eventually(t, func() bool { return s.Waiting() == 1 }, 10*time.Second, 50*time.Microsecond)
		cancel()
		s.passSlot()
		require.ErrorIs(t, <-ended, context.Canceled)
	}
}
