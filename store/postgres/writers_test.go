package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// twoPools returns two stores over the same schema with separate connections,
// like those of two replicas.
func twoPools(t *testing.T) [2]*postgres.Store {
	t.Helper()
	first := newPool(t, nil)
	schema := newSchema(t, first)
	return [2]*postgres.Store{storeIn(t, first, schema), storeIn(t, newPool(t, nil), schema)}
}

// atOnce runs n calls concurrently and returns their errors.
func atOnce(n int, call func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func TestWritersOfTwoPools(t *testing.T) {
	t.Parallel()
	for _, writers := range []int{2, 10} {
		t.Run(fmt.Sprint(writers, " on one token lose nothing"), func(t *testing.T) {
			t.Parallel()
			s := twoPools(t)
			require.NoError(t, second(s[0].CreateToken(t.Context(), newToken("a"), 0)))
			const each = 20
			for _, err := range atOnce(writers, func(i int) (err error) {
				for n := 0; n < each && err == nil; n++ {
					err = s[i%2].UpdateToken(t.Context(), "a", func(token *store.Token) error {
						token.UsageCount++
						token.RevokedTails = append(token.RevokedTails, store.TailOf([]byte{byte(i), byte(n)}))
						return nil
					})
				}
				return err
			}) {
				require.NoError(t, err)
			}
			token, err := s[1].GetToken(t.Context(), "a")
			require.NoError(t, err)
			require.EqualValues(t, writers*each, token.UsageCount, "updates were lost")
			distinct := make(map[store.Tail]bool)
			for _, tail := range token.RevokedTails {
				distinct[tail] = true
			}
			require.Len(t, distinct, writers*each, "updates were lost")
		})
		t.Run(fmt.Sprint(writers, " of one name: one wins"), func(t *testing.T) {
			t.Parallel()
			s := twoPools(t)
			for round := range 20 {
				errs := atOnce(writers, func(i int) error {
					token := newToken(fmt.Sprint(round, " ", i))
					token.Name = fmt.Sprint("name ", round)
					return second(s[i%2].CreateToken(t.Context(), token, 0))
				})
				won := 0
				for _, err := range errs {
					if err == nil {
						won++
						continue
					}
					require.ErrorIs(t, err, errors.IDBadValueIdentifierOccupied)
				}
				require.Equal(t, 1, won, "number of tokens with the same name")
			}
		})
		t.Run(fmt.Sprint(writers, " on one usage limit use it up"), func(t *testing.T) {
			t.Parallel()
			s := twoPools(t)
			const limit = 7
			token := newToken("invite")
			token.UsageLimit = limit
			require.NoError(t, second(s[0].CreateToken(t.Context(), token, 0)))
			usedUp := errors.New("used up")
			var admitted atomic.Int64
			for _, err := range atOnce(writers, func(i int) error {
				for {
					err := s[i%2].UpdateToken(t.Context(), "invite", func(token *store.Token) error {
						if token.UsageCount >= token.UsageLimit {
							return usedUp
						}
						token.UsageCount++
						return nil
					})
					if err != nil {
						return err
					}
					admitted.Add(1)
				}
			}) {
				require.ErrorIs(t, err, usedUp)
			}
			require.EqualValues(t, limit, admitted.Load())
			token, err := s[1].GetToken(t.Context(), "invite")
			require.NoError(t, err)
			require.EqualValues(t, limit, token.UsageCount)
		})
		t.Run(fmt.Sprint(writers, " on one temporary key"), func(t *testing.T) {
			t.Parallel()
			s := twoPools(t)
			for round := range 20 {
				subject, keys := caveat.User(fmt.Sprint("user ", round)), make([]store.Key, writers)
				for _, err := range atOnce(writers, func(i int) (err error) {
					keys[i], err = s[i%2].EnsureTemporaryKey(t.Context(), subject, store.NewSecret(fmt.Sprint("secret ", i)))
					return err
				}) {
					require.NoError(t, err)
				}
				for _, key := range keys {
					require.Equal(t, keys[0], key, "two keys were created")
				}
				key, err := s[0].TemporaryKey(t.Context(), subject)
				require.NoError(t, err)
				require.Equal(t, keys[0], key, "two keys were created")
			}
			generations := make([]int64, writers)
			for _, err := range atOnce(writers, func(i int) (err error) {
				generations[i], err = s[i%2].RotateTemporaryKey(t.Context(), alice, store.NewSecret("next"))
				return err
			}) {
				require.NoError(t, err)
			}
			distinct := make(map[int64]bool)
			for _, generation := range generations {
				distinct[generation] = true
			}
			require.Len(t, distinct, writers, "two rotations returned the same generation")
			key, err := s[0].TemporaryKey(t.Context(), alice)
			require.NoError(t, err)
			require.EqualValues(t, writers, key.Generation)
		})
	}
}

// TestWritersAreRetried makes the server reject statements whose transaction
// could not be serialized.
func TestWritersAreRetried(t *testing.T) {
	t.Parallel()
	pool := newPool(t, parameter("default_transaction_isolation", "repeatable read"))
	s := newStore(t, pool)
	const writers, each = 6, 10
	for _, err := range atOnce(writers, func(int) (err error) {
		for n := 0; n < each && err == nil; n++ {
			_, err = s.RotateTemporaryKey(t.Context(), alice, store.NewSecret("next"))
		}
		return err
	}) {
		require.NoError(t, err)
	}
	key, err := s.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
	require.EqualValues(t, writers*each, key.Generation)
}

// TestDeadlockIsRetried creates a deadlock between an import and another
// transaction.
func TestDeadlockIsRetried(t *testing.T) {
	t.Parallel()
	direct := newPool(t, nil)
	schema := newSchema(t, direct)
	var c transactions
	s := storeIn(t, newPoolAt(t, named(t, "deadlock"), func(config *pgxpool.Config) {
		config.ConnConfig.Tracer = &c
		config.ConnConfig.RuntimeParams["deadlock_timeout"] = "500ms"
	}), schema)
	a, b := newToken("a"), newToken("b")
	require.NoError(t, second(s.CreateToken(t.Context(), a, 0)))
	require.NoError(t, second(s.CreateToken(t.Context(), b, 0)))
	// The server checks for a deadlock once, some time after the import began
	// to wait. If the other transaction does not wait by then, the test tries
	// again.
	for round := int64(1); ; round++ {
		a.UsageCount, b.UsageCount = round, round
		before := c.begun.Load()
		met := deadlock(t, direct, quote(schema, "tokens"), func() error {
			return s.Import(t.Context(), []store.Record{{Token: &a}, {Token: &b}})
		})
		for _, id := range []string{"a", "b"} {
			token, err := s.GetToken(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, round, token.UsageCount)
		}
		if met {
			require.Greater(t, c.begun.Load()-before, int64(1), "the import was not retried")
			return
		}
		require.Less(t, round, int64(20), "no deadlock happened")
	}
}

// deadlock locks the rows b and a while the import locks them in the other
// order, and reports whether it succeeded.
func deadlock(t *testing.T, pool *pgxpool.Pool, table string, imports func() error) bool {
	t.Helper()
	other, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer other.Rollback(context.Background())
	// The server must choose the import as the victim.
	_, err = other.Exec(t.Context(), "SET LOCAL deadlock_timeout = '1h'; SET LOCAL lock_timeout = '5s'")
	require.NoError(t, err)
	lock := "SELECT 1 FROM " + table + " WHERE id = $1 FOR UPDATE"
	_, err = other.Exec(t.Context(), lock, "b")
	require.NoError(t, err)
	imported := make(chan error, 1)
	go func() { imported <- imports() }()
	eventually(t, func() bool { return backends(t, pool, "deadlock", waiting) > 0 }, "the import does not wait")
	_, missed := other.Exec(t.Context(), lock, "a")
	require.NoError(t, other.Rollback(t.Context()))
	require.NoError(t, receive(t, imported, "the import"))
	return missed == nil
}

// TestRetriesAreBounded prevents a transaction from ever being serialized.
func TestRetriesAreBounded(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	prepare(t, s)
	execute(t, pool, "CREATE FUNCTION "+quote(schema, "refuse")+`() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = 'serialization_failure'; END $$`)
	execute(t, pool, "CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON "+quote(schema, "tokens")+
		" FOR EACH ROW EXECUTE FUNCTION "+quote(schema, "refuse")+"()")
	attempts := 0
	err := s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
		attempts++
		return revoke(token)
	})
	requireOperational(t, err)
	require.Equal(t, postgres.MaxAttempts, attempts)
	requireOperational(t, s.DeleteToken(t.Context(), "a"))

	ctx, cancel := context.WithCancel(t.Context())
	err = s.UpdateToken(ctx, "a", func(token *store.Token) error {
		cancel()
		return revoke(token)
	})
	require.ErrorIs(t, err, context.Canceled, "retries continued after the caller left")
}

// TestClockGoesBackwards issues tokens with a clock that jumps back and forth.
// They are listed in the order of their times, each exactly once.
func TestClockGoesBackwards(t *testing.T) {
	t.Parallel()
	s := newStore(t, newPool(t, nil))
	require.NoError(t, s.CreateIdentity(t.Context(), newUser("alice")))
	now := time.Unix(1_700_000_000, 0)
	authority, err := macaroon.NewAuthority(s, macaroon.WithClock(func() time.Time { return now }))
	require.NoError(t, err)
	issued := make(map[string]time.Time)
	for i := range 12 {
		token, err := authority.IssueNamed(t.Context(), fmt.Sprint("token ", i), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		require.NoError(t, err)
		issued[token.ID()] = now
		now = now.Add(time.Duration(7-5*i%13) * time.Hour)
	}
	q, last := store.Query{Subject: alice, Limit: 5}, time.Time{}
	for {
		page, next, err := authority.List(t.Context(), q)
		require.NoError(t, err)
		for _, token := range page {
			require.True(t, token.Created.Equal(issued[token.ID()]), "listed twice, or with another time")
			require.False(t, token.Created.Before(last), "the listing is not ordered by time")
			last = token.Created
			delete(issued, token.ID())
		}
		if next.IsZero() {
			break
		}
		q.After = next
		now = now.Add(-time.Hour)
	}
	require.Empty(t, issued, "left out")
	for want := int64(1); want <= 3; want++ {
		generation, err := s.RotateTemporaryKey(t.Context(), alice, store.NewSecret("secret"))
		require.NoError(t, err)
		require.Equal(t, want, generation)
		now = now.Add(-time.Hour)
	}
}

// TestConcurrentImportsMaySwapNames imports the same new records twice
// concurrently, with swapped names.
func TestConcurrentImportsMaySwapNames(t *testing.T) {
	t.Parallel()
	s := newStore(t, newPool(t, nil))
	for round := range 50 {
		records := func(names ...string) (batch []store.Record) {
			for i, name := range names {
				token := withName(fmt.Sprint(round, " ", i), fmt.Sprint(round, " ", name))
				batch = append(batch, store.Record{Token: &token})
			}
			return batch
		}
		var imports sync.WaitGroup
		var errs [2]error
		imports.Go(func() { errs[0] = s.Import(t.Context(), records("x", "y")) })
		imports.Go(func() { errs[1] = s.Import(t.Context(), records("y", "x")) })
		imports.Wait()
		require.NoError(t, errs[0])
		require.NoError(t, errs[1])
	}
	one := withName("another", "0 x")
	require.ErrorIs(t, s.Import(t.Context(), []store.Record{{Token: &one}}), errors.IDBadValueIdentifierOccupied)
}
