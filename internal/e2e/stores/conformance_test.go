//go:build e2e

package stores_test

import (
	"testing"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/storetest"
)

// TestConformance runs the suite for every engine with a seal and with a cache.
// The engines alone are tested in their own packages.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(t *testing.T, s store.Store) store.Store{
		"sealed": func(t *testing.T, s store.Store) store.Store { return sealed(t, s, "k") },
		"cached": func(t *testing.T, s store.Store) store.Store { return cached(t, s, forgetsNothing) },
		"sealed and cached": func(t *testing.T, s store.Store) store.Store {
			return cached(t, sealed(t, s, "k"), forgetsNothing)
		},
	} {
		if testing.Short() && name != "sealed and cached" {
			continue // short runs test only the combination of both
		}
		for _, e := range engines {
			t.Run(e.name+" "+name, func(t *testing.T) {
				t.Parallel()
				e.make(t) // skips all at once where there is no server
				storetest.Run(t, func(t *testing.T) store.Store { return wrap(t, e.make(t)(t)) })
			})
		}
	}
}
