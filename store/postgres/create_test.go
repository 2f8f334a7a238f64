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

// crowd is a store of which some creations are kept waiting by the server, while
// others wait for them.
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
	c.SetMaxTurn(time.Hour)
	return c
}

// first are the creations that the server keeps waiting.
type first struct {
	unlock func()
	leave  context.CancelFunc
	ended  chan error
}

// begin has the server keep creations waiting until no more are let through.
func (c crowd) begin(t *testing.T) first {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := first{lockTables(t, c.direct, c.schema), cancel, make(chan error, postgres.MaxTurns)}
	for range postgres.MaxTurns {
		token := newToken(fmt.Sprint("first ", schemas.Add(1)))
		go func() { f.ended <- second(c.CreateToken(ctx, token, 0)) }()
	}
	eventually(t, func() bool { return backends(t, c.direct, c.name, waiting) == postgres.MaxTurns }, "the first do not get to the server")
	return f
}

// letGo has the first creations succeed, and those who wait go on.
func (f first) letGo(t *testing.T) {
	t.Helper()
	f.unlock()
	for range postgres.MaxTurns {
		require.NoError(t, receive(t, f.ended, "the first"))
	}
}

// waitForServer waits until the server keeps creations waiting.
func (c crowd) waitForServer(t *testing.T) {
	t.Helper()
	eventually(t, func() bool { return backends(t, c.direct, c.name, waiting) > 0 }, "nothing gets to the server")
}

// create has the tokens wait, in that order, and returns where their outcomes
// come.
func (c crowd) create(t *testing.T, ctx context.Context, tokens ...store.Token) []chan error {
	t.Helper()
	ended := make([]chan error, len(tokens))
	for i, token := range tokens {
		before := c.Waiting()
		ended[i] = make(chan error, 1)
		go func() { ended[i] <- second(c.CreateToken(ctx, token, 0)) }()
		eventually(t, func() bool { return c.Waiting() == before+1 }, "it does not wait for the first")
	}
	return ended
}

func TestCreationsThatWaitGoTogether(t *testing.T) {
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
	first.letGo(t)
	for i, token := range tokens {
		require.NoError(t, receive(t, ended[i], "a creation"))
		got, err := c.watcher.GetToken(t.Context(), token.ID)
		require.NoError(t, err, "an acknowledged token is lost")
		require.Equal(t, token, got)
	}
	require.EqualValues(t, postgres.MaxTurns+1, c.inserts.Load(), "round trips")
}

// withName returns a token that is not called after its id.
func withName(id, name string) store.Token {
	token := newToken(id)
	token.Name = name
	return token
}

func TestCreationsInTheWayOfOthers(t *testing.T) {
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
		want  error // nil: of the environment
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
			first.letGo(t)
			require.NoError(t, receive(t, ended[0], "a creation"), "it fails because of another")
			got, err := c.watcher.GetToken(t.Context(), good.ID)
			require.NoError(t, err, "an acknowledged token is lost")
			require.Equal(t, good, got)
			if err := receive(t, ended[1], "a creation"); other.want != nil {
				require.ErrorIs(t, err, other.want)
			} else {
				requireEnvironment(t, err)
			}
		})
	}
}

func TestCreationsInTheWayOfEachOther(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	first := c.begin(t)
	rivals := []store.Token{withName("a", "name"), withName("b", "name"), withName("c", "one"), withName("c", "two")}
	ended := c.create(t, t.Context(), rivals...)
	first.letGo(t)
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

// TestCreationsFailTogether is about an error that is nobody's own. It quotes a
// row, which nobody is to see.
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
	first.letGo(t)
	for _, ch := range ended {
		err := receive(t, ch, "a creation")
		requireEnvironment(t, err)
		require.ErrorContains(t, err, "no more")
		refusal, ok := errors.AsType[*pgconn.PgError](err)
		require.True(t, ok)
		require.NotContains(t, fmt.Sprintf("%+v", *refusal), "topsecret")
	}
	require.ErrorIs(t, second(c.watcher.GetToken(t.Context(), "a")), errors.IDNotFound)
}

func TestCallersOfCreationsThatWaitLeave(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	cancelled := func(ended []chan error) {
		t.Helper()
		for _, ch := range ended {
			err := receive(t, ch, "a creation ends with its context")
			require.ErrorIs(t, err, context.Canceled)
			requireEnvironment(t, err)
		}
	}
	succeed := func(ended []chan error) {
		t.Helper()
		for _, ch := range ended {
			require.NoError(t, receive(t, ch, "the creations of those who stay"))
		}
	}

	// Before they have been sent.
	ctx, leave := context.WithCancel(t.Context())
	first := c.begin(t)
	left, others := c.create(t, ctx, newToken("a"), newToken("b")), c.create(t, t.Context(), newToken("c"), newToken("d"))
	leave()
	cancelled(left)
	require.Equal(t, 2, c.Waiting())
	first.letGo(t)
	succeed(others)

	// While the server works on them: it goes on for those who stay.
	ctx, leave = context.WithCancel(t.Context())
	first = c.begin(t)
	left, others = c.create(t, ctx, newToken("e")), c.create(t, t.Context(), newToken("f"), newToken("g"))
	first.leave()
	c.waitForServer(t)
	leave()
	cancelled(left)
	first.unlock()
	succeed(others)

	// It stops when the last has left.
	ctx, leave = context.WithCancel(t.Context())
	first = c.begin(t)
	left = c.create(t, ctx, newToken("h"), newToken("i"))
	first.leave()
	c.waitForServer(t)
	leave()
	cancelled(left)
	eventually(t, func() bool { return backends(t, c.direct, c.name, waiting) == 0 }, "the server goes on for nobody")
	first.unlock()
	for _, id := range []string{"a", "b", "h", "i"} {
		require.ErrorIs(t, second(c.watcher.GetToken(t.Context(), id)), errors.IDNotFound)
	}
	require.NoError(t, second(c.CreateToken(t.Context(), newToken("j"), 0)))
}

func TestConnectionOfCreationsIsCut(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	first := c.begin(t)
	ended := c.create(t, t.Context(), newToken("a"), newToken("b"))
	execute(t, c.direct, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", c.name)
	for range postgres.MaxTurns {
		requireEnvironment(t, receive(t, first.ended, "the first"))
	}
	c.waitForServer(t)
	c.proxy.cut()
	for _, ch := range ended {
		requireEnvironment(t, receive(t, ch, "a creation"))
	}
	first.unlock()
	eventually(t, func() bool { return second(c.CreateToken(t.Context(), newToken("c"), 0)) == nil }, "the pool does not recover")
}

// TestCreationsThatHaveToWaitKeepNobody has some wait for names that another
// transaction is about to free.
func TestCreationsThatHaveToWaitKeepNobody(t *testing.T) {
	t.Parallel()
	direct := newPool(t, nil)
	schema := newSchema(t, direct)
	s := storeIn(t, newPoolAt(t, named(t, "name"), nil), schema)
	for i := range postgres.MaxTurns {
		require.NoError(t, second(s.CreateToken(t.Context(), newToken(fmt.Sprint(i)), 0)))
	}
	other, err := direct.Begin(t.Context())
	require.NoError(t, err)
	defer other.Rollback(context.Background())
	_, err = other.Exec(t.Context(), "DELETE FROM "+quote(schema, "tokens"))
	require.NoError(t, err)
	ended := make(chan error, postgres.MaxTurns)
	for i := range postgres.MaxTurns {
		go func() {
			ended <- second(s.CreateToken(context.Background(), withName(fmt.Sprint("late ", i), fmt.Sprint("name of ", i)), 0))
		}()
	}
	eventually(t, func() bool { return backends(t, direct, "name", waiting) == postgres.MaxTurns }, "they do not wait")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i := range 5 {
		require.NoError(t, second(s.CreateToken(ctx, newToken(fmt.Sprint("token ", i)), 0)), "others wait for them")
	}
	require.Empty(t, ended)
	require.NoError(t, other.Commit(t.Context()))
	for range postgres.MaxTurns {
		require.NoError(t, receive(t, ended, "a creation"))
	}
}

// TestTurnIsNeverLost has callers leave at any time.
func TestTurnIsNeverLost(t *testing.T) {
	t.Parallel()
	s := newStore(t, newPool(t, nil))
	s.SetMaxTurn(time.Hour)
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
			require.NoError(t, second(s.NamedKey(t.Context(), id)), "an acknowledged token is lost")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, second(s.CreateToken(ctx, newToken("last"), 0)), "the turn is lost")
}

// TestACallerWhoLeavesTakesItsMemoryAlong has one of those who go together leave
// while they wait for a connection, and use its record for something else.
func TestACallerWhoLeavesTakesItsMemoryAlong(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	c.Store = storeIn(t, newPoolAt(t, c.proxy.url, func(config *pgxpool.Config) {
		config.MaxConns = postgres.MaxTurns // which the first have
		config.ConnConfig.RuntimeParams["application_name"] = c.name
	}), c.schema)
	c.SetMaxTurn(time.Hour)
	first := c.begin(t)
	token, other := newToken("leaves"), newToken("stays")
	token.Caveats, token.Privileges, token.Custom = []string{"before"}, []string{"before"}, []byte(`{"a":1}`)
	want := token.Clone()
	ctx, leave := context.WithCancel(t.Context())
	ended, others := c.create(t, ctx, token), c.create(t, t.Context(), other)
	go c.PassTurn()
	eventually(t, func() bool { return c.Waiting() == 0 }, "they do not go")
	leave()
	require.ErrorIs(t, receive(t, ended[0], "who left"), context.Canceled)
	token.Caveats[0], token.Privileges[0], token.Custom[2] = "after", "after", 'b'
	first.letGo(t)
	require.NoError(t, receive(t, others[0], "who stayed"))
	got, err := c.watcher.GetToken(t.Context(), "leaves")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// TestACreationThatWaitsTooLongFailsAlone has one of those who go together want a
// name that somebody is about to have.
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
			c.SetMaxTurn(time.Hour)
			require.NoError(t, second(c.watcher.CreateToken(t.Context(), newToken("held"), 0)))
			tx, err := c.direct.Begin(t.Context())
			require.NoError(t, err)
			defer func() { _ = tx.Rollback(context.Background()) }()
			_, err = tx.Exec(t.Context(), "DELETE FROM "+quote(c.schema, "tokens"))
			require.NoError(t, err)

			held := func(id string) store.Token { return withName(id, newToken("held").Name) }
			first := make(chan error, postgres.MaxTurns)
			for i := range postgres.MaxTurns {
				go func() { first <- second(c.CreateToken(t.Context(), held(fmt.Sprint("first ", i)), 0)) }()
			}
			eventually(t, func() bool { return backends(t, c.direct, c.name, waiting) == postgres.MaxTurns }, "the first do not wait")
			ended := c.create(t, t.Context(), held("guilty"), newToken("innocent"))
			for range postgres.MaxTurns {
				requireEnvironment(t, receive(t, first, "the first"))
			}
			requireEnvironment(t, receive(t, ended[0], "who waits too long"))
			require.NoError(t, receive(t, ended[1], "who waits for nothing"))
		})
	}
}
