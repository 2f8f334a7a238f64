package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/sqlite"
	"github.com/onezone-go/onezone/store/transfer"
)

// candidate is one of the implementations that a benchmark compares.
type candidate struct {
	name string
	do   func() error
}

// alternate runs the candidates in turn, so that other load on the machine
// slows all of them down, and returns the durations of each.
func alternate(b *testing.B, candidates ...candidate) [][]time.Duration {
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
	b.ReportMetric(0, "ns/op") // of all together, which says nothing
	return took
}

// compare reports the median of each candidate in microseconds, and its ratio
// to the first.
func compare(b *testing.B, candidates ...candidate) {
	b.Helper()
	took := alternate(b, candidates...)
	first := median(took[0])
	for i, c := range candidates {
		b.ReportMetric(median(took[i]), c.name+"-us")
		if i > 0 {
			b.ReportMetric(median(took[i])/first, c.name+"/"+candidates[0].name)
		}
	}
}

// median returns the median in microseconds.
func median(durations []time.Duration) float64 {
	slices.Sort(durations)
	return float64(durations[len(durations)/2].Nanoseconds()) / 1000
}

func newAuthority(b *testing.B, s store.Store) *macaroon.Authority {
	b.Helper()
	a, err := macaroon.NewAuthority(s)
	require.NoError(b, err)
	return a
}

// rawHandle returns a handle with the same settings as the store's connections.
func rawHandle(b *testing.B, path string) *sql.DB {
	b.Helper()
	return newHandle(b, path, "_journal_mode", "WAL", "_synchronous", "FULL", "_foreign_keys", "on", "_pragma", "secure_delete(ON)")
}

// BenchmarkVerify compares a verification with a handwritten version of its
// query, and with a verification in memory.
func BenchmarkVerify(b *testing.B) {
	ctx := b.Context()
	path := newPath(b)
	s, inMemory := openAt(b, path, sqlite.Options{}), memory.New()
	require.NoError(b, s.CreateIdentity(ctx, newUser("alice")))
	token, err := newAuthority(b, s).IssueNamed(ctx, "token", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(time.Now().Add(time.Hour))},
	})
	require.NoError(b, err)
	require.NoError(b, second(transfer.Copy(ctx, inMemory, s, transfer.Options{})))
	query, err := rawHandle(b, path).Prepare(`SELECT t.subject, t.secret, t.revoked, t.revoked_tails, i.blocked
		FROM onezone_tokens AS t LEFT JOIN onezone_identities AS i ON i.subject = t.subject WHERE t.id = ?`)
	require.NoError(b, err)
	defer query.Close()
	raw := func() error {
		var subject string
		var secret, tails []byte
		var revoked bool
		var blocked sql.NullBool
		return query.QueryRowContext(ctx, token.ID()).Scan(&subject, &secret, &revoked, &tails, &blocked)
	}
	text := token.String()
	verify := func(a *macaroon.Authority) func() error {
		return func() error {
			return second(a.VerifyAccess(ctx, text, caveat.Request{}))
		}
	}
	verifyInMemory := verify(newAuthority(b, inMemory))
	compare(b,
		candidate{"raw+memory", func() error {
			if err := raw(); err != nil {
				return err
			}
			return verifyInMemory()
		}},
		candidate{"sqlite", verify(newAuthority(b, s))},
		candidate{"raw", raw},
		candidate{"NamedKey", func() error { return second(s.NamedKey(ctx, token.ID())) }},
		candidate{"memory", verifyInMemory},
	)
}

// BenchmarkVerifyParallel verifies with one goroutine per processor.
func BenchmarkVerifyParallel(b *testing.B) {
	s := openAt(b, newPath(b), sqlite.Options{})
	populate(b, s)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.NamedKey(context.Background(), "a"); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkIssue compares issuing tokens with inserting rows into the same
// tables, with the same durability: by one caller with one row a transaction,
// and by concurrent callers with as many rows a transaction as callers.
func BenchmarkIssue(b *testing.B) {
	for _, callers := range []int{1, 4, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) { issue(b, callers) })
	}
}

func issue(b *testing.B, callers int) {
	ctx := context.Background()
	s, direct := openAt(b, newPath(b), sqlite.Options{}), openAt(b, newPath(b), sqlite.Options{})
	a := newAuthority(b, s)
	for caller := range callers {
		require.NoError(b, s.CreateIdentity(ctx, newUser(fmt.Sprint("user-", caller))))
	}
	var created atomic.Int64
	const perCaller = 16 // in each round
	tokens := callers * perCaller
	concurrently := func(do func(caller, n int) error) func() error {
		return func() error {
			return errors.Join(atOnce(callers, func(caller int) (err error) {
				for i := 0; i < perCaller && err == nil; i++ {
					err = do(caller, int(created.Add(1)))
				}
				return err
			})...)
		}
	}
	candidates := []candidate{
		{"raw", rawInserts(b, tokens, callers)},
		{"single", rawInserts(b, tokens, 1)},
		{"created", concurrently(func(_, n int) error {
			t := newToken(tokenID(n))
			t.Name = fmt.Sprint("token ", n)
			return second(direct.CreateToken(ctx, t, 0))
		})},
		{"issued", concurrently(func(caller, n int) error {
			return second(a.IssueNamed(ctx, fmt.Sprint("token ", n), macaroon.Grant{
				Subject: caveat.User(fmt.Sprint("user-", caller)), Type: macaroon.AccessToken(),
			}))
		})},
	}
	took := alternate(b, candidates...)
	raw := median(took[0])
	for i, c := range candidates {
		b.ReportMetric(float64(tokens)*1e6/median(took[i]), c.name+"/s")
		if i > 0 {
			b.ReportMetric(raw/median(took[i]), c.name+"/raw")
		}
	}
}

// rawInserts returns a function that inserts n rows into the tokens table of a
// file of its own, with one connection and the given number of rows in each
// transaction.
func rawInserts(b *testing.B, n, group int) func() error {
	b.Helper()
	path := newPath(b)
	openAt(b, path, sqlite.Options{})
	raw := rawHandle(b, path)
	raw.SetMaxOpenConns(1)
	insert, err := raw.Prepare(`INSERT INTO onezone_tokens (row_id, id, name, version, subject, type, caveats, secret, created, revoked,
		revoked_tails, custom, usage_limit, usage_count) VALUES (?, ?, ?, 2, 'usr-alice', 'act', '[]', ?, 1600000000, 0, x'', '{}', 0, 0)`)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, insert.Close()) })
	secret := []byte(fmt.Sprintf("%064x", 1))
	inserted := 0
	insertOne := func(statement *sql.Stmt) error {
		inserted++
		id := tokenID(inserted)
		return second(statement.Exec(sqlite.RowIDOf(id), id, fmt.Sprint("token ", inserted), secret))
	}
	return func() error {
		for range n / group {
			if group == 1 {
				if err := insertOne(insert); err != nil {
					return err
				}
				continue
			}
			tx, err := raw.Begin()
			if err != nil {
				return err
			}
			inTx := tx.Stmt(insert)
			for range group {
				if err := insertOne(inTx); err != nil {
					return errors.Join(err, tx.Rollback())
				}
			}
			if err := tx.Commit(); err != nil {
				return err
			}
		}
		return nil
	}
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

// BenchmarkLookup compares a store of many tokens with one of a thousand. It
// looks up the same number of distinct tokens in both, so that caches have no
// influence, and then arbitrary tokens.
func BenchmarkLookup(b *testing.B) {
	const few, inUse = 1000, 100
	many := manyTokens(b)
	small, large := openAt(b, newPath(b), sqlite.Options{}), openAt(b, newPath(b), sqlite.Options{})
	fill(b, small, few)
	took := fill(b, large, many)
	reader, _ := large.Handles()
	size := ask[int](b, reader, "PRAGMA page_count") * ask[int](b, reader, "PRAGMA page_size")
	// lookUp looks up every step-th of n tokens.
	lookUp := func(s *sqlite.Store, n, step int) candidate {
		return candidate{fmt.Sprint(n), func() error {
			return second(s.NamedKey(context.Background(), tokenID(rand.IntN(n/step)*step)))
		}}
	}
	b.Run("in use", func(b *testing.B) {
		compare(b, lookUp(small, few, few/inUse), lookUp(large, many, many/inUse))
		b.ReportMetric(took.Seconds(), "load-s")
		b.ReportMetric(float64(many)/took.Seconds(), "loaded/s")
		b.ReportMetric(float64(size)/float64(many), "bytes/token")
	})
	b.Run("any", func(b *testing.B) {
		compare(b, lookUp(small, few, 1), lookUp(large, many, 1))
	})
}

// BenchmarkListing compares a page of 100 tokens of a subject with 10,000
// tokens with one of a subject with 1,000. It reports the time of a page and
// the peak memory of a whole listing.
func BenchmarkListing(b *testing.B) {
	var candidates []candidate
	var peaks []int
	for _, tokens := range []int{1000, 10_000} {
		s := openAt(b, newPath(b), sqlite.Options{Synchronous: sqlite.Off})
		fillSubject(b, s, tokens, 100)
		peak, listed := listingPeak(b, s)
		require.Equal(b, tokens, listed)
		peaks = append(peaks, peak)
		q := store.Query{Subject: alice, Limit: 100}
		candidates = append(candidates, candidate{fmt.Sprint(tokens), func() (err error) {
			_, q.After, err = s.ListTokens(context.Background(), q) // from the beginning again, after the last
			return err
		}})
	}
	compare(b, candidates...)
	for i, peak := range peaks {
		b.ReportMetric(float64(peak)/1024, candidates[i].name+"-KiB")
	}
}

func tokenID(i int) string { return fmt.Sprintf("%032x", uint64(uint32(i)*2654435761)<<32|uint64(i)) }

// fill imports n tokens of users with a thousand tokens each.
func fill(b *testing.B, s *sqlite.Store, n int) time.Duration {
	b.Helper()
	start := time.Now()
	for from := 0; from < n; from += store.MaxPage {
		records := make([]store.Record, min(store.MaxPage, n-from))
		for j := range records {
			i := from + j
			token := newToken(tokenID(i))
			token.Subject, token.Created = caveat.User(fmt.Sprint("user ", i/1000)), 1_600_000_000+int64(i)
			token.Secret = store.NewSecret(fmt.Sprintf("%064x", i))
			token.Caveats = []string{"time < 1700000000", "ip = 10.0.0.0/8"}
			records[j].Token = &token
		}
		require.NoError(b, s.Import(context.Background(), records))
	}
	return time.Since(start)
}
