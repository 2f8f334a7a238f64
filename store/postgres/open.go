package postgres

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// connectTimeout is how long each host may take to accept a connection, unless
// the URL says otherwise.
const connectTimeout = 2 * time.Second

// Open returns a store over a pool of its own, after it has connected once. The
// connection string is that of [pgxpool.ParseConfig]: a URL, or keywords and
// values. The tables are there after [Store.Migrate].
//
// What the URL does not say is set so that a server that hangs keeps nobody for
// long: connect_timeout is 2 seconds, and a connection that was idle for a second
// has one second to show that it is alive (pool_ping_timeout). With several hosts,
// target_session_attrs is read-write, and new connections go first to the host
// that the last one went to, as long as it answers.
//
// Errors:
//   - badData {key "url"} or {key "feedUrl"}: it is no connection string
//   - [store.ErrSchema]: the schema is newer than this release knows
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	const doing = "open a store in PostgreSQL"
	config, err := parseURL("url", url)
	if err != nil {
		return nil, err
	}
	servers := newServers(config.ConnConfig.DialFunc)
	config.BeforeConnect, config.AfterConnect = servers.order, servers.connected
	config.ShouldPing = noteIdle
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	s := New(pool, o)
	s.owned, s.servers = true, servers
	if err := s.feed.err; err != nil {
		_ = s.Close()
		return nil, err
	}
	err = backend.Do(ctx, s.life, doing, func() error {
		_, err := s.version(ctx)
		return err
	})
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// parseURL reads a connection string, and sets what it leaves open. The error
// names the key.
func parseURL(key, url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error of the parser quotes the URL, which holds a password.
		return nil, errors.BadDataHint(key, "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, or keywords and values that pgx reads")
	}
	c := config.ConnConfig
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, connectTimeout)
	config.PingTimeout = cmp.Or(config.PingTimeout, pingTimeout)
	hosts := append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port}}, c.Fallbacks...)
	const attribute = "target_session_attrs"
	if len(distinct(hosts)) > 1 && !strings.Contains(url, attribute) && os.Getenv("PGTARGETSESSIONATTRS") == "" {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return config, nil
}

// idleBeforePing is how long a connection has to have been idle to be pinged.
const idleBeforePing = time.Second

// idleKey is under what a connection notes that it was idle.
const idleKey = "onezone: idle"

// noteIdle leaves the ping to [Store.acquire]: of the connections that do not
// answer, the pool would keep the places.
func noteIdle(_ context.Context, p pgxpool.ShouldPingParams) bool {
	p.Conn.PgConn().CustomData()[idleKey] = p.IdleDuration > idleBeforePing
	return false
}

func wasIdle(conn *pgx.Conn) bool {
	idle, _ := conn.PgConn().CustomData()[idleKey].(bool)
	return idle
}
