package cache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
)

func Example() {
	ctx := context.Background()
	backend := memory.New() // or a database
	defer backend.Close()
	s, err := cache.New(backend, cache.Options{MaxEntries: 10_000, ShortTTL: time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()

	_, err = s.CreateToken(ctx, store.Token{
		ID: "7d20", Name: "laptop", Version: 2, Subject: caveat.User("4a1f"), Type: "act",
		Secret: store.NewSecret("0a6f"),
	}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := s.NamedKey(ctx, "7d20")
	fmt.Println(key.Revoked, err)
	err = s.UpdateToken(ctx, "7d20", func(t *store.Token) error {
		t.Revoked = true
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err = s.NamedKey(ctx, "7d20")
	fmt.Println(key.Revoked, err)
	// Output:
	// false <nil>
	// true <nil>
}

// The counters of a cache can be exported as metrics.
func ExampleStore() {
	ctx := context.Background()
	s, err := cache.New(memory.New(), cache.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	if _, err := s.EnsureTemporaryKey(ctx, caveat.User("4a1f"), store.NewSecret("0a6f")); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := s.TemporaryKey(ctx, caveat.User("4a1f")); err != nil {
		fmt.Println(err)
		return
	}
	stats := s.Stats()
	fmt.Println(stats.Misses, stats.Loads, stats.LoadErrors)
	// Output: 1 1 0
}
