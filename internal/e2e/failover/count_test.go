//go:build e2e

package failover_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// broken is a store in memory that may do one in three calls wrongly.
type broken struct {
	*memory.Store
	loseTokens, loseRevocations, misreport, revokeAll, outage, deaf bool
	calls                                                           atomic.Int64
}

func (b *broken) isWrong(kind bool) bool { return kind && b.calls.Add(1)%3 == 0 }

func (b *broken) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	if b.isWrong(b.loseTokens) {
		return require, nil
	}
	return b.Store.CreateToken(ctx, t, require)
}

func (b *broken) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	if b.isWrong(b.loseRevocations) {
		return nil
	}
	return b.Store.UpdateToken(ctx, id, change)
}

func (b *broken) NamedKey(ctx context.Context, id string) (store.Key, error) {
	switch {
	case b.isWrong(b.misreport):
		return store.Key{}, errors.NotFound()
	case b.isWrong(b.outage):
		return store.Key{}, errors.New("the server is down")
	}
	key, err := b.Store.NamedKey(ctx, id)
	key.Revoked = key.Revoked || b.isWrong(b.revokeAll)
	return key, err
}

func (b *broken) Watch(ctx context.Context, observe func(store.Change)) error {
	return b.Store.Watch(ctx, func(c store.Change) {
		if !b.deaf || c.Kind == store.FeedUp {
			observe(c)
		}
	})
}

// TestTheCountNotices puts the load on stores that are wrong on purpose.
func TestTheCountNotices(t *testing.T) {
	t.Parallel()
	clean := func(t *testing.T, c tally, served bool) {
		assert.Zero(t, c.lost)
		assert.Empty(t, c.wrong)
		assert.Empty(t, c.outages)
		assert.True(t, served)
	}
	for name, c := range map[string]struct {
		store *broken
		check func(t *testing.T, c tally, served bool)
	}{
		"nothing is wrong": {&broken{}, clean},
		"creations are acknowledged and not done": {&broken{loseTokens: true}, func(t *testing.T, c tally, served bool) {
			assert.NotZero(t, c.lost)
			assert.Empty(t, c.wrong, "tokenInvalid is right for lost tokens")
		}},
		"revocations are acknowledged and not done": {&broken{loseRevocations: true}, func(t *testing.T, c tally, served bool) {
			assert.NotZero(t, c.lost)
			assert.NotZero(t, c.wrong["a revoked token is accepted"])
		}},
		"outages are reported as missing records": {&broken{misreport: true}, func(t *testing.T, c tally, served bool) {
			assert.Zero(t, c.lost)
			assert.NotZero(t, c.wrong["tokenInvalid"])
		}},
		"tokens are reported as revoked": {&broken{revokeAll: true}, func(t *testing.T, c tally, served bool) {
			assert.NotZero(t, c.wrong["tokenRevoked"])
		}},
		"outages are reported as outages": {&broken{outage: true}, func(t *testing.T, c tally, served bool) {
			assert.NotZero(t, c.outages["unavailable"])
			assert.Empty(t, c.wrong)
		}},
		"the feed does not report changes": {&broken{deaf: true}, func(t *testing.T, c tally, served bool) {
			assert.False(t, served)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.store.Store = memory.New()
			l := newLedger(userIDs())
			load, err := begin(t.Context(), l, c.store, c.store)
			require.NoError(t, err)
			l.faultAt(time.Now())
			require.NoError(t, until("the load runs", func() (bool, error) { return l.writes() >= 3*warmUp, nil }))
			load.stop()
			load.all.Wait()
			_, _, served := l.recovered()
			count, err := l.audit(t.Context(), c.store.Store)
			require.NoError(t, err)
			require.NoError(t, load.end())
			require.NotZero(t, count.verified)
			c.check(t, count, served)
		})
	}
}
