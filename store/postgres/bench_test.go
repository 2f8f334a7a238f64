package postgres_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// benchStore returns an empty store with the user alice, and its schema.
func benchStore(b *testing.B, pool *pgxpool.Pool) (*postgres.Store, string) {
	b.Helper()
	schema := newSchema(b, pool)
	return benchStoreWith(b, pool, postgres.Options{Schema: schema}), schema
}

func benchStoreWith(b *testing.B, pool *pgxpool.Pool, o postgres.Options) *postgres.Store {
	b.Helper()
	s := storeWith(b, pool, o)
	require.NoError(b, s.CreateIdentity(context.Background(), newUser("alice")))
	return s
}

// durable returns the address of a server that waits for its disk: the
// configured one, or a new one.
func durable(b *testing.B) string {
	if url := os.Getenv(pgtest.Env); url != "" {
		return url
	}
	return pgtest.Own(b).URL
}

func newAuthority(b *testing.B, s store.Store) *macaroon.Authority {
	b.Helper()
	a, err := macaroon.NewAuthority(s)
	require.NoError(b, err)
	return a
}

// BenchmarkVerify compares a verification with a handwritten query for the same
// row with the same join, in one round trip.
func BenchmarkVerify(b *testing.B) {
	pool := newPoolAt(b, durable(b), nil)
	s, schema := benchStore(b, pool)
	a := newAuthority(b, s)
	token, err := a.IssueNamed(b.Context(), "token", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(time.Now().Add(time.Hour))},
	})
	require.NoError(b, err)
	query := `SELECT t.subject, t.secret, t.revoked, t.revoked_tails, i.blocked FROM ` + quote(schema, "tokens") + ` AS t
		LEFT JOIN ` + quote(schema, "identities") + ` AS i ON i.subject = t.subject WHERE t.id = $1`

	text := token.String()
	compare(b,
		candidate{"raw", func() error {
			var subject string
			var secret, tails []byte
			var revoked bool
			var blocked *bool
			return pool.QueryRow(context.Background(), query, token.ID()).Scan(&subject, &secret, &revoked, &tails, &blocked)
		}},
		candidate{"NamedKey", func() error { return second(s.NamedKey(context.Background(), token.ID())) }},
		candidate{"VerifyAccess", func() error {
			return second(a.VerifyAccess(context.Background(), text, caveat.Request{}))
		}},
	)
}

// candidate is one of the implementations that a benchmark compares.
type candidate struct {
	name string
	do   func() error
}

// compare runs the candidates in turn, so that other load on the machine slows
// all of them down. It reports the median of each in microseconds, and its
// ratio to the first.
func compare(b *testing.B, candidates ...candidate) {
	b.Helper()
	took := make([][]time.Duration, len(candidates))
	for b.Loop() {
		for i, c := range candidates {
			start := time.Now()
			if err := c.do(); err != nil {
				b.Fatal(c.name, err)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	first := quantile(took[0], 0.5)
	b.ReportMetric(0, "ns/op") // of all together, which says nothing
	for i, c := range candidates {
		median := quantile(took[i], 0.5)
		b.ReportMetric(median, c.name+"-us")
		if i > 0 {
			b.ReportMetric(median/first, c.name+"/"+candidates[0].name)
		}
	}
}

// quantile returns the quantile q of the durations in microseconds.
func quantile(durations []time.Duration, q float64) float64 {
	slices.Sort(durations)
	return float64(durations[int(q*float64(len(durations)-1))].Nanoseconds()) / 1000
}

// manyTokens is the number of tokens in [BenchmarkLookup]. It is 1,000,000 for
// the table in docs/benchmarks.md, and smaller by default because loading takes
// time.
func manyTokens(b *testing.B) int {
	text := os.Getenv("ONEZONE_BENCH_TOKENS")
	if text == "" {
		return 20_000
	}
	n, err := strconv.Atoi(text)
	require.NoError(b, err)
	return n
}

// BenchmarkLookup compares a store of many tokens with one of a thousand, and
// reports the loading rate and the disk space with indexes. It looks up the
// same number of distinct tokens in both, so that caches have no influence.
func BenchmarkLookup(b *testing.B) {
	pool := newPoolAt(b, durable(b), nil)
	var candidates []candidate
	for _, n := range []int{1000, manyTokens(b)} {
		s, schema := benchStore(b, pool)
		start := time.Now()
		fill(b, s, n)
		took := time.Since(start)
		var bytes int64
		err := pool.QueryRow(b.Context(), "SELECT pg_total_relation_size($1::text::regclass)", quote(schema, "tokens")).Scan(&bytes)
		require.NoError(b, err)
		execute(b, pool, "VACUUM ANALYZE "+quote(schema, "tokens"))
		if n > 1000 {
			defer b.ReportMetric(float64(n)/took.Seconds(), "loaded/s")
			defer b.ReportMetric(float64(bytes)/float64(n), "bytes/token")
		}
		i := 0
		candidates = append(candidates, candidate{fmt.Sprint(n), func() error {
			i++
			return second(s.NamedKey(context.Background(), tokenID(i%100*(n/100))))
		}})
	}
	compare(b, candidates...)
}

func tokenID(i int) string { return fmt.Sprintf("%032x", uint32(i)*2654435761) }

// fill imports n tokens of users with a thousand tokens each.
func fill(b *testing.B, s *postgres.Store, n int) {
	b.Helper()
	for records := make([]store.Record, 0, store.MaxPage); n > 0; records = records[:0] {
		for ; n > 0 && len(records) < store.MaxPage; n-- {
			token := newToken(tokenID(n - 1))
			token.Subject, token.Created = caveat.User(fmt.Sprint("user ", n/1000)), 1_600_000_000+int64(n)
			token.Secret = store.NewSecret(fmt.Sprintf("%064x", n))
			token.Caveats = []string{"time < 1700000000", "ip = 10.0.0.0/8"}
			records = append(records, store.Record{Token: &token})
		}
		require.NoError(b, s.Import(context.Background(), records))
	}
}

// BenchmarkIssue compares issuing named tokens with inserting rows into a table
// of the same columns and indexes. Both use the same database, and so have the
// same durability, with one caller, several callers, and enough callers to
// saturate the server. Issuing also looks up the subject; creating the record
// does not.
func BenchmarkIssue(b *testing.B) {
	pool := newPoolAt(b, durable(b), func(c *pgxpool.Config) { c.MaxConns = 64 })
	s, schema := benchStore(b, pool)
	without := benchStoreWith(b, pool, postgres.Options{Schema: newSchema(b, pool), NoFeed: true})
	execute(b, pool, "CREATE TABLE "+quote(schema, "raw")+" (LIKE "+quote(schema, "tokens")+" INCLUDING ALL)")
	insert := `INSERT INTO ` + quote(schema, "raw") + ` (id, name, version, subject, type, caveats, secret, created, revoked,
		revoked_tails, custom, privileges, usage_limit, usage_count)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	secret := fmt.Appendf(nil, "%064x", 1)
	var n atomic.Int64
	raw := func() error {
		i := int(n.Add(1))
		return second(pool.Exec(context.Background(), insert, tokenID(i), fmt.Sprint("token ", i), 2, "usr-alice", "act",
			[]string{}, secret, 1_600_000_000, false, []byte{}, "{}", nil, 0, 0))
	}
	issue := func(s *postgres.Store) func() error {
		a := newAuthority(b, s)
		return func() error {
			name := fmt.Sprint("token ", n.Add(1))
			return second(a.IssueNamed(context.Background(), name, macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()}))
		}
	}
	secretText := store.NewSecret(string(secret))
	create := func() error {
		i := int(n.Add(1))
		token := newToken(tokenID(i))
		token.Name, token.Secret, token.Custom = fmt.Sprint("token ", i), secretText, []byte("{}")
		return second(s.CreateToken(context.Background(), token, 0))
	}
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			compareRates(b, callers,
				candidate{"raw", raw}, candidate{"create", create},
				candidate{"issue", issue(s)}, candidate{"issue-without-feed", issue(without)})
		})
	}
}

// compareRates runs the candidates in turn with several callers. It reports the
// median rate of each per second, and its ratio to the first. One iteration is
// one turn of all.
func compareRates(b *testing.B, callers int, candidates ...candidate) {
	b.Helper()
	const turn = 100 * time.Millisecond
	rates := make([][]float64, len(candidates))
	for b.Loop() {
		for i, c := range candidates {
			var done atomic.Int64
			start := time.Now()
			for _, err := range atOnce(callers, func(int) (err error) {
				for err == nil && time.Since(start) < turn {
					err = c.do()
					done.Add(1)
				}
				return err
			}) {
				require.NoError(b, err, c.name)
			}
			rates[i] = append(rates[i], float64(done.Load())/time.Since(start).Seconds())
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, c := range candidates {
		slices.Sort(rates[i])
		median := rates[i][len(rates[i])/2]
		b.ReportMetric(median, c.name+"/s")
		if i > 0 {
			b.ReportMetric(median/rates[0][len(rates[0])/2], c.name+"/"+candidates[0].name)
		}
	}
}

// BenchmarkRevocation measures the time from the commit of a revocation to its
// report at another replica. Use -benchtime 1000x for the distribution of a
// thousand.
func BenchmarkRevocation(b *testing.B) {
	url := durable(b)
	first := newPoolAt(b, url, nil)
	s, schema := benchStore(b, first)
	other := storeIn(b, newPoolAt(b, url, nil), schema)
	require.NoError(b, second(s.CreateToken(b.Context(), newToken("a"), 0)))
	up, reported := make(chan struct{}), make(chan time.Time, 1)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- other.Watch(ctx, func(c store.Change) {
			switch c.Kind {
			case store.FeedUp:
				close(up)
			case store.TokenChanged:
				reported <- time.Now()
			}
		})
	}()
	<-up
	var latencies []time.Duration
	for b.Loop() {
		require.NoError(b, s.UpdateToken(b.Context(), "a", func(t *store.Token) error {
			t.Revoked = !t.Revoked
			return nil
		}))
		committed := time.Now()
		latencies = append(latencies, max(0, (<-reported).Sub(committed)))
	}
	cancel()
	<-ended
	b.ReportMetric(quantile(latencies, 0.5), "p50-us")
	b.ReportMetric(quantile(latencies, 0.99), "p99-us")
}
