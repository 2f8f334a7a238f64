package cache_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
)

// verification returns a complete verification over the store, from the text of
// a token.
func verification(b *testing.B, s store.Store, name string) func() {
	b.Helper()
	authority, err := macaroon.NewAuthority(s)
	require.NoError(b, err)
	issued, err := authority.IssueNamed(b.Context(), name, macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Time{ValidUntil: time.Now().Unix() + 3600}},
	})
	require.NoError(b, err)
	text := issued.String()
	return func() {
		if _, err := authority.VerifyAccess(b.Context(), text, caveat.Request{}); err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkVerify compares verifications over the memory store with those over
// a cache in front of it, which should take at most 1.5 times as long. The
// cache uses the real clock.
func BenchmarkVerify(b *testing.B) {
	backend := memory.New()
	cached, err := cache.New(backend, cache.Options{})
	require.NoError(b, err)
	defer func() { require.NoError(b, cached.Close()) }()
	fill(b, backend)
	overMemory, overCache := verification(b, backend, "memory"), verification(b, cached, "cached")

	for _, c := range []struct {
		name   string
		verify func()
	}{{"memory", overMemory}, {"cached", overCache}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.verify()
			}
		})
		b.Run(c.name+" in parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					c.verify()
				}
			})
		})
	}
	// Alternating, and the best of each, so that other load on the machine does
	// not count.
	b.Run("ratio", func(b *testing.B) {
		const batch = 100
		best := [2]time.Duration{time.Hour, time.Hour}
		for b.Loop() {
			for i, verify := range []func(){overMemory, overCache} {
				start := time.Now()
				for range batch {
					verify()
				}
				best[i] = min(best[i], time.Since(start))
			}
		}
		b.ReportMetric(float64(best[1])/float64(best[0]), "cached/memory")
	})
}

// BenchmarkNamedKey measures a hit and a miss.
func BenchmarkNamedKey(b *testing.B) {
	backend := memory.New()
	fill(b, backend)
	for _, c := range []struct {
		name string
		o    cache.Options
	}{{"hit", cache.Options{}}, {"miss", cache.Options{TTL: 1, ShortTTL: 1}}} {
		s, err := cache.New(backend, c.o)
		require.NoError(b, err)
		defer func() { require.NoError(b, s.Close()) }()
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.NamedKey(b.Context(), "a"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
