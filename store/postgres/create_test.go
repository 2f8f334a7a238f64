package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// crowd is a store with some creations blocked by the server, and others
// waiting for them.
type crowd struct {
	*postgres.Store
	pool    *pgxpool.Pool   // of the store
	watcher *postgres.Store // of the same schema
	direct  *pgxpool.Pool
	schema  string
	name    string // of the sessions of the store
	proxy   *proxy
	inserts *inserts
}

// inserts counts the round trips that insert tokens.
type inserts struct{ atomic.Int64 }

func (n *inserts) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.Contains(data.SQL, "INSERT INTO") {
		n.Add(1)
	}
	return ctx
}
func (n *inserts) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (n *inserts) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	n.Add(1)
	return ctx
}
func (n *inserts) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (n *inserts) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func newCrowd(t *testing.T) crowd {
	t.Helper()
	c := crowd{direct: newPool(t, nil), proxy: newProxy(t), inserts: new(inserts), name: fmt.Sprint("crowd ", schemas.Add(1))}
	c.schema = newSchema(t, c.direct)
	c.watcher = storeIn(t, c.direct, c.schema)
	c.pool = newPoolAt(t, c.proxy.url, func(config *pgxpool.Config) {
		config.ConnConfig.Tracer = c.inserts
		config.ConnConfig.RuntimeParams["application_name"] = c.name
	})
	c.Store = storeIn(t, c.pool, c.schema)
	c.SetSlotTimeout(time.Hour)
	return c
}

// first are the creations that the server blocks.
type first struct {
	unlock func()
	leave  context.CancelFunc
	ended  chan error
}

// begin blocks creations at the server until all slots are in use.
func (c crowd) begin(t *testing.T) first {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := first{lockTables(t, c.direct, c.schema), cancel, make(chan error, postgres.MaxSlots)}
	for range postgres.MaxSlots {
		token := newToken(fmt.Sprint("first ", schemas.Add(1)))
		go func() { f.ended <- second(c.CreateToken(ctx, token, 0)) }()
	}
	eventually(t, func() bool { return backends(t, c.direct, c.name, waiting) == postgres.MaxSlots }, "the first creations did not reach the server")
	return f
}

// unblock lets the first creations succeed and the waiting ones continue.
func (f first) unblock(t *testing.T) {
	t.Helper()
	f.unlock()
	for range postgres.MaxSlots {
		require.NoError(t, receive(t, f.ended, "the first"))
	}
}

// waitForServer waits until the server blocks creations.
func (c crowd) waitForServer(t *testing.T) {
	t.Helper()
	eventually(t, func() bool { return backends(t, c.direct, c.name, waiting) > 0 }, "no creation reached the server")
}

// create makes the tokens wait in that order, and returns channels of their
// results.
func (c crowd) create(t *testing.T, ctx context.Context, tokens ...store.Token) []chan error {
	t.Helper()
	ended := make([]chan error, len(tokens))
	for i, token := range tokens {
		before := c.Waiting()
		ended[i] = make(chan error, 1)
		go func() { ended[i] <- second(c.CreateToken(ctx, token, 0)) }()
		eventually(t, func() bool { return c.Waiting() == before+1 }, "the creation did not wait")
	}
	return ended
}

func TestWaitingCreationsShareATransaction(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	first := c.begin(t)
	var tokens []store.Token
	for i := range 20 {
		token := newToken(fmt.Sprint("token ", i))
		token.Caveats, token.Privileges = []string{"a", fmt.Sprint(i)}, []string{"b"}
		if i%2 == 0 {
			token.Caveats, token.Privileges, token.Custom = []string{}, nil, []byte(`{"a": 1}`)
		}
		tokens = append(tokens, token)
	}
	ended := c.create(t, t.Context(), tokens...)
	first.unblock(t)
	for i, token := range tokens {
		require.NoError(t, receive(t, ended[i], "a creation"))
		got, err := c.watcher.GetToken(t.Context(), token.ID)
		require.NoError(t, err, "an acknowledged token was lost")
		require.Equal(t, token, got)
	}
	require.EqualValues(t, postgres.MaxSlots+1, c.inserts.Load(), "round trips")
}

// withName returns a token whose name differs from its id.
func withName(id, name string) store.Token {
	token := newToken(id)
	token.Name = name
	return token
}

func TestRejectedCreationDoesNotFailOthers(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	require.NoError(t, second(c.watcher.CreateToken(t.Context(), newToken("old"), 0)))
	execute(t, c.direct, "ALTER TABLE "+quote(c.schema, "tokens")+" ADD CHECK (usage_limit <> 13)")
	execute(t, c.direct, "CREATE FUNCTION "+quote(c.schema, "speak")+`() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'not that name'; END $$`)
	execute(t, c.direct, "CREATE TRIGGER speak BEFORE INSERT ON "+quote(c.schema, "tokens")+
		" FOR EACH ROW WHEN (NEW.id = 'loud') EXECUTE FUNCTION "+quote(c.schema, "speak")+"()")
	refused := newToken("refused")
	refused.UsageLimit = 13
	for name, other := range map[string]struct {
		token store.Token
		want  error // nil: operational
	}{
		"the id is taken":                {withName("old", "new"), errors.IDAlreadyExists},
		"the name is taken":              {withName("new", "name of old"), errors.IDBadValueIdentifierOccupied},
		"both are taken":                 {newToken("old"), errors.IDAlreadyExists},
		"a constraint is in its way":     {refused, nil},
		"a trigger has something to say": {newToken("loud"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			first := c.begin(t)
			good := newToken("good: " + name)
			ended := c.create(t, t.Context(), good, other.token)
			first.unblock(t)
			require.NoError(t, receive(t, ended[0], "a creation"), "the creation failed because of another one")
			got, err := c.watcher.GetToken(t.Context(), good.ID)
			require.NoError(t, err, "an acknowledged token was lost")
			require.Equal(t, good, got)
			if err := receive(t, ended[1], "a creation"); other.want != nil {
				require.ErrorIs(t, err, other.want)
			} else {
				requireOperational(t, err)
			}
		})
	}
}

func TestConflictingCreationsInOneTransaction(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	first := c.begin(t)
	rivals := []store.Token{withName("a", "name"), withName("b", "name"), withName("c", "one"), withName("c", "two")}
	ended := c.create(t, t.Context(), rivals...)
	first.unblock(t)
	for i, want := range []errors.ID{errors.IDBadValueIdentifierOccupied, errors.IDAlreadyExists} {
		winner, loser := rivals[2*i], rivals[2*i+1]
		won, lost := receive(t, ended[2*i], "a creation"), receive(t, ended[2*i+1], "a creation")
		if won != nil {
			winner, loser, won, lost = loser, winner, lost, won
		}
		require.NoError(t, won)
		require.ErrorIs(t, lost, want)
		got, err := c.watcher.GetToken(t.Context(), winner.ID)
		require.NoError(t, err)
		require.Equal(t, winner, got)
		if loser.ID != winner.ID {
			require.ErrorIs(t, second(c.watcher.GetToken(t.Context(), loser.ID)), errors.IDNotFound)
		}
	}
}

// TestCreationsFailTogether checks an error that concerns no single creation.
// It must not quote a row.
func TestCreationsFailTogether(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	execute(t, c.direct, "CREATE FUNCTION "+quote(c.schema, "refuse")+`() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN
			IF NEW.id = 'last' THEN RAISE EXCEPTION 'no more' USING ERRCODE = '53200', DETAIL = 'topsecret'; END IF;
			RETURN NEW;
		END $$`)
	execute(t, c.direct, "CREATE TRIGGER refuse BEFORE INSERT ON "+quote(c.schema, "tokens")+
		" FOR EACH ROW EXECUTE FUNCTION "+quote(c.schema, "refuse")+"()")
	first := c.begin(t)
	ended := c.create(t, t.Context(), newToken("a"), newToken("b"), newToken("last"))
	first.unblock(t)
	for _, ch := range ended {
		err := receive(t, ch, "a creation")
		requireOperational(t, err)
		require.ErrorContains(t, err, "no more")
		refusal, ok := errors.AsType[*pgconn.PgError](err)
		require.True(t, ok)
		require.NotContains(t, fmt.Sprintf("%+v", *refusal), "topsecret")
	}
	require.ErrorIs(t, second(c.watcher.GetToken(t.Context(), "a")), errors.IDNotFound)
}

func TestCallersOfWaitingCreationsCanLeave(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	canceled := func(ended []chan error) {
		t.Helper()
		for _, ch := range ended {
			err := receive(t, ch, "a creation ends with its context")
			require.ErrorIs(t, err, context.Canceled)
			requireOperational(t, err)
		}
	}
	succeed := func(ended []chan error) {
		t.Helper()
		for _, ch := range ended {
			require.NoError(t, receive(t, ch, "the creations of the remaining callers"))
		}
	}

	// The callers leave before the creations are sent.
	ctx, leave := context.WithCancel(t.Context())
	first := c.begin(t)
	left, others := c.create(t, ctx, newToken("a"), newToken("b")), c.create(t, t.Context(), newToken("c"), newToken("d"))
	leave()
	canceled(left)
	require.Equal(t, 2, c.Waiting())
	first.unblock(t)
	succeed(others)

	// The callers leave while the server works on the creations, which continue
	// for the remaining callers.
	ctx, leave = context.WithCancel(t.Context())
	first = c.begin(t)
	left, others = c.create(t, ctx, newToken("e")), c.create(t, t.Context(), newToken("f"), newToken("g"))
	first.leave()
	c.waitForServer(t)
	leave()
	canceled(left)
	first.unlock()
	succeed(others)

	// The server stops when the last caller has left.
	ctx, leave = context.WithCancel(t.Context())
	first = c.begin(t)
	left = c.create(t, ctx, newToken("h"), newToken("i"))
	first.leave()
	c.waitForServer(t)
	leave()
	canceled(left)
	eventually(t, func() bool { return backends(t, c.direct, c.name, waiting) == 0 }, "the server continued without callers")
	first.unlock()
	for _, id := range []string{"a", "b", "h", "i"} {
		require.ErrorIs(t, second(c.watcher.GetToken(t.Context(), id)), errors.IDNotFound)
	}
	require.NoError(t, second(c.CreateToken(t.Context(), newToken("j"), 0)))
}

func TestCreationsWhenTheConnectionIsCut(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	first := c.begin(t)
	ended := c.create(t, t.Context(), newToken("a"), newToken("b"))
	execute(t, c.direct, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", c.name)
	for range postgres.MaxSlots {
		requireOperational(t, receive(t, first.ended, "the first"))
	}
	c.waitForServer(t)
	c.proxy.cut()
	for _, ch := range ended {
		requireOperational(t, receive(t, ch, "a creation"))
	}
	first.unlock()
	eventually(t, func() bool { return second(c.CreateToken(t.Context(), newToken("c"), 0)) == nil }, "the pool did not recover")
}

// TestBlockedCreationsDoNotBlockOthers blocks some creations on names that
// another transaction is about to free.
func TestBlockedCreationsDoNotBlockOthers(t *testing.T) {
	t.Parallel()
	direct := newPool(t, nil)
	schema := newSchema(t, direct)
	s := storeIn(t, newPoolAt(t, named(t, "name"), nil), schema)
	for i := range postgres.MaxSlots {
		require.NoError(t, second(s.CreateToken(t.Context(), newToken(fmt.Sprint(i)), 0)))
	}
	other, err := direct.Begin(t.Context())
	require.NoError(t, err)
	defer other.Rollback(context.Background())
	_, err = other.Exec(t.Context(), "DELETE FROM "+quote(schema, "tokens"))
	require.NoError(t, err)
	ended := make(chan error, postgres.MaxSlots)
	for i := range postgres.MaxSlots {
		go func() {
			ended <- second(s.CreateToken(context.Background(), withName(fmt.Sprint("late ", i), fmt.Sprint("name of ", i)), 0))
		}()
	}
	eventually(t, func() bool { return backends(t, direct, "name", waiting) == postgres.MaxSlots }, "the creations do not wait")
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for i := range 5 {
		require.NoError(t, second(s.CreateToken(ctx, newToken(fmt.Sprint("token ", i)), 0)), "other creations were blocked")
	}
	require.Empty(t, ended)
	require.NoError(t, other.Commit(t.Context()))
	for range postgres.MaxSlots {
		require.NoError(t, receive(t, ended, "a creation"))
	}
}

// TestSlotIsNeverLost lets callers leave at random times.
func TestSlotIsNeverLost(t *testing.T) {
	t.Parallel()
	s := newStore(t, newPool(t, nil))
	s.SetSlotTimeout(time.Hour)
	const callers, each = 8, 60
	acknowledged := make([][]string, callers)
	for _, err := range atOnce(callers, func(caller int) error {
		for n := range each {
			ctx, cancel := context.WithCancel(t.Context())
			if n%3 > 0 {
				after := time.AfterFunc(time.Duration(n*caller%10)*200*time.Microsecond, cancel)
				defer after.Stop()
			}
			id := fmt.Sprint("token ", caller, " ", n)
			err := second(s.CreateToken(ctx, newToken(id), 0))
			cancel()
			switch {
			case err == nil:
				acknowledged[caller] = append(acknowledged[caller], id)
			case !errors.Is(err, context.Canceled):
				return err
			}
		}
		return nil
	}) {
		require.NoError(t, err)
	}
	for _, ids := range acknowledged {
		for _, id := range ids {
			require.NoError(t, second(s.NamedKey(t.Context(), id)), "an acknowledged token was lost")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	require.NoError(t, second(s.CreateToken(ctx, newToken("last"), 0)), "the slot was lost")
}

// TestCallersMayReuseTheirRecordAfterLeaving lets the caller of a shared
// transaction leave while it waits for a connection, and then change its
// record.
func TestCallersMayReuseTheirRecordAfterLeaving(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	c.Store = storeIn(t, newPoolAt(t, c.proxy.url, func(config *pgxpool.Config) {
		config.MaxConns = postgres.MaxSlots // which the first have
		config.ConnConfig.RuntimeParams["application_name"] = c.name
	}), c.schema)
	c.SetSlotTimeout(time.Hour)
	first := c.begin(t)
	token, other := newToken("leaves"), newToken("stays")
	token.Caveats, token.Privileges, token.Custom = []string{"before"}, []string{"before"}, []byte(`{"a":1}`)
	want := token.Clone()
	ctx, leave := context.WithCancel(t.Context())
	ended, others := c.create(t, ctx, token), c.create(t, t.Context(), other)
	go c.PassSlot()
	eventually(t, func() bool { return c.Waiting() == 0 }, "the creations were not sent")
	leave()
	require.ErrorIs(t, receive(t, ended[0], "who left"), context.Canceled)
	token.Caveats[0], token.Privileges[0], token.Custom[2] = "after", "after", 'b'
	first.unblock(t)
	require.NoError(t, receive(t, others[0], "who stayed"))
	got, err := c.watcher.GetToken(t.Context(), "leaves")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// TestACreationThatWaitsTooLongFailsAlone lets one creation of a shared
// transaction wait for a name that another transaction may take.
func TestACreationThatWaitsTooLongFailsAlone(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"lock_timeout", "statement_timeout"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			c := newCrowd(t)
			c.Store = storeIn(t, newPoolAt(t, c.proxy.url, func(config *pgxpool.Config) {
				config.ConnConfig.RuntimeParams["application_name"] = c.name
				config.ConnConfig.RuntimeParams[setting] = "500"
			}), c.schema)
			c.SetSlotTimeout(time.Hour)
			require.NoError(t, second(c.watcher.CreateToken(t.Context(), newToken("held"), 0)))
			tx, err := c.direct.Begin(t.Context())
			require.NoError(t, err)
			defer func() { _ = tx.Rollback(context.Background()) }()
			_, err = tx.Exec(t.Context(), "DELETE FROM "+quote(c.schema, "tokens"))
			require.NoError(t, err)

			held := func(id string) store.Token { return withName(id, newToken("held").Name) }
			first := make(chan error, postgres.MaxSlots)
			for i := range postgres.MaxSlots {
				go func() { first <- second(c.CreateToken(t.Context(), held(fmt.Sprint("first ", i)), 0)) }()
			}
			eventually(t, func() bool { return backends(t, c.direct, c.name, waiting) == postgres.MaxSlots }, "the first creations do not wait")
			ended := c.create(t, t.Context(), held("guilty"), newToken("innocent"))
			for range postgres.MaxSlots {
				requireOperational(t, receive(t, first, "the first"))
			}
			requireOperational(t, receive(t, ended[0], "the creation that waits too long"))
			require.NoError(t, receive(t, ended[1], "the creation that does not wait"))
		})
	}
}
