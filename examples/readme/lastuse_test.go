package readme

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/store"
)

// newRecordingAuthority returns an authority that records the uses of tokens.
// The caller must close it before the store.
func newRecordingAuthority(s store.Store) (*macaroon.Authority, error) {
	return macaroon.NewAuthority(s, macaroon.WithLastUse(macaroon.LastUse{
		Address: macaroon.AddressNetwork, // 192.0.2.0/24 instead of 192.0.2.7
	}))
}

// unused returns the ids of the user's tokens that were created before the time
// and not used since.
func unused(ctx context.Context, a *macaroon.Authority, user caveat.Subject, since time.Time) (ids []string, err error) {
	q := store.Query{Subject: user}
	for {
		page, next, err := a.ListUnusedIDs(ctx, q, since)
		if err != nil {
			return nil, err
		}
		if ids = append(ids, page...); next.IsZero() {
			return ids, nil
		}
		q.After = next
	}
}

func TestTokensThatNobodyUsesAreFound(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	a, err := newRecordingAuthority(h.Store)
	require.NoError(t, err)
	used, other := h.Token(), h.Token()
	_, err = a.VerifyAccess(t.Context(), used.String(), caveat.Request{})
	require.NoError(t, err)
	require.NoError(t, a.Close(t.Context()))
	since := h.Clock.Now().Add(time.Hour) // both were created before
	ids, err := unused(t.Context(), a, h.Alice, since)
	require.NoError(t, err)
	require.Equal(t, []string{other.ID()}, ids)
}
