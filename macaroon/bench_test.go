package macaroon_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// The benchmarks measure whole verifications, from the text of a token to its
// subject, with a store in memory. Command internal/e2e/bench compares them
// with other libraries and with targets.

var (
	benchUser    = caveat.User("4c7c4c4d1e0a47d7a6c2f9be0a5b8f63")
	benchSecret  = store.NewSecret("5fae9847bfb530bae8c20128b462076fd69fc89bdd26759b81020f1dcc3fcd04")
	benchRequest = caveat.Request{Now: start, IP: mustAddr("10.1.2.3"), Interface: caveat.REST}
)

// benchSpec returns the i-th token, with n caveats that alternate between three
// types.
func benchSpec(i, n int) macaroon.Spec {
	three := []caveat.Caveat{
		caveat.Until(start.Add(time.Hour)), caveat.MustParse("ip = 192.0.2.0/24|10.0.0.0/8"), caveat.REST,
	}
	cs := make([]caveat.Caveat, n)
	for j := range cs {
		cs[j] = three[j%len(three)]
	}
	return macaroon.Spec{
		Domain: "onezone.example.org", ID: fmt.Sprintf("%032x", i), Subject: benchUser, Type: macaroon.AccessToken(), Caveats: cs,
	}
}

// bench returns an authority with the given number of named tokens in its
// store.
func bench(tb testing.TB, tokens int, options ...macaroon.Option) *macaroon.Authority {
	tb.Helper()
	s := memory.New()
	records := make([]store.Record, tokens)
	for i := range records {
		spec := benchSpec(i, 0)
		records[i].Token = &store.Token{
			ID: spec.ID, Name: spec.ID, Version: 2, Subject: benchUser, Type: spec.Type.String(), Secret: benchSecret,
		}
	}
	records = append(records, store.Record{Identity: &store.Identity{Subject: benchUser}})
	for batch := range slices.Chunk(records, 10_000) {
		require.NoError(tb, s.Import(context.Background(), batch))
	}
	a, err := macaroon.NewAuthority(s, options...)
	require.NoError(tb, err)
	return a
}

func benchText(tb testing.TB, i, n int) string {
	tb.Helper()
	t, err := macaroon.Mint(benchSpec(i, n), benchSecret)
	require.NoError(tb, err)
	return t.String()
}

func verifyText(a *macaroon.Authority, text string) (macaroon.Auth, error) {
	return a.VerifyAccess(context.Background(), text, benchRequest)
}

// loop verifies the texts in turn.
func loop(b *testing.B, a *macaroon.Authority, texts ...string) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := verifyText(a, texts[i%len(texts)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyAccess(b *testing.B) { loop(b, bench(b, 1), benchText(b, 0, 3)) }

func BenchmarkMint(b *testing.B) {
	spec := benchSpec(0, 3)
	b.ReportAllocs()
	for b.Loop() {
		t, err := macaroon.Mint(spec, benchSecret)
		if err != nil || t.String() == "" {
			b.Fatal(err)
		}
	}
}

func BenchmarkCaveats(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			loop(b, bench(b, 1), benchText(b, 0, n))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/caveat")
		})
	}
}

// BenchmarkStored verifies tokens with few and with many tokens in the store.
func BenchmarkStored(b *testing.B) {
	for _, n := range []int{10, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var texts []string
			for i := range 10 {
				texts = append(texts, benchText(b, i*(n/10), 3))
			}
			loop(b, bench(b, n), texts...)
		})
	}
}

// BenchmarkParallel scales with the cores: compare -cpu 1,2.
func BenchmarkParallel(b *testing.B) {
	a, text := bench(b, 1), benchText(b, 0, 3)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := verifyText(a, text); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func TestBenchmarksVerifyTokens(t *testing.T) {
	t.Parallel()
	a := bench(t, 30)
	for _, n := range []int{1, 3, 10, 100} {
		auth, err := verifyText(a, benchText(t, 27, n))
		require.NoError(t, err)
		assert.Equal(t, benchUser, auth.Subject)
		assert.Len(t, auth.Caveats(), n)

		forged, err := macaroon.Mint(benchSpec(27, n), store.NewSecret("a guess"))
		require.NoError(t, err)
		_, err = verifyText(a, forged.String())
		requireID(t, errors.IDTokenInvalid, err)

		late, err := macaroon.Parse(benchText(t, 27, n))
		require.NoError(t, err)
		_, err = a.VerifyAccess(t.Context(), late.String(), caveat.Request{Now: start.Add(time.Hour), IP: benchRequest.IP, Interface: caveat.REST})
		requireID(t, errors.IDTokenCaveatUnverified, err)
	}
	_, err := verifyText(a, benchText(t, 30, 3))
	requireID(t, errors.IDTokenInvalid, err)
}

// A verification of a token with three caveats makes at most eight allocations.
func TestAVerificationAllocatesLittle(t *testing.T) {
	a, text := bench(t, 1), benchText(t, 0, 3)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := verifyText(a, text); err != nil {
			t.Error(err)
		}
	})
	assert.LessOrEqual(t, allocs, 8.0)
}
