package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// BenchmarkNamedKey compares a look-up with and without a seal.
func BenchmarkNamedKey(b *testing.B) {
	backend := memory.New()
	s := sealed(b, backend, ring(b, key1))
	fill(b, s)
	for name, s := range map[string]store.Store{"memory": backend, "sealed": s} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := s.NamedKey(b.Context(), "a")
				require.NoError(b, err)
			}
		})
	}
}
