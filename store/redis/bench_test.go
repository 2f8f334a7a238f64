package redis_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/redis"
)

// newBenchClient returns a client like that of an opened store.
func newBenchClient(b *testing.B) rueidis.Client {
	b.Helper()
	option := rueidis.MustParseURL(redistest.URL(b))
	option.DisableCache = true
	client, err := rueidis.NewClient(option)
	require.NoError(b, err)
	b.Cleanup(client.Close)
	return client
}

var (
	benchNow     = time.Unix(1_700_000_000, 0)
	benchRequest = caveat.Request{Now: benchNow, IP: netip.MustParseAddr("10.1.2.3"), Interface: caveat.REST}
)

// newBenchAuthority returns an authority over the store, and its user.
func newBenchAuthority(b *testing.B, s store.Store) (*macaroon.Authority, caveat.Subject) {
	b.Helper()
	a, err := macaroon.NewAuthority(s, macaroon.WithClock(func() time.Time { return benchNow }))
	require.NoError(b, err)
	require.NoError(b, s.CreateIdentity(b.Context(), store.Identity{Subject: alice}))
	return a, alice
}

// issue returns the text of a named token with three caveats.
func issue(b *testing.B, a *macaroon.Authority, subject caveat.Subject, name string) string {
	b.Helper()
	t, err := a.IssueNamed(b.Context(), name, macaroon.Grant{Subject: subject, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{
		caveat.Until(benchNow.Add(time.Hour)), caveat.MustParse("ip = 10.0.0.0/8"), caveat.MustParse("interface = rest"),
	}})
	require.NoError(b, err)
	return t.String()
}

// verify verifies the text of a token like a service.
func verify(ctx context.Context, a *macaroon.Authority, text string) error {
	_, err := a.VerifyAccess(ctx, text, benchRequest)
	return err
}

// alternate runs each function b.N times in alternating parts, so that all run
// under the same conditions. It returns the median nanoseconds of each.
func alternate(b *testing.B, acts ...func()) []float64 {
	const turn = 100
	spent := make([][]float64, len(acts))
	b.ResetTimer()
	for done := 0; done < b.N; done += turn {
		n := min(turn, b.N-done)
		for i, act := range acts {
			start := time.Now()
			for range n {
				act()
			}
			spent[i] = append(spent[i], float64(time.Since(start).Nanoseconds())/float64(n))
		}
	}
	b.ReportMetric(0, "ns/op")
	medians := make([]float64, len(acts))
	for i, turns := range spent {
		slices.Sort(turns)
		medians[i] = turns[len(turns)/2]
	}
	return medians
}

// BenchmarkVerify compares the look-up of a key with a raw GET of its record.
// It also compares the verification of a token from its text with that GET
// followed by a verification in memory, because a verification is slower after
// a wait for the server than in a loop.
func BenchmarkVerify(b *testing.B) {
	inMemory, _ := newBenchAuthority(b, memory.New())
	textInMemory := issue(b, inMemory, alice, "token")
	client := newBenchClient(b)
	v := newVerifier(b, client)
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	get := func() { must(client.Do(ctx, client.B().Get().Key(v.key).Build()).Error()) }
	times := alternate(b, get, func() {
		get()
		must(verify(ctx, inMemory, textInMemory))
	}, func() {
		must(verify(ctx, inMemory, textInMemory))
	}, func() {
		_, err := v.store.NamedKey(ctx, v.id)
		must(err)
	}, func() {
		must(verify(ctx, v.authority, v.text))
	})
	for i, unit := range []string{"GET-ns", "GET+memory-ns", "memory-ns", "lookup-ns", "verify-ns"} {
		b.ReportMetric(times[i], unit)
	}
	b.ReportMetric(times[3]/times[0], "lookup/GET")
	b.ReportMetric(times[4]/times[0], "verify/GET")
	b.ReportMetric(times[4]/times[1], "verify/GET+memory")
	b.ReportMetric(times[4]/times[2], "verify/memory")
}

// verifier is an authority with one token, over a store that did not write it.
type verifier struct {
	authority *macaroon.Authority
	store     *redis.Store
	text, id  string
	key       string // of the record
}

func newVerifier(b *testing.B, client rueidis.Client) verifier {
	b.Helper()
	s := newStore(b, client, redis.Options{})
	issuer, subject := newBenchAuthority(b, s)
	text := issue(b, issuer, subject, "token")
	token, err := issuer.Parse(text)
	require.NoError(b, err)
	return verifier{issuer, s, text, token.ID(), s.TokenKey(subject, token.ID())}
}

// BenchmarkVerifyParallel measures the rate of verifications of all cores.
func BenchmarkVerifyParallel(b *testing.B) {
	v := newVerifier(b, newBenchClient(b))
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		ctx := context.Background()
		for pb.Next() {
			if err := verify(ctx, v.authority, v.text); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func idOf(i int) string { return fmt.Sprintf("%032x", i) }

// load imports n named tokens of a thousand subjects.
func load(b *testing.B, s *redis.Store, n int) {
	b.Helper()
	for done := 0; done < n; {
		records := make([]store.Record, min(store.MaxPage, n-done))
		for i := range records {
			t := newToken(idOf(done))
			t.Name, t.Subject, t.Created = "name "+t.ID[20:], caveat.User(fmt.Sprintf("%032x", done%1000)), int64(done)
			t.Secret = store.NewSecret(strings.Repeat("5f", 32))
			t.Caveats = []string{"time < 1700003600", "ip = 10.0.0.0/8", "interface = rest"}
			records[i].Token = &t
			done++
		}
		require.NoError(b, s.Import(b.Context(), records))
	}
}

// BenchmarkLookUpAmongMany compares the look-up of a token among a thousand
// with that among ONEZONE_BENCH_TOKENS tokens, which it loads.
func BenchmarkLookUpAmongMany(b *testing.B) {
	many, err := strconv.Atoi(os.Getenv("ONEZONE_BENCH_TOKENS"))
	if err != nil {
		b.Skip("ONEZONE_BENCH_TOKENS is not set to a number of tokens to load")
	}
	client := newBenchClient(b)
	large, small := newStore(b, client, redis.Options{}), newStore(b, client, redis.Options{})
	load(b, small, 1000)
	before, start := usedMemory(b, client), time.Now()
	load(b, large, many)
	loading := time.Since(start)
	perToken := float64(usedMemory(b, client)-before) / float64(many)

	b.Run("hot", func(b *testing.B) {
		i := 0
		look := func(s *redis.Store, step int) func() {
			return func() {
				i++
				if _, err := s.NamedKey(b.Context(), idOf(i%1000*step)); err != nil {
					b.Fatal(err)
				}
			}
		}
		one, two := look(small, 1), look(large, many/1000)
		for range 1000 {
			one()
			two()
		}
		times := alternate(b, one, two)
		b.ReportMetric(times[0], "thousand-ns")
		b.ReportMetric(times[1], "many-ns")
		b.ReportMetric(times[1]/times[0], "many/thousand")
		b.ReportMetric(perToken, "B/token")
		b.ReportMetric(float64(many)/loading.Seconds(), "loaded/s")
	})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			page, _, err := large.ListTokens(b.Context(), store.Query{After: store.Cursor{Created: int64(many / 2)}})
			if err != nil || len(page) != store.DefaultPage {
				b.Fatal(len(page), err)
			}
		}
	})
}

func usedMemory(b *testing.B, client rueidis.Client) int64 {
	b.Helper()
	info, err := client.Do(b.Context(), client.B().Info().Section("memory").Build()).ToString()
	require.NoError(b, err)
	_, rest, _ := strings.Cut(info, "used_memory:")
	text, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(b, err)
	return n
}

// BenchmarkRevocation measures the time of a revocation: until the call
// returns, and until the feed of another client reports it.
func BenchmarkRevocation(b *testing.B) {
	o := redis.Options{Prefix: redistest.Prefix()}
	writer, watcher := newStore(b, newBenchClient(b), o), newStore(b, newBenchClient(b), o)
	load(b, writer, 1000)
	changes := watch(b, watcher)
	ctx := b.Context()
	var reported, returned []time.Duration
	n := 0
	for b.Loop() {
		id := idOf(n % 1000)
		n++
		want := n/1000%2 == 0
		start := time.Now()
		if err := writer.UpdateToken(ctx, id, func(t *store.Token) error { t.Revoked = want; return nil }); err != nil {
			b.Fatal(err)
		}
		returned = append(returned, time.Since(start))
		for c := range changes {
			if c.TokenID == id {
				break
			}
		}
		reported = append(reported, time.Since(start))
	}
	for name, times := range map[string][]time.Duration{"call": returned, "feed": reported} {
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds()), name+"-p50-us")
		b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), name+"-p99-us")
	}
}
