package postgres_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store/postgres"
)

// These tests have a proxy lose all bytes and close nothing: so does a server that
// is frozen or unplugged.

// slack is how late a busy machine may be to notice a deadline.
const slack = 5 * time.Second

// hang returns a store whose server hangs from now on. All connections of its pool
// are open.
func hang(t *testing.T, connections int32) (*postgres.Store, *proxy) {
	t.Helper()
	direct, p := newPool(t, nil), newProxy(t)
	s := storeIn(t, newPoolAt(t, p.url, func(c *pgxpool.Config) { c.MaxConns = connections }), newSchema(t, direct))
	t.Cleanup(p.cut)
	prepare(t, s)
	for _, err := range atOnce(int(connections), func(int) error { return second(s.NamedKey(t.Context(), "a")) }) {
		require.NoError(t, err)
	}
	p.stalled.Store(true)
	return s, p
}

func TestACallEndsByItsOwnDeadlineWhenTheServerHangs(t *testing.T) {
	t.Parallel()
	s, _ := hang(t, 20)
	for _, call := range calls(s) {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := call.do(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			requireEnvironment(t, err)
			require.Less(t, time.Since(start), slack)
		})
	}
}

// TestAConnectionThatHangsLeavesThePool has the server be there again, at once,
// while the connections of calls that ended early are still being closed.
func TestAConnectionThatHangsLeavesThePool(t *testing.T) {
	t.Parallel()
	const connections = 3
	s, p := hang(t, connections)
	asked := p.asked.Load()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for _, err := range atOnce(connections, func(int) error { return second(s.NamedKey(ctx, "a")) }) {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	// That the calls are canceled gets lost, too.
	eventually(t, func() bool { return p.asked.Load() >= asked+2*connections }, "the calls are not canceled")
	p.stalled.Store(false)
	start := time.Now()
	require.NoError(t, second(s.NamedKey(t.Context(), "a")))
	require.Less(t, time.Since(start), slack, "connections that are dead keep their places")
}

func TestAServerThatHangsEndsCallsWithoutADeadline(t *testing.T) {
	t.Parallel()
	s, _ := hang(t, 1)
	err := receive(t, later(func() error { return second(s.CreateToken(context.Background(), newToken("b"), 0)) }), "the call ends")
	requireEnvironment(t, err)
	require.ErrorContains(t, err, "the server does not answer")
}

// later calls do, and returns where its error comes.
func later(do func() error) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	return ended
}

// TestALongCallGoesOnWhileTheServerAnswers has the server asked more than once.
func TestALongCallGoesOnWhileTheServerAnswers(t *testing.T) {
	t.Parallel()
	direct, p := newPool(t, nil), newProxy(t)
	schema := newSchema(t, direct)
	s := storeIn(t, newPoolAt(t, p.url, nil), schema)
	unlock := lockTables(t, direct, schema)
	asked := p.asked.Load() + 4 // by the call itself, twice at most
	ended := later(func() error { return second(s.CreateToken(t.Context(), newToken("a"), 0)) })
	eventually(t, func() bool { return p.asked.Load() >= asked }, "the server is not asked whether it is there")
	require.Empty(t, ended)
	unlock()
	require.NoError(t, receive(t, ended, "the call"))
}

// TestClosingDoesNotWaitForAServerThatHangs is about pools of the store's own.
func TestClosingDoesNotWaitForAServerThatHangs(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	s, err := postgres.Open(t.Context(), p.url, postgres.Options{})
	require.NoError(t, err)
	p.stalled.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, second(s.NamedKey(ctx, "a")), context.DeadlineExceeded)
	start := time.Now()
	require.NoError(t, s.Close())
	require.Less(t, time.Since(start), slack)
}

// silent listens, and does not answer.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l.Addr().String()
}
