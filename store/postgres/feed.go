package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// feedOptions configures the feed.
type feedOptions struct {
	wanted bool
	config *pgxpool.Config // of the listening connection
	err    error           // error of FeedURL
	logger *slog.Logger

	quiet, pingLimit     time.Duration // silence before the server is pinged, and timeout of the ping
	probeEvery, probeAge time.Duration // interval of probes, and maximum age of the last that arrived
	firstProbe           time.Duration // timeout of the first probe
	upEvery              time.Duration // minimum between two FeedUp
}

func newFeedOptions(o Options, pool *pgxpool.Config) feedOptions {
	f := feedOptions{
		wanted: !o.NoFeed, config: pool, logger: o.Logger,
		quiet: time.Second, pingLimit: 1500 * time.Millisecond,
		probeEvery: 5 * time.Second, probeAge: 10 * time.Second, firstProbe: 5 * time.Second,
		upEvery: time.Second,
	}
	if o.FeedURL != "" {
		if f.config, _, f.err = parseURL("feedUrl", o.FeedURL); f.err == nil {
			servers := newServers(f.config.ConnConfig.DialFunc)
			f.config.BeforeConnect, f.config.AfterConnect = servers.order, servers.connected
		}
	}
	return f
}

// errorNotice logs why the feed is down, once until it is up again.
type errorNotice struct{ logged bool }

// listen delivers changes until the connection is lost. An error means that
// retrying is useless because the schema has no feed.
func (s *Store) listen(ctx context.Context, q *backend.Queue, notice *errorNotice) error {
	up, err := s.listenOnce(ctx, q, func() {
		if notice.logged {
			s.feedLog().InfoContext(ctx, "the feed of changes is up again")
		}
	})
	notice.logged = notice.logged && !up
	switch code := sqlState(err); {
	case ctx.Err() != nil:
	case errors.Is(err, errNoFeed), code == undefinedTable, code == undefinedSchema:
		return err
	case !notice.logged:
		hideRows(err)
		s.feedLog().WarnContext(ctx, "the feed of changes is down: changes of other processes are seen late", "error", err)
		notice.logged = true
	}
	return nil
}

func (s *Store) feedLog() *slog.Logger { return cmp.Or(s.feed.logger, slog.Default()) }

// listenOnce connects and delivers changes until the connection is lost. It
// calls onUp when the feed is up, and reports whether it was.
func (s *Store) listenOnce(ctx context.Context, q *backend.Queue, onUp func()) (up bool, err error) {
	conn, err := s.subscribe(ctx)
	if err != nil {
		return false, err
	}
	defer closeConn(conn)
	l := listener{Store: s, conn: conn, probe: newProbe()}
	var probing sync.WaitGroup
	defer probing.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	probing.Go(func() { l.sendProbes(ctx) })
	for {
		n, err := l.next(ctx, up)
		switch {
		case err != nil:
			return up, err
		case l.probe.arrived(n.Payload):
			if !up {
				up = true
				onUp()
				q.Up()
			}
		case !up, isProbe(n.Payload):
		default:
			// Any other notification, such as a truncated table, may concern
			// any record.
			if change, ok := backend.ParsePayload(n.Payload); ok {
				q.Push(change)
			} else {
				q.Gap()
			}
		}
	}
}

// subscribe opens a connection that listens.
func (s *Store) subscribe(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.feed.firstProbe)
	defer cancel()
	conn, err := connect(ctx, s.feed.config)
	if err != nil {
		return nil, err
	}
	v, err := scanVersion(conn.QueryRow(ctx, inSchema(s.schema)(readVersion)))
	if err == nil && !(v.feed && s.feed.wanted) {
		err = errNoFeed
	}
	if err == nil {
		_, err = conn.Exec(ctx, "LISTEN "+pgx.Identifier{s.schema}.Sanitize())
	}
	if err != nil {
		closeConn(conn)
		return nil, err
	}
	return conn, nil
}

// connect opens a connection like a pool with the configuration.
func connect(ctx context.Context, config *pgxpool.Config) (*pgx.Conn, error) {
	c := config.ConnConfig.Copy()
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, connectTimeout)
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, c); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil || config.AfterConnect == nil {
		return conn, err
	}
	if err := config.AfterConnect(ctx, conn); err != nil {
		closeConn(conn)
		return nil, err
	}
	return conn, nil
}

// closeConn closes the connection and waits at most a second for the server.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// listener reads the notifications of a connection.
type listener struct {
	*Store
	conn   *pgx.Conn
	probe  probe
	failed atomic.Pointer[error] // error of the last attempt to send a probe
}

// errNoNotifications is the error of a working connection that receives no
// notifications.
var errNoNotifications = errors.New("the test notifications of the feed do not arrive: it is connected to another database, " +
	"or through a pooler in transaction mode: set Options.FeedURL to the database itself")

// next waits for a notification. If the feed is up, it pings a silent server,
// because a lost connection may otherwise be noticed only after minutes. It
// does not ping before that, because a ping can make a pooler deliver
// notifications that it keeps back from a client that only listens.
func (l *listener) next(ctx context.Context, up bool) (*pgconn.Notification, error) {
	for {
		left := l.feed.firstProbe
		if up {
			left = l.feed.probeAge
		}
		left -= l.probe.age()
		if left <= 0 {
			if failed := l.failed.Load(); failed != nil {
				return nil, fmt.Errorf("notify the feed: %w", *failed)
			}
			return nil, errNoNotifications
		}
		if up {
			left = min(left, l.feed.quiet)
		}
		n, err := within(ctx, left, l.conn.WaitForNotification)
		if err == nil || ctx.Err() != nil || !pgconn.Timeout(err) {
			return n, err
		}
		if !up {
			continue
		}
		if err := ping(ctx, l.conn, l.feed.pingLimit); err != nil {
			l.servers.suspect(remote(l.conn))
			return nil, fmt.Errorf("ping the server of the feed: %w", err)
		}
	}
}

// within calls do with a timeout.
func within[T any](ctx context.Context, limit time.Duration, do func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx)
}

// sendProbes sends probes to the feed through the pool.
func (l *listener) sendProbes(ctx context.Context) {
	for {
		wait := l.feed.probeEvery
		_, err := within(ctx, wait, func(ctx context.Context) (int64, error) {
			return db{l.Store}.Exec(ctx, notify, l.schema, l.probe.payload())
		})
		l.failed.Store(nil)
		if err != nil {
			l.failed.Store(&err)
			wait = min(wait, time.Second)
		}
		if duration.Sleep(ctx, wait) != nil {
			return
		}
	}
}

// probe creates and recognizes the notifications that a feed sends to itself.
// They contain a letter, a random name, and the time of sending in
// milliseconds.
type probe struct {
	prefix string
	start  time.Time
	latest time.Duration // sending time of the last that arrived, since start
}

const probeKind = "p"

func newProbe() probe {
	var name [16]byte
	_, _ = rand.Read(name[:]) // never fails
	return probe{prefix: probeKind + hex.EncodeToString(name[:]) + ".", start: time.Now()}
}

func (p *probe) payload() string {
	return p.prefix + strconv.FormatInt(time.Since(p.start).Milliseconds(), 10)
}

// arrived reports whether the payload is a probe of this feed, and records its
// time.
func (p *probe) arrived(payload string) bool {
	text, ok := strings.CutPrefix(payload, p.prefix)
	if !ok {
		return false
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	sent := min(time.Duration(ms)*time.Millisecond, time.Since(p.start))
	if err != nil || sent < 0 {
		return false
	}
	p.latest = max(p.latest, sent)
	return true
}

// age returns the time since the last probe that arrived was sent.
func (p *probe) age() time.Duration { return time.Since(p.start) - p.latest }

// isProbe reports whether the payload is a probe of any feed.
func isProbe(payload string) bool {
	return len(payload) > len(probeKind)+32 && strings.HasPrefix(payload, probeKind) && payload[len(probeKind)+32] == '.'
}
