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

// The proxy of these tests drops all bytes without closing connections, like a
// frozen or unplugged server.

// slack is the tolerance for deadlines on a busy machine.
const slack = 5 * time.Second

// hang returns a store whose server hangs. All connections of its pool are
// open.
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

func TestCallsEndAtTheirDeadlineWhenTheServerHangs(t *testing.T) {
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
			requireOperational(t, err)
			require.Less(t, time.Since(start), slack)
		})
	}
}

// TestAConnectionThatHangsLeavesThePool restores the server while the
// connections of canceled calls are still closing.
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
	// The cancellations are lost, too.
	eventually(t, func() bool { return p.asked.Load() >= asked+2*connections }, "the calls were not canceled")
	p.stalled.Store(false)
	start := time.Now()
	require.NoError(t, second(s.NamedKey(t.Context(), "a")))
	require.Less(t, time.Since(start), slack, "dead connections still count in the pool")
}

func TestAServerThatHangsEndsCallsWithoutADeadline(t *testing.T) {
	t.Parallel()
	s, _ := hang(t, 1)
	err := receive(t, later(func() error { return second(s.CreateToken(context.Background(), newToken("b"), 0)) }), "the call ends")
	requireOperational(t, err)
	require.ErrorContains(t, err, "the server does not answer")
}

// later calls do, and returns where its error comes.
func later(do func() error) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	return ended
}

// TestALongCallContinuesWhileTheServerAnswers waits for several probes of the
// server.
func TestALongCallContinuesWhileTheServerAnswers(t *testing.T) {
	t.Parallel()
	direct, p := newPool(t, nil), newProxy(t)
	schema := newSchema(t, direct)
	s := storeIn(t, newPoolAt(t, p.url, nil), schema)
	unlock := lockTables(t, direct, schema)
	asked := p.asked.Load() + 4 // by the call itself, twice at most
	ended := later(func() error { return second(s.CreateToken(t.Context(), newToken("a"), 0)) })
	eventually(t, func() bool { return p.asked.Load() >= asked }, "the server was not probed")
	require.Empty(t, ended)
	unlock()
	require.NoError(t, receive(t, ended, "the call"))
}

// TestClosingDoesNotWaitForAServerThatHangs uses a pool of the store.
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

// silent accepts connections and does not answer.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l.Addr().String()
}
