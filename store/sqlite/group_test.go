package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	driver "modernc.org/sqlite"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// grouped is a store whose calls share a transaction.
type grouped struct {
	*sqlite.Store
	path    string
	commits *atomic.Int64
}

func openGrouped(t *testing.T) grouped {
	t.Helper()
	g := grouped{path: newPath(t)}
	g.Store = openAt(t, g.path, sqlite.Options{BusyTimeout: testTimeout, Synchronous: sqlite.Off})
	g.SetGroupTime(time.Hour)
	populate(t, g)
	_, writer := g.Handles()
	g.commits = countCommits(t, writer)
	return g
}

// countCommits counts the commits of a handle with one connection.
func countCommits(t *testing.T, db *sql.DB) *atomic.Int64 {
	t.Helper()
	var commits atomic.Int64
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, conn.Raw(func(raw any) error {
		raw.(driver.HookRegisterer).RegisterCommitHook(func() int32 {
			commits.Add(1)
			return 0
		})
		return nil
	}))
	require.NoError(t, conn.Close())
	return &commits
}

// begin begins the calls in their order while the file is locked. The function
// that it returns unlocks the file and returns the results. A call before them
// commits alone; they wait for it, and then form a group.
func (g grouped) begin(t *testing.T, calls ...func() error) (finish func() []error) {
	t.Helper()
	other := newHandle(t, g.path)
	other.SetMaxOpenConns(1)
	execute(t, other, "BEGIN IMMEDIATE")
	_, writer := g.Handles()
	first := make(chan error, 1)
	go func() {
		first <- g.RecordUses(context.Background(), []store.Use{{TokenID: "a", At: 60, Count: 1}})
	}()
	require.Eventually(t, func() bool { return writer.Stats().InUse > 0 }, testTimeout, time.Millisecond)
	results := make([]chan error, len(calls))
	for i, call := range calls {
		results[i] = make(chan error, 1)
		go func() { results[i] <- recovered(call) }()
		require.Eventually(t, func() bool { return g.Waiting() > i }, testTimeout, time.Millisecond)
	}
	return func() []error {
		execute(t, other, "ROLLBACK")
		require.NoError(t, receive(t, first, "the call before the group"))
		errs := make([]error, len(calls))
		for i, result := range results {
			errs[i] = receive(t, result, "a call of the group")
		}
		return errs
	}
}

var errPanic = errors.New("the call panicked")

// recovered returns errPanic if the call panics.
func recovered(call func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	return call()
}

func (g grouped) create(id string) func() error {
	return func() error { return second(g.CreateToken(context.Background(), newToken(id), 0)) }
}

func (g grouped) update(ctx context.Context, id string, change func(*store.Token) error) func() error {
	return func() error { return g.UpdateToken(ctx, id, change) }
}

// requireStored requires that exactly these tokens exist.
func requireStored(t *testing.T, s store.Store, ids ...string) {
	t.Helper()
	var stored []string
	for _, token := range listAll(t, s, store.Query{}) {
		stored = append(stored, token.ID)
	}
	require.ElementsMatch(t, ids, stored)
}

func TestWritersThatWaitShareATransaction(t *testing.T) {
	t.Parallel()
	g := openGrouped(t)
	var generation int64
	finish := g.begin(t,
		g.create("b"),
		g.update(t.Context(), "a", revoke),
		g.update(t.Context(), "a", count),
		func() (err error) {
			generation, err = g.RotateTemporaryKey(t.Context(), alice, store.NewSecret("rotated"))
			return err
		},
		func() error { return g.DeleteIdentity(t.Context(), alice) },
		g.create("c"),
	)
	for _, err := range finish() {
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, g.commits.Load(), "the first call, and the group")
	require.EqualValues(t, 2, generation)
	requireStored(t, g, "a", "b", "c")
	a, err := g.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, a.Revoked)
	require.EqualValues(t, 1, a.UsageCount)
	require.ErrorIs(t, second(g.GetIdentity(t.Context(), alice)), errors.IDNotFound)
}

func TestGroupsHaveALimit(t *testing.T) {
	t.Parallel()
	g := openGrouped(t)
	calls := make([]func() error, sqlite.MaxGroup+1)
	for i := range calls {
		calls[i] = g.create(fmt.Sprint(i))
	}
	for _, err := range g.begin(t, calls...)() {
		require.NoError(t, err)
	}
	require.EqualValues(t, 3, g.commits.Load(), "the first call, the group, and the call after it")
}

// TestEachCallOfAGroupGetsItsOwnResult has calls that fail among others that do
// not.
func TestEachCallOfAGroupGetsItsOwnResult(t *testing.T) {
	t.Parallel()
	g := openGrouped(t)
	refusal := errors.New("refused")
	sameName := newToken("same name")
	sameName.Name = newToken("b").Name
	imported := newToken("imported")
	finish := g.begin(t,
		g.create("b"),
		g.create("b"),
		func() error { return second(g.CreateToken(t.Context(), sameName, 0)) },
		g.update(t.Context(), "missing", revoke),
		g.update(t.Context(), "b", func(token *store.Token) error { return refusal }),
		g.update(t.Context(), "b", func(token *store.Token) error { panic("of the caller") }),
		func() error {
			return g.Import(t.Context(), []store.Record{{Token: &imported}, {Token: &sameName}})
		},
		func() error { return g.DeleteToken(t.Context(), "missing") },
		g.update(t.Context(), "b", count),
		g.create("c"),
	)
	errs := finish()
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], errors.IDAlreadyExists)
	require.ErrorIs(t, errs[2], errors.IDBadValueIdentifierOccupied)
	require.ErrorIs(t, errs[3], errors.IDNotFound)
	require.ErrorIs(t, errs[4], refusal)
	require.ErrorIs(t, errs[5], errPanic)
	require.ErrorIs(t, errs[6], errors.IDBadValueIdentifierOccupied)
	require.ErrorIs(t, errs[7], errors.IDNotFound)
	require.NoError(t, errs[8])
	require.NoError(t, errs[9])
	require.EqualValues(t, 2, g.commits.Load())
	requireStored(t, g, "a", "b", "c")
	b, err := g.GetToken(t.Context(), "b")
	require.NoError(t, err)
	require.EqualValues(t, 1, b.UsageCount)
}

// TestGroupThatIsRolledBack has a call that makes SQLite roll back the whole
// transaction.
func TestGroupThatIsRolledBack(t *testing.T) {
	t.Parallel()
	g := openGrouped(t)
	_, writer := g.Handles()
	execute(t, writer, `CREATE TRIGGER poison BEFORE INSERT ON onezone_tokens WHEN NEW.id LIKE 'poison%'
		BEGIN SELECT RAISE(ROLLBACK, 'poisoned'); END`)
	poisoned := newToken("poison 2")
	finish := g.begin(t, g.create("b"), g.create("poison 1"), g.create("c"),
		func() error { return g.Import(t.Context(), []store.Record{{Token: &poisoned}}) }, g.update(t.Context(), "a", count))
	errs := finish()
	requireOperational(t, errs[1])
	require.ErrorContains(t, errs[1], "poisoned")
	require.ErrorContains(t, errs[3], "poisoned")
	for _, i := range []int{0, 2, 4} {
		require.NoError(t, errs[i], "call %d", i)
	}
	requireStored(t, g, "a", "b", "c")
	a, err := g.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.EqualValues(t, 1, a.UsageCount)
}

// TestDiskFullDuringAGroup creates tokens, of which some do not fit.
func TestDiskFullDuringAGroup(t *testing.T) {
	t.Parallel()
	g := openGrouped(t)
	_, writer := g.Handles()
	execute(t, writer, fmt.Sprint("PRAGMA max_page_count = ", ask[int](t, writer, "PRAGMA page_count")+10))
	calls := make([]func() error, 30)
	for i := range calls {
		token := newToken(fmt.Sprint("new ", i))
		if i%3 == 0 {
			token.Custom = json.RawMessage(`{"large":"` + strings.Repeat("x", 8000) + `"}`)
		}
		calls[i] = func() error { return second(g.CreateToken(t.Context(), token, 0)) }
	}
	stored := []string{"a"}
	full := 0
	for i, err := range g.begin(t, calls...)() {
		if err == nil {
			stored = append(stored, fmt.Sprint("new ", i))
			continue
		}
		full++
		requireOperational(t, err)
		require.ErrorContains(t, err, "full")
	}
	require.Greater(t, len(stored), 5)
	require.Positive(t, full)
	requireStored(t, g, stored...)
	requireSound(t, g.Store)
}

// ending is a context that ends without waking those who wait for it, as for a
// call that has no time to leave the queue.
type ending struct {
	context.Context
	ended atomic.Bool
}

func (e *ending) Err() error {
	if e.ended.Load() {
		return context.Canceled
	}
	return nil
}

func TestCallsThatGiveUpBeforeTheirTurnWriteNothing(t *testing.T) {
	t.Parallel()
	g := openGrouped(t)
	ctx := &ending{Context: context.Background()}
	asked := false
	errs := g.begin(t,
		g.create("b"),
		g.update(t.Context(), "a", func(token *store.Token) error {
			ctx.ended.Store(true)
			return count(token)
		}),
		func() error { return second(g.CreateToken(ctx, newToken("given up"), 0)) },
		g.update(ctx, "a", func(token *store.Token) error {
			asked = true
			return revoke(token)
		}),
		g.create("c"),
	)()
	require.False(t, asked, "the change of a call that gave up was asked for")
	for _, i := range []int{0, 1, 4} {
		require.NoError(t, errs[i], "call %d", i)
	}
	require.ErrorIs(t, errs[2], context.Canceled)
	require.ErrorIs(t, errs[3], context.Canceled)
	requireStored(t, g, "a", "b", "c")
	a, err := g.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.False(t, a.Revoked)
	require.EqualValues(t, 1, a.UsageCount)
}

func TestCallsThatGiveUpWhileTheyWaitLeaveTheQueue(t *testing.T) {
	t.Parallel()
	g := openGrouped(t)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	finish := g.begin(t, g.create("b"), func() error {
		err := second(g.CreateToken(ctx, newToken("given up"), 0))
		gone <- err
		return err
	}, g.create("c"))
	cancel()
	require.ErrorIs(t, receive(t, gone, "the call that gave up"), context.Canceled)
	errs := finish()
	require.NoError(t, errs[0])
	require.NoError(t, errs[2])
	requireStored(t, g, "a", "b", "c")
}

func TestChangeInAGroupThatEndsItsContextWritesNothing(t *testing.T) {
	t.Parallel()
	g := openGrouped(t)
	ctx, cancel := context.WithCancel(t.Context())
	errs := g.begin(t, g.create("b"), g.update(ctx, "a", func(token *store.Token) error {
		cancel()
		return revoke(token)
	}), g.create("c"))()
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], context.Canceled)
	require.NoError(t, errs[2])
	requireStored(t, g, "a", "b", "c")
	a, err := g.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.False(t, a.Revoked)
}

// TestSlowChangeDoesNotHoldCallsThatGiveUp has calls that are written but not
// committed when their context ends.
func TestSlowChangeDoesNotHoldCallsThatGiveUp(t *testing.T) {
	t.Parallel()
	g := openGrouped(t)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 3)
	giveUp := func(call func() error) func() error {
		return func() error {
			err := call()
			gone <- err
			return err
		}
	}
	finish := g.begin(t,
		giveUp(g.update(ctx, "a", revoke)),
		giveUp(func() error { return second(g.CreateToken(ctx, newToken("b"), 0)) }),
		giveUp(func() error { return second(g.RotateTemporaryKey(ctx, alice, store.NewSecret("rotated"))) }),
		g.update(t.Context(), "a", func(token *store.Token) error {
			cancel()
			for range 3 {
				if err := <-gone; !errors.Is(err, context.Canceled) {
					return err
				}
			}
			return count(token)
		}))
	require.NoError(t, finish()[3])
	requireStored(t, g, "a", "b")
	a, err := g.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, a.Revoked)
}

// TestAcknowledgedWritesAreStored has many callers, of whom some give up at
// random and the last are surprised by Close.
func TestAcknowledgedWritesAreStored(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{})
	populate(t, s)
	const callers, each = 32, 20
	acknowledged := make([][]string, callers)
	var written atomic.Int64
	for i, err := range atOnce(callers, func(caller int) error {
		random := rand.New(rand.NewPCG(1, uint64(caller)))
		for n := range each {
			if written.Add(1) == callers*each*3/4 {
				require.NoError(t, s.Close())
			}
			id := fmt.Sprint(caller, " ", n)
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(20_000))*time.Microsecond)
			err := second(s.CreateToken(ctx, newToken(id), 0))
			if err == nil && n%2 == 0 {
				err = s.UpdateToken(ctx, id, count)
			}
			cancel()
			switch {
			case err == nil:
				acknowledged[caller] = append(acknowledged[caller], id)
			case !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, store.ErrClosed):
				return err
			}
		}
		return nil
	}) {
		require.NoError(t, err, "caller %d", i)
	}
	s = openAt(t, path, sqlite.Options{})
	n := 0
	for _, ids := range acknowledged {
		for _, id := range ids {
			token, err := s.GetToken(t.Context(), id)
			require.NoError(t, err, "token %s was acknowledged", id)
			if strings.HasSuffix(id, "0") {
				require.EqualValues(t, 1, token.UsageCount)
			}
			n++
		}
	}
	require.Positive(t, n)
	requireSound(t, s)
}
