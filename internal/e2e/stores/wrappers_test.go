//go:build e2e

package stores_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/seal"
)

// ringKey returns a key whose material depends on the id.
func ringKey(id string) seal.Key {
	return seal.Key{ID: id, Material: store.NewSecret(strings.Repeat(id+"________", 32)[:32])}
}

// sealed wraps the store with a seal. It seals with the key id and also opens
// with the others.
func sealed(tb testing.TB, s store.Store, id string, others ...string) seal.Store {
	tb.Helper()
	var old []seal.Key
	for _, id := range others {
		old = append(old, ringKey(id))
	}
	keys, err := seal.NewStaticKeys(ringKey(id), old...)
	require.NoError(tb, err)
	wrapped, err := seal.New(tb.Context(), s, keys, seal.Options{})
	require.NoError(tb, err)
	return wrapped
}

// forgetsNothing configures a cache that answers from memory until the feed
// reports a change.
var forgetsNothing = cache.Options{TTL: time.Hour, ShortTTL: time.Hour, NegativeTTL: time.Hour}

// cached wraps the store with a cache.
func cached(tb testing.TB, s store.Store, o cache.Options) cache.Store {
	tb.Helper()
	wrapped, err := cache.New(s, o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, wrapped.Close()) })
	return wrapped
}

// followed is like cached, and waits until the feed of the store is connected.
func followed(tb testing.TB, s store.Store, o cache.Options) cache.Store {
	tb.Helper()
	c := cached(tb, s, o)
	eventually(tb, func() bool { return c.Stats().FeedUp }, "the feed stands")
	return c
}

// plain is a store without a feed.
type plain struct{ store.Store }

func (plain) Watch(ctx context.Context, _ func(store.Change)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.ErrUnsupported
}
