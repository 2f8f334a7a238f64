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
	// pingTimeout is how long a connection that was idle may take to show that it
	// leads to a server.
	pingTimeout = time.Second
	// silence is how long a call may be without an answer before its server is
	// asked whether it is there.
	silence = time.Second
)

// errSilent is why calls to a server that hangs fail.
var errSilent = errors.New("the server does not answer")

// withConn calls do with a connection of the pool. When the server of the
// connection hangs, do fails with errSilent although ctx goes on.
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
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return err
}

// acquire takes a connection out of the pool. One that was idle has to show first
// that it leads to a server; if it does not, nor do the others that are idle.
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

// release gives the connection back. One that was closed because a call ended
// early leaves the pool at once: the pool would keep its place until the server
// has confirmed that the call is canceled, which takes 15 seconds where it hangs.
// At most as many connections as the pool has are closing besides it.
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

// watchdog has the server of a connection asked, again and again, whether it is
// there, while a call has no answer.
type watchdog struct {
	conn    *pgx.Conn
	servers *servers

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	silent  bool // the server was not there
}

func (s *Store) watchdog(conn *pgx.Conn) *watchdog {
	w := &watchdog{conn: conn, servers: s.servers}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(silence, w.look)
	return w
}

// look ends the call if the server does not answer.
func (w *watchdog) look() {
	alive := w.servers.answers(remote(w.conn))
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stopped:
	case alive:
		w.timer.Reset(silence)
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

// ping asks the server of the connection for a sign of life.
func ping(ctx context.Context, conn *pgx.Conn, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return conn.Ping(ctx)
}
