package postgres

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

const (
	// connectTimeout is the default timeout for a connection to each host.
	connectTimeout = 2 * time.Second
	// idleTimeout is the default time for which an idle connection stays open.
	idleTimeout = time.Minute
)

// Open connects to the database and returns a store with its own pool. The
// connection string is a URL, or keywords and values, as in
// [pgxpool.ParseConfig]. [Store.Migrate] creates the tables.
//
// Defaults for settings that are not in the URL limit the effect of a server
// that hangs. connect_timeout is 2 seconds, and a connection that was idle for
// a second must answer a ping within a second (pool_ping_timeout). An idle
// connection is closed after a minute (pool_max_conn_idle_time). With several
// hosts, target_session_attrs is read-write, and new connections try the last
// connected host first if it answers. When another host becomes the primary,
// connections to the old one are closed, and calls there fail.
//
// Errors:
//   - badData {key "url"} or {key "feedUrl"}: it is not a connection string
//   - [store.ErrSchema]: a newer release created the schema
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	const doing = "open a store in PostgreSQL"
	config, singlePrimary, err := parseURL("url", url)
	if err != nil {
		return nil, err
	}
	servers := newServers(config.ConnConfig.DialFunc)
	servers.single = singlePrimary
	config.BeforeConnect, config.AfterConnect = servers.order, servers.connected
	config.ShouldPing = noteIdle
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	s := New(pool, o)
	s.owned, s.servers = true, servers
	servers.pool.Store(pool)
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

// primaryOnly finds a connection string that asks for the primary.
var primaryOnly = regexp.MustCompile(`target_session_attrs\s*=\s*'?(read-write|primary)\b`)

// parseURL parses a connection string and sets the defaults. key is the key of
// its error. singlePrimary reports whether there are several hosts of which only
// the primary is used.
func parseURL(key, url string) (config *pgxpool.Config, singlePrimary bool, err error) {
	config, err = pgxpool.ParseConfig(url)
	if err != nil {
		// The error of the parser quotes the URL, which holds a password.
		return nil, false, errors.BadDataHint(key, "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, or keywords and values that pgx reads")
	}
	c := config.ConnConfig
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, connectTimeout)
	config.PingTimeout = cmp.Or(config.PingTimeout, pingTimeout)
	if !strings.Contains(url, "pool_max_conn_idle_time") {
		config.MaxConnIdleTime = idleTimeout
	}
	hosts := append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port}}, c.Fallbacks...)
	if len(distinct(hosts)) < 2 {
		return config, false, nil
	}
	if !strings.Contains(url, "target_session_attrs") && os.Getenv("PGTARGETSESSIONATTRS") == "" {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
		return config, true, nil
	}
	return config, primaryOnly.MatchString(url), nil
}

// idleBeforePing is the idle time after which a connection is pinged.
const idleBeforePing = time.Second

// idleKey is the key for custom data of a connection: whether it was idle.
const idleKey = "onezone: idle"

// noteIdle leaves the ping to [Store.acquire], because the pool would keep
// counting connections that do not answer.
func noteIdle(_ context.Context, p pgxpool.ShouldPingParams) bool {
	p.Conn.PgConn().CustomData()[idleKey] = p.IdleDuration > idleBeforePing
	return false
}

func wasIdle(conn *pgx.Conn) bool {
	idle, _ := conn.PgConn().CustomData()[idleKey].(bool)
	return idle
}
