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

// candidate is one way to do something.
type candidate struct {
	name string
	do   func() error
}

// alternate does the same in several ways by turns, so that what else the machine
// is doing slows them all down, and returns how long each took each time.
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

// compare reports for each candidate the median in microseconds, and how it
// compares to that of the first.
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

// rawHandle returns a handle that is set up as the store's connections are.
func rawHandle(b *testing.B, path string) *sql.DB {
	b.Helper()
	return newHandle(b, path, "_journal_mode", "WAL", "_synchronous", "FULL", "_foreign_keys", "on")
}

// BenchmarkVerify compares a verification with the query that it is made of,
// written by hand, and the same verification in memory.
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

// BenchmarkVerifyParallel is with as many callers as there are processors.
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

// BenchmarkIssue compares how many tokens are issued per second with how many rows
// the driver inserts into a table of the same columns and indexes, as durably:
// one after the other, and for as many as would ask a server at once. Those ask
// for tokens while the tokens of others are written.
func BenchmarkIssue(b *testing.B) {
	for _, callers := range []int{1, 4} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) { issue(b, callers) })
	}
}

func issue(b *testing.B, callers int) {
	ctx := b.Context()
	path := newPath(b)
	s := openAt(b, path, sqlite.Options{})
	require.NoError(b, s.CreateIdentity(ctx, newUser("alice")))
	insert := rawInsert(b, path)
	a := newAuthority(b, s)
	secret := []byte(fmt.Sprintf("%064x", 1))
	const round = 8 // of either, by all callers together
	var inserted, issued atomic.Int64
	each := func(do func() error) func() error {
		return func() error {
			return errors.Join(atOnce(callers, func(int) (err error) {
				for i := 0; i < round/callers && err == nil; i++ {
					err = do()
				}
				return err
			})...)
		}
	}
	took := alternate(b,
		candidate{"raw", each(func() error {
			n := int(inserted.Add(1))
			return second(insert.ExecContext(ctx, tokenID(n), fmt.Sprint("token ", n), 2, "usr-alice", "act",
				"[]", secret, 1_600_000_000, false, []byte{}, "{}", nil, 0, 0))
		})},
		candidate{"issue", each(func() error {
			name := fmt.Sprint("token ", issued.Add(1))
			return second(a.IssueNamed(ctx, name, macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()}))
		})},
	)
	b.ReportMetric(round*perSecond(took[0]), "inserted/s")
	b.ReportMetric(round*perSecond(took[1]), "issued/s")
	b.ReportMetric(perSecond(took[1])/perSecond(took[0]), "issued/inserted")
}

// rawInsert returns the statement that inserts into a table with the columns and
// indexes that the tokens have in the file with the path, on the one connection
// of a file of its own.
func rawInsert(b *testing.B, path string) *sql.Stmt {
	b.Helper()
	raw := rawHandle(b, newPath(b))
	raw.SetMaxOpenConns(1)
	rows, err := rawHandle(b, path).Query(`SELECT sql FROM sqlite_schema
		WHERE tbl_name = 'onezone_tokens' AND type IN ('table', 'index') AND sql IS NOT NULL`)
	require.NoError(b, err)
	for rows.Next() {
		var statement string
		require.NoError(b, rows.Scan(&statement))
		execute(b, raw, statement)
	}
	require.NoError(b, rows.Err())
	insert, err := raw.Prepare(`INSERT INTO onezone_tokens VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, insert.Close()) })
	return insert
}

func perSecond(durations []time.Duration) float64 {
	var sum time.Duration
	for _, d := range durations {
		sum += d
	}
	return float64(len(durations)) / sum.Seconds()
}

// manyTokens is how many tokens [BenchmarkLookup] loads, 1,000,000 for the table
// of docs/benchmarks.md. Fewer by default, because loading them takes a while.
func manyTokens(b *testing.B) int {
	text := os.Getenv("ONEZONE_BENCH_TOKENS")
	if text == "" {
		return 20_000
	}
	n, err := strconv.Atoi(text)
	require.NoError(b, err)
	return n
}

// BenchmarkLookup compares a store of many tokens with one of a thousand: look-ups
// of the same number of tokens, whatever the size, so that the caches of SQLite
// and of the system do not decide, and look-ups of any.
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

// BenchmarkListing compares a page of 100 tokens of a subject that has 10,000 with
// one of a subject that has 1,000: the time for each, and the most memory that a
// whole listing needs.
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

// fill imports n tokens of users who have a thousand each.
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
