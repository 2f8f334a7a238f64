//go:build e2e

// Package mixedload keeps a cache busy with tokens that are issued, verified,
// changed and deleted, and measures the memory that it needs.
package mixedload

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
)

var alice = caveat.User("alice")

// TestTheCacheNeedsTheMemoryOfLiveTokens runs a mixed load for five minutes of
// the cache's clock. It is not parallel, because it measures the memory of the
// process.
func TestTheCacheNeedsTheMemoryOfLiveTokens(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, which runs the short tests, needs memory of its own")
	}
	const live, operations, minutes = 480, 60_000, 5 * time.Minute
	backend := memory.New()
	var now atomic.Int64 // Unix time in nanoseconds
	c, err := cache.New(backend, cache.Options{Clock: func() time.Time { return time.Unix(0, now.Load()) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	require.NoError(t, backend.CreateIdentity(t.Context(), store.Identity{Subject: alice}))
	authority, err := macaroon.NewAuthority(c)
	require.NoError(t, err)
	issued := 0
	issue := func() macaroon.Token {
		issued++
		token, err := authority.IssueNamed(t.Context(), fmt.Sprint("token ", issued), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		require.NoError(t, err)
		_, err = authority.VerifyAccess(t.Context(), token.String(), caveat.Request{})
		require.NoError(t, err)
		return token
	}
	tokens := make([]macaroon.Token, live)
	for i := range tokens {
		tokens[i] = issue()
	}
	random := rand.New(rand.NewPCG(1, 2))
	step := func() {
		i := random.IntN(live)
		token := tokens[i]
		switch random.IntN(10) {
		case 0, 1, 2:
			require.NoError(t, authority.Delete(t.Context(), token.ID()))
			if random.IntN(10) == 0 {
				_, err := authority.VerifyAccess(t.Context(), token.String(), caveat.Request{})
				require.ErrorIs(t, err, errors.IDTokenInvalid)
			}
			tokens[i] = issue()
		case 3:
			name := fmt.Sprint("renamed ", issued, " ", i, " ", random.Uint64())
			require.NoError(t, authority.Update(t.Context(), token.ID(), macaroon.Change{Name: &name}))
		default:
			_, err := authority.VerifyAccess(t.Context(), token.String(), caveat.Request{})
			require.NoError(t, err)
		}
		now.Add(int64(minutes / operations))
	}
	var heaps []int
	for n := range operations {
		if n%(operations/6) == 0 {
			heaps = append(heaps, heap())
		}
		step()
	}
	heaps = append(heaps, heap())
	t.Logf("%d tokens of which %d live, %d entries and %d negative ones; bytes in use: %v",
		issued, live, c.Stats().Entries, c.Stats().Negative, heaps)
	require.LessOrEqual(t, c.Stats().Entries, live, "entries of tokens that are gone")
	require.LessOrEqual(t, heaps[len(heaps)-1], heaps[1]+heaps[1]/5, "the memory grows: %v", heaps)
}

// heap returns the number of heap bytes in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // frees the memory of finalizers and pools
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
