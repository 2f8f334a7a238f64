package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/errors"
)

const (
	// pingTimeout is how long an idle connection may take to answer a ping.
	pingTimeout = time.Second
	// answerInterval is how long a call may wait for its answer before the
	// server is probed, and then between probes.
	answerInterval = time.Second
)

// errNoAnswer is the error of calls to a server that hangs.
var errNoAnswer = errors.New("the server does not answer")

// errReplaced is the error of calls to a primary that was replaced before they
// ended.
var errReplaced = errors.New("another server became the primary during the call")

// withConn calls do with a connection of the pool. If the server hangs, do
// fails with errNoAnswer before ctx ends. If another server replaces it, the
// result of do does not count.
func (s *Store) withConn(ctx context.Context, do func(*pgxpool.Conn) error) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.release(conn)
	w := s.watchdog(conn.Conn())
	defer w.stop()
	err = do(conn)
	hideRows(err)
	if w.stop(); w.silent && err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if s.servers.isReplaced(conn.Conn()) {
		return errReplaced
	}
	return err
}

// acquire takes a connection from the pool. It pings a connection that was
// idle; if the ping fails, it closes the other idle connections too.
func (s *Store) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	for {
		conn, err := s.pool.Acquire(ctx)
		if err != nil || !wasIdle(conn.Conn()) {
			return conn, err
		}
		if err := ping(ctx, conn.Conn(), pingTimeout); err == nil {
			return conn, nil
		}
		if ctx.Err() == nil {
			s.servers.suspect(remote(conn.Conn()))
			s.pool.Reset()
		}
		s.release(conn)
	}
}

// release returns the connection to the pool. It removes a connection that was
// closed because a call ended early. Otherwise the pool would count it until
// the server confirms the cancellation, which takes 15 seconds if the server
// hangs. At most MaxConns such connections are closing outside the pool.
func (s *Store) release(conn *pgxpool.Conn) {
	if !conn.Conn().IsClosed() {
		conn.Release()
		return
	}
	if s.closing.Add(1) > s.pool.Stat().MaxConns() {
		s.closing.Add(-1)
		conn.Release()
		return
	}
	closing := conn.Hijack().PgConn()
	go func() {
		<-closing.CleanupDone()
		s.closing.Add(-1)
	}()
}

// watchdog probes the server of a connection while a call waits for its answer.
type watchdog struct {
	conn    *pgx.Conn
	servers *servers

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	silent  bool // the server did not answer the probe
}

func (s *Store) watchdog(conn *pgx.Conn) *watchdog {
	w := &watchdog{conn: conn, servers: s.servers}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(answerInterval, w.check)
	return w
}

// check ends the call if the server does not answer.
func (w *watchdog) check() {
	alive, _ := w.servers.check(remote(w.conn))
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stopped:
	case alive:
		w.timer.Reset(answerInterval)
	default:
		w.silent = true
		_ = w.conn.PgConn().Conn().SetDeadline(time.Unix(1, 0))
	}
}

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
}

// ping waits for an answer of the server, at most for limit.
func ping(ctx context.Context, conn *pgx.Conn, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return conn.Ping(ctx)
}
