package redis_test

import (
	"context"
	"fmt"
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

var errDied = errors.New("the process died")

// dying is the client of a process that dies at one of its scripts, before or
// after the server runs it.
type dying struct {
	rueidis.Client
	scripts atomic.Int64 // until it dies
	after   bool
}

func (c *dying) isDead() bool { return c.scripts.Load() <= 0 }

func (c *dying) Do(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResult {
	if c.isDead() {
		return rueidis.NewErrorResult(errDied)
	}
	if cmd.Commands()[0] == "EVALSHA" && c.scripts.Add(-1) == 0 {
		if c.after {
			c.Client.Do(ctx, cmd)
		}
		return rueidis.NewErrorResult(errDied)
	}
	return c.Client.Do(ctx, cmd)
}

func (c *dying) DoMulti(ctx context.Context, multi ...rueidis.Completed) []rueidis.RedisResult {
	if !c.isDead() {
		return c.Client.DoMulti(ctx, multi...)
	}
	results := make([]rueidis.RedisResult, len(multi))
	for i := range results {
		results[i] = rueidis.NewErrorResult(errDied)
	}
	return results
}

// writesOf returns a call of each method that writes. The import swaps user
// names, moves a token to another subject, and gives its name to another token.
func writesOf(s *redis.Store) (writes []call) {
	for _, c := range calls(s) {
		if c.writes {
			writes = append(writes, c)
		}
	}
	moved, taker := newToken("a"), newToken("taker")
	moved.Subject, moved.Name, taker.Name = bob, "moved", "name of a"
	first, second := newUser("alice"), newUser("carol")
	first.Username, second.Username = second.Username, first.Username
	records := []store.Record{{Token: &moved}, {Identity: &first}, {Identity: &second}, {Token: &taker}}
	return append(writes, call{importMoves, true, func(ctx context.Context) error { return s.Import(ctx, records) }})
}

const importMoves = "Import of moves"

// A process dies at each script of each call. The data stays consistent, and
// the next process can complete the call.
func TestProcessDiesAtAnyScript(t *testing.T) {
	t.Parallel()
	for mode, client := range map[string]rueidis.Client{"single": newSingleClient(t), "cluster": newClusterClient(t)} {
		for i, c := range writesOf(nil) {
			t.Run(mode+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				want := newStore(t, client, redis.Options{})
				fill(t, want)
				require.NoError(t, want.CreateIdentity(t.Context(), newUser("carol")))
				require.NoError(t, writesOf(want)[i].do(t.Context()))
				scripts := int64(1)
				for diesAt(t, client, scripts, i, want) {
					scripts++
				}
				require.Greater(t, scripts, int64(1), "the call runs no script")
			})
		}
	}
}

// diesAt runs the call in a process that dies at its n-th script, and then in
// another process. It reports whether the call has n scripts.
func diesAt(t *testing.T, client rueidis.Client, n int64, i int, want *redis.Store) (died bool) {
	for _, after := range []bool{false, true} {
		about := fmt.Sprintf("died at script %d, after it: %t", n, after)
		o := redis.Options{Prefix: redistest.Prefix()}
		s := newStore(t, client, o)
		fill(t, s)
		require.NoError(t, s.CreateIdentity(t.Context(), newUser("carol")))
		victim := &dying{Client: client, after: after}
		victim.scripts.Store(n)
		c := writesOf(newStore(t, victim, o))[i]
		if err := c.do(t.Context()); err != nil {
			requireOperational(t, err, about)
			require.ErrorIs(t, err, errDied, about)
		}
		died = died || victim.isDead()
		if c.name != importMoves {
			requireSound(t, s)
		}
		if err := writesOf(s)[i].do(t.Context()); err != nil {
			e, ok := errors.AsType[*errors.Error](err)
			require.True(t, ok, "%s: %v", about, err)
			require.Contains(t, []errors.ID{errors.IDAlreadyExists, errors.IDNotFound}, e.ID, about)
		}
		requireSound(t, s)
		requireSame(t, want, s, about)
	}
	return died
}

// requireSame requires the same content, except for generations, which increase
// each time.
func requireSame(t *testing.T, want, got *redis.Store, about string) {
	t.Helper()
	content := func(s *redis.Store) (all []any) {
		all = append(all, listAll(t, s, store.Query{}))
		for _, subject := range subjects {
			i, err := s.GetIdentity(t.Context(), subject)
			all = append(all, i, err != nil)
			key, err := s.TemporaryKey(t.Context(), subject)
			all = append(all, key.Secret, key.Holder, err != nil)
		}
		return all
	}
	require.Equal(t, content(want), content(got), about)
}

// stalling is the client of a process that stops before one of its scripts
// until it is resumed.
type stalling struct {
	rueidis.Client
	scripts atomic.Int64 // until it stops
	stalled chan struct{}
	goOn    chan struct{}
}

func (c *stalling) Do(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResult {
	if cmd.Commands()[0] == "EVALSHA" && c.scripts.Add(-1) == 0 {
		close(c.stalled)
		<-c.goOn
	}
	return c.Client.Do(ctx, cmd)
}

// A process that takes an id or user name, and then stops for longer than
// others wait, does not write the record when it resumes.
func TestOneOfTwoClaimsIsRejected(t *testing.T) {
	t.Parallel()
	tokenOf := func(subject caveat.Subject) store.Token {
		token := newToken("a")
		token.Subject = subject
		return token
	}
	userOf := func(subject caveat.Subject) store.Identity { return store.Identity{Subject: subject, Username: "name"} }
	for name, c := range map[string]struct {
		do      func(s *redis.Store, subject caveat.Subject) error
		byOther func(s *redis.Store, subject caveat.Subject) error
		refusal errors.ID
	}{
		"token id": {
			do: func(s *redis.Store, subject caveat.Subject) error {
				return second(s.CreateToken(t.Context(), tokenOf(subject), 0))
			},
			refusal: errors.IDAlreadyExists,
		},
		"user name": {
			do: func(s *redis.Store, subject caveat.Subject) error {
				return s.CreateIdentity(t.Context(), userOf(subject))
			},
			refusal: errors.IDBadValueIdentifierOccupied,
		},
		"import of a token": {
			do: func(s *redis.Store, subject caveat.Subject) error {
				return second(s.CreateToken(t.Context(), tokenOf(subject), 0))
			},
			byOther: func(s *redis.Store, subject caveat.Subject) error {
				token := tokenOf(subject)
				return s.Import(t.Context(), []store.Record{{Token: &token}})
			},
			refusal: errors.IDAlreadyExists,
		},
		"import of an identity": {
			do: func(s *redis.Store, subject caveat.Subject) error {
				return s.CreateIdentity(t.Context(), userOf(subject))
			},
			byOther: func(s *redis.Store, subject caveat.Subject) error {
				identity := userOf(subject)
				return s.Import(t.Context(), []store.Record{{Identity: &identity}})
			},
			refusal: errors.IDBadValueIdentifierOccupied,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, o := newClusterClient(t), redis.Options{Prefix: redistest.Prefix()}
			quick := newStore(t, client, o)
			late := &stalling{Client: client, stalled: make(chan struct{}), goOn: make(chan struct{})}
			late.scripts.Store(2) // the pointer first, then the record
			slow := newStore(t, late, o)
			ended := make(chan error, 1)
			go func() { ended <- c.do(slow, alice) }()
			await(t, late.stalled, "the pointer is taken")
			_, err := quick.NamedKey(t.Context(), "a")
			require.ErrorIs(t, err, errors.IDNotFound, "a pointer without a record is not a token")
			_, err = quick.GetIdentityByUsername(t.Context(), "name")
			require.ErrorIs(t, err, errors.IDNotFound, "a pointer without a record is not a user")
			if c.byOther == nil {
				c.byOther = c.do
			}
			require.NoError(t, c.byOther(quick, bob), "a pointer without a record reserves the name")
			close(late.goOn)
			require.ErrorIs(t, await(t, ended, "the slow process ends"), c.refusal)
			requireSound(t, quick)
			require.Empty(t, listAll(t, quick, store.Query{Subject: alice}))
			_, err = quick.GetIdentity(t.Context(), alice)
			require.ErrorIs(t, err, errors.IDNotFound)
		})
	}
}

func TestRejectedCreationLeavesNoPointer(t *testing.T) {
	t.Parallel()
	client := newClusterClient(t)
	s := newStore(t, client, redis.Options{})
	fill(t, s)
	again := newToken("b")
	again.Name = "name of a"
	require.ErrorIs(t, second(s.CreateToken(t.Context(), again, 0)), errors.IDBadValueIdentifierOccupied)
	user := newUser("alice")
	user.Username = "another"
	require.ErrorIs(t, s.CreateIdentity(t.Context(), user), errors.IDAlreadyExists)
	for _, key := range s.PointerKeys("b", "another") {
		n, err := client.Do(t.Context(), client.B().Exists().Key(key).Build()).AsInt64()
		require.NoError(t, err)
		require.Zero(t, n, key)
	}
}
