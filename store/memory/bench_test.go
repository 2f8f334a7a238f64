package memory_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// storeOf returns a store with n tokens of users with an identity each.
func storeOf(b *testing.B, n int) *memory.Store {
	b.Helper()
	s := memory.New()
	for i := range n {
		subject := caveat.User(fmt.Sprint("user", i%1000))
		_ = s.CreateIdentity(b.Context(), store.Identity{Subject: subject})
		t := newToken(tokenID(i))
		t.Subject, t.Created = subject, int64(i)
		if err := second(s.CreateToken(b.Context(), t, 0)); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func tokenID(i int) string { return fmt.Sprintf("%032x", i) }

func BenchmarkNamedKey(b *testing.B) {
	for _, n := range []int{10, 1_000_000} {
		s := storeOf(b, n)
		// The number of looked-up tokens is constant, so that processor caches
		// have no influence.
		var ids [10]string
		for i := range ids {
			ids[i] = tokenID(i * (n / len(ids)))
		}
		b.Run(fmt.Sprintf("tokens=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := s.NamedKey(context.Background(), ids[i%len(ids)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
		b.Run(fmt.Sprintf("parallel/tokens=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					if _, err := s.NamedKey(context.Background(), ids[i%len(ids)]); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkTemporaryKey(b *testing.B) {
	s := memory.New()
	if _, err := s.EnsureTemporaryKey(b.Context(), alice, store.NewSecret("secret")); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.TemporaryKey(context.Background(), alice); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCreateAndDeleteToken creates and deletes one token among a million.
func BenchmarkCreateAndDeleteToken(b *testing.B) {
	s := storeOf(b, 1_000_000)
	t := newToken("new")
	t.Created = 500_000
	b.ReportAllocs()
	for b.Loop() {
		if err := second(s.CreateToken(b.Context(), t, 0)); err != nil {
			b.Fatal(err)
		}
		if err := s.DeleteToken(b.Context(), t.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListTokens(b *testing.B) {
	s := storeOf(b, 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		page, _, err := s.ListTokens(b.Context(), store.Query{Subject: caveat.User("user500")})
		if err != nil || len(page) != store.DefaultPage {
			b.Fatal(len(page), err)
		}
	}
}
