package redis_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

// Not parallel, because it measures the memory of the process. It lists a
// subject with 10,000 tokens among as many of another.
func TestListingNeedsTheMemoryOfAPage(t *testing.T) {
	s := newStore(t, newSingleClient(t), redis.Options{})
	const tokens = 10_000
	payload := strings.Repeat("x", 1000)
	for from := 0; from < tokens; from += store.MaxPage / 2 {
		var records []store.Record
		for i := range store.MaxPage / 2 {
			token := newToken(fmt.Sprint("token ", from+i))
			token.Caveats, token.Created = []string{payload}, int64(i)
			other := token
			other.ID, other.Subject = "other "+token.ID, bob
			records = append(records, store.Record{Token: &token}, store.Record{Token: &other})
		}
		require.NoError(t, s.Import(t.Context(), records))
	}
	inUse := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before, most, listed := inUse(), 0, 0
	for q := (store.Query{Subject: alice, Limit: 100}); ; {
		page, next, err := s.ListTokens(t.Context(), q)
		require.NoError(t, err)
		for _, token := range page {
			require.Equal(t, alice, token.Subject)
		}
		listed += len(page)
		most = max(most, inUse()-before)
		if next.IsZero() {
			break
		}
		q.After = next
	}
	require.Equal(t, tokens, listed)
	require.Less(t, most, 1<<20, "all tokens together take %d bytes and more", tokens*len(payload))
}
