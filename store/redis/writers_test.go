package redis_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

// race makes one call per writer concurrently, and returns their errors.
func race(writers int, call func(i int) error) []error {
	errs := make([]error, writers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			<-start
			errs[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// requireOneWinner requires that one writer succeeded and the others failed
// with the given error.
func requireOneWinner(t *testing.T, errs []error, id errors.ID) {
	t.Helper()
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
		} else {
			require.ErrorIs(t, err, id)
		}
	}
	require.Equal(t, 1, winners)
}

func TestWritersOfSeveralClients(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]func(testing.TB) rueidis.Client{"single": newSingleClient, "cluster": newClusterClient} {
		for _, writers := range []int{2, 10} {
			t.Run(fmt.Sprint(name, " ", writers), func(t *testing.T) {
				t.Parallel()
				o := redis.Options{Prefix: redistest.Prefix()}
				stores := []*redis.Store{newStore(t, client(t), o), newStore(t, client(t), o)}
				of := func(i int) *redis.Store { return stores[i%len(stores)] }
				oneToken(t, writers, of)
				oneName(t, writers, of)
				oneUsername(t, writers, of)
				oneUsageLimit(t, writers, of)
				oneTemporary(t, writers, of)
			})
		}
	}
}

func oneToken(t *testing.T, writers int, of func(i int) *redis.Store) {
	const each = 20
	require.NoError(t, second(of(0).CreateToken(t.Context(), newToken("counter"), 0)))
	errs := race(writers, func(i int) error {
		for range each {
			err := of(i).UpdateToken(t.Context(), "counter", func(t *store.Token) error { t.UsageCount++; return nil })
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, err := range errs {
		require.NoError(t, err)
	}
	got, err := of(1).GetToken(t.Context(), "counter")
	require.NoError(t, err)
	require.EqualValues(t, writers*each, got.UsageCount, "updates were lost")
}

func oneName(t *testing.T, writers int, of func(i int) *redis.Store) {
	for round := range 5 {
		errs := race(writers, func(i int) error {
			token := newToken(fmt.Sprint("named", round, " ", i))
			token.Name = fmt.Sprint("name", round)
			return second(of(i).CreateToken(t.Context(), token, 0))
		})
		requireOneWinner(t, errs, errors.IDBadValueIdentifierOccupied)
		errs = race(writers, func(i int) error {
			token := newToken(fmt.Sprint("id", round)) // the same id
			token.Name = fmt.Sprint("name", round, " ", i)
			token.Subject = caveat.User(fmt.Sprint("user ", i))
			return second(of(i).CreateToken(t.Context(), token, 0))
		})
		requireOneWinner(t, errs, errors.IDAlreadyExists)
	}
}

func oneUsername(t *testing.T, writers int, of func(i int) *redis.Store) {
	for round := range 5 {
		name := fmt.Sprint("username", round)
		user := func(i int) store.Identity {
			u := newUser(fmt.Sprint("user ", round, " ", i))
			u.Username = name
			return u
		}
		requireOneWinner(t, race(writers, func(i int) error { return of(i).CreateIdentity(t.Context(), user(i)) }),
			errors.IDBadValueIdentifierOccupied)
		holder, err := of(0).GetIdentityByUsername(t.Context(), name)
		require.NoError(t, err)
		// All writers want the name, and its holder gives it up.
		errs := race(writers, func(i int) error {
			if user(i).Subject == holder.Subject {
				return of(i).DeleteIdentity(t.Context(), holder.Subject)
			}
			return of(i).CreateIdentity(t.Context(), user(i))
		})
		for i, err := range errs {
			if user(i).Subject == holder.Subject {
				require.NoError(t, err)
			} else if err != nil {
				require.ErrorIs(t, err, errors.IDBadValueIdentifierOccupied)
			}
		}
		if now, err := of(1).GetIdentityByUsername(t.Context(), name); err == nil {
			require.NotEqual(t, holder.Subject, now.Subject)
		} else {
			require.ErrorIs(t, err, errors.IDNotFound)
		}
	}
}

func oneUsageLimit(t *testing.T, writers int, of func(i int) *redis.Store) {
	const limit = 7
	token := newToken("invite")
	token.UsageLimit = limit
	require.NoError(t, second(of(0).CreateToken(t.Context(), token, 0)))
	usedUp := errors.New("used up")
	var admitted atomic.Int64
	errs := race(writers, func(i int) error {
		for range limit {
			err := of(i).UpdateToken(t.Context(), "invite", func(t *store.Token) error {
				if t.UsageCount >= t.UsageLimit {
					return usedUp
				}
				t.UsageCount++
				return nil
			})
			if err == nil {
				admitted.Add(1)
			} else if err != usedUp {
				return err
			}
		}
		return nil
	})
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.EqualValues(t, limit, admitted.Load())
}

func oneTemporary(t *testing.T, writers int, of func(i int) *redis.Store) {
	keys := make([]store.Key, writers)
	errs := race(writers, func(i int) (err error) {
		keys[i], err = of(i).EnsureTemporaryKey(t.Context(), bob, store.NewSecret(fmt.Sprint("secret ", i)))
		return err
	})
	for i, err := range errs {
		require.NoError(t, err)
		require.Equal(t, keys[0], keys[i])
	}
	generations := make([]int64, writers)
	errs = race(writers, func(i int) (err error) {
		generations[i], err = of(i).RotateTemporaryKey(t.Context(), bob, store.NewSecret("next"))
		return err
	})
	seen := make(map[int64]bool)
	for i, err := range errs {
		require.NoError(t, err)
		require.False(t, seen[generations[i]], "two rotations got the generation %d", generations[i])
		seen[generations[i]] = true
	}
}
