package sqlite_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

const (
	updatesEach = 15 // by each writer of the contest for a token
	names       = 20
	usageLimit  = 25
)

// contest describes what writers compete for, how often they succeed in total,
// and what must hold afterwards.
type contest struct {
	name    string
	succeed func(writers int) int
	holds   func(t *testing.T, s store.Store, succeeded int)
}

var contests = []contest{
	{"one token", func(writers int) int { return writers * updatesEach }, func(t *testing.T, s store.Store, succeeded int) {
		token, err := s.GetToken(t.Context(), "token")
		require.NoError(t, err)
		require.EqualValues(t, succeeded, token.UsageCount, "updates were lost")
		distinct := make(map[store.Tail]bool)
		for _, tail := range token.RevokedTails {
			distinct[tail] = true
		}
		require.Len(t, distinct, succeeded, "updates were lost")
	}},
	{"one name", func(int) int { return names }, func(t *testing.T, s store.Store, _ int) {
		for n := range names {
			require.Len(t, listAll(t, s, store.Query{Subject: alice, Name: nameOf(n)}), 1)
		}
	}},
	{"one usage limit", func(int) int { return usageLimit }, func(t *testing.T, s store.Store, _ int) {
		token, err := s.GetToken(t.Context(), "invite")
		require.NoError(t, err)
		require.EqualValues(t, usageLimit, token.UsageCount)
	}},
	{"one temporary key", func(writers int) int { return writers * updatesEach }, func(t *testing.T, s store.Store, succeeded int) {
		key, err := s.TemporaryKey(t.Context(), alice)
		require.NoError(t, err)
		require.EqualValues(t, succeeded, key.Generation, "two rotations returned the same generation")
	}},
}

func nameOf(n int) string { return fmt.Sprint("contended ", n) }

// contend runs n writers with the given name in the contest, and returns the
// number of successes.
func contend(s store.Store, contest, who string, writers int) (int, error) {
	var succeeded atomic.Int64
	errs := atOnce(writers, func(i int) error {
		writer := fmt.Sprint(who, " ", i)
		switch contest {
		case "one token":
			return repeat(updatesEach, &succeeded, func(n int) error { return addTail(s, fmt.Sprint(writer, " ", n)) })
		case "one name":
			return repeat(names, &succeeded, func(n int) error {
				token := newToken(fmt.Sprint(writer, " ", n))
				token.Name = nameOf(n)
				err := second(s.CreateToken(context.Background(), token, 0))
				if errors.Is(err, errors.IDBadValueIdentifierOccupied) {
					return errLost
				}
				return err
			})
		case "one usage limit":
			return repeat(2*usageLimit, &succeeded, func(int) error { return use(s) })
		case "one temporary key":
			return repeat(updatesEach, &succeeded, func(int) error {
				return second(s.RotateTemporaryKey(context.Background(), alice, store.NewSecret(writer)))
			})
		}
		return errors.New("unknown contest")
	})
	return int(succeeded.Load()), errors.Join(errs...)
}

// errLost reports that another writer succeeded first.
var errLost = errors.New("another writer was first")

func repeat(n int, succeeded *atomic.Int64, try func(n int) error) error {
	for i := range n {
		switch err := try(i); {
		case err == nil:
			succeeded.Add(1)
		case !errors.Is(err, errLost):
			return err
		}
	}
	return nil
}

func addTail(s store.Store, of string) error {
	return s.UpdateToken(context.Background(), "token", func(t *store.Token) error {
		t.UsageCount++
		t.RevokedTails = append(t.RevokedTails, store.TailOf([]byte(of)))
		return nil
	})
}

func use(s store.Store) error {
	return s.UpdateToken(context.Background(), "invite", func(t *store.Token) error {
		if t.UsageCount == t.UsageLimit {
			return errLost
		}
		t.UsageCount++
		return nil
	})
}

// arena is a file with the records that writers compete for.
func arena(t *testing.T) string {
	t.Helper()
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{})
	invite := newToken("invite")
	invite.UsageLimit = usageLimit
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("token"), 0)))
	require.NoError(t, second(s.CreateToken(t.Context(), invite, 0)))
	require.NoError(t, s.Close())
	return path
}

// TestWriters lets two and ten writers compete, half of them through another
// store or in another process.
func TestWriters(t *testing.T) {
	t.Parallel()
	for _, c := range contests {
		for _, writers := range []int{2, 10} {
			t.Run(fmt.Sprint(writers, " of two stores for ", c.name), func(t *testing.T) {
				t.Parallel()
				path := arena(t)
				stores := []store.Store{openAt(t, path, sqlite.Options{}), newOver(t, newHandle(t, path), sqlite.Options{})}
				succeeded := make([]int, len(stores))
				for _, err := range atOnce(len(stores), func(i int) (err error) {
					succeeded[i], err = contend(stores[i], c.name, fmt.Sprint("store ", i), writers/2)
					return err
				}) {
					require.NoError(t, err)
				}
				require.Equal(t, c.succeed(writers), succeeded[0]+succeeded[1])
				c.holds(t, stores[0], succeeded[0]+succeeded[1])
			})
			t.Run(fmt.Sprint(writers, " of two processes for ", c.name), func(t *testing.T) {
				t.Parallel()
				path := arena(t)
				s := openAt(t, path, sqlite.Options{})
				p := start(t, "contend", path, c.name, strconv.Itoa(writers/2))
				p.goAhead(t)
				here, err := contend(s, c.name, "this process", writers/2)
				require.NoError(t, err)
				line, err := p.out.ReadString('\n')
				require.NoError(t, err)
				there, err := strconv.Atoi(strings.TrimSpace(line))
				require.NoError(t, err)
				require.NoError(t, p.Wait())
				require.Equal(t, c.succeed(writers), here+there)
				c.holds(t, s, here+there)
			})
		}
	}
}

// TestWritersWaitForTheBusyTimeout locks the file.
func TestWritersWaitForTheBusyTimeout(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	populate(t, openAt(t, path, sqlite.Options{}))
	other := newHandle(t, path)
	other.SetMaxOpenConns(1)
	impatient := openAt(t, path, sqlite.Options{BusyTimeout: -1})
	execute(t, other, "BEGIN IMMEDIATE")
	for _, c := range calls(impatient) {
		if c.writes {
			requireOperational(t, c.do(t.Context()), c.name)
		} else {
			require.NoError(t, c.do(t.Context()), "%s: readers do not wait", c.name)
		}
	}
	execute(t, other, "ROLLBACK")

	patient := openAt(t, path, sqlite.Options{BusyTimeout: testTimeout})
	execute(t, other, "BEGIN IMMEDIATE")
	done := make(chan error, 1)
	go func() { done <- patient.UpdateToken(t.Context(), "a", revoke) }()
	require.NoError(t, second(patient.NamedKey(t.Context(), "a")), "a waiting writer blocked readers")
	execute(t, other, "COMMIT")
	require.NoError(t, receive(t, done, "the update after the file was unlocked"))
}

// TestWritersOfOneStoreTakeTurns uses a handle with several connections. Its
// writers do not find the file locked by each other, even without a busy
// timeout.
func TestWritersOfOneStoreTakeTurns(t *testing.T) {
	t.Parallel()
	path := arena(t)
	s := newOver(t, newHandle(t, path, "_journal_mode", "WAL"), sqlite.Options{BusyTimeout: -1})
	for _, c := range contests {
		succeeded, err := contend(s, c.name, "writer", 10)
		require.NoError(t, err, c.name)
		require.Equal(t, c.succeed(10), succeeded, c.name)
	}
}

// TestNoOtherWriteDuringAChange tries to write through another store.
func TestNoOtherWriteDuringAChange(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, other := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{BusyTimeout: -1})
	populate(t, s)
	calls := 0
	require.NoError(t, s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
		calls++
		requireOperational(t, other.UpdateToken(t.Context(), "a", revoke))
		return count(token)
	}))
	require.Equal(t, 1, calls)
	token, err := other.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.EqualValues(t, 1, token.UsageCount)
	require.False(t, token.Revoked)
	require.NoError(t, other.UpdateToken(t.Context(), "a", revoke))
}

// TestInvalidKeysAreNotLookedUp looks them up while the database cannot be
// read.
func TestInvalidKeysAreNotLookedUp(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := newOver(t, newHandle(t, path), sqlite.Options{BusyTimeout: -1})
	populate(t, s)
	other := newHandle(t, path)
	other.SetMaxOpenConns(1)
	execute(t, other, "BEGIN EXCLUSIVE")
	requireOperational(t, second(s.NamedKey(t.Context(), "a")))
	for _, key := range []string{"", strings.Repeat("x", 1<<20), "a\x00", "\xff"} {
		require.ErrorIs(t, second(s.NamedKey(t.Context(), key)), errors.IDNotFound)
		require.ErrorIs(t, second(s.TemporaryKey(t.Context(), caveat.User(key))), errors.IDNotFound)
		require.ErrorIs(t, second(s.GetIdentityByUsername(t.Context(), key)), errors.IDNotFound)
	}
}

// TestPanicOfAChangeUnlocksTheFile is for callers that recover from a panic.
func TestPanicOfAChangeUnlocksTheFile(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t), sqlite.Options{})
	populate(t, s)
	require.Panics(t, func() {
		_ = s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
			token.Revoked = true
			panic("of the caller")
		})
	})
	token, err := s.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.False(t, token.Revoked)
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
}
