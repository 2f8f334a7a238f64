package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	// pgx: pure Go, maintained, and the only driver with both a pool that heals
	// itself and the notifications that Watch needs.
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Store is a [store.Store] in PostgreSQL. Make one with [New] or [Open].
type Store struct {
	pool      *pgxpool.Pool
	owned     bool // Close closes the pool
	schema    string
	feed      bool
	queries   queries
	heartbeat time.Duration // how long a feed may be silent before it is asked whether it is there
	creations creations

	closed context.Context // done when the store is closed
	close  context.CancelFunc
}

var (
	_ store.Store             = (*Store)(nil)
	_ store.Archive           = (*Store)(nil)
	_ store.Watcher           = (*Store)(nil)
	_ store.TemporaryReplacer = (*Store)(nil)
	_ store.HolderGuard       = (*Store)(nil)
)

// DefaultSchema is the schema of the tables unless [Options] say another.
const DefaultSchema = "onezone"

// Options is how a [Store] uses its database. The zero Options are the defaults.
type Options struct {
	// Schema holds the tables, and nothing else. Any name will do; PostgreSQL cuts
	// off what goes beyond 63 bytes. Stores of different schemas in one database
	// have nothing in common. "": DefaultSchema.
	Schema string

	// NoFeed keeps Migrate from making the triggers of the feed, for engines that
	// have no LISTEN and NOTIFY, and for those who write more than a feed can
	// carry. Watch then fails with ErrNoFeed.
	NoFeed bool
}

// New returns a store over the pool, which stays the caller's to close. It does
// not connect; the tables are there after [Store.Migrate].
func New(pool *pgxpool.Pool, o Options) *Store {
	s := &Store{pool: pool, schema: cmp.Or(o.Schema, DefaultSchema), feed: !o.NoFeed, heartbeat: 5 * time.Second}
	s.creations.maxTurn = maxTurn
	s.queries = newQueries(s.schema)
	s.closed, s.close = context.WithCancel(context.Background())
	return s
}

// Open returns a store over a pool of its own, after it has connected once. The
// connection string is that of [pgxpool.ParseConfig]: a URL, or keywords and
// values. badData {key "url"}: it is none. [store.ErrSchema]: the schema is newer than this release knows. The
// tables are there after [Store.Migrate].
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	const doing = "open a store in PostgreSQL"
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error of the parser quotes the URL, which holds a password.
		return nil, errors.BadDataHint("url", "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, or keywords and values that pgx reads")
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, environment(doing, err)
	}
	s := New(pool, o)
	s.owned = true
	if _, err := s.version(ctx); err != nil {
		_ = s.Close()
		return nil, environment(doing, err)
	}
	return s, nil
}

// Close makes all later calls fail with [store.ErrClosed] and ends those of
// [Store.Watch]. It closes the pool that [Open] made, once the calls that are
// under way have ended. It never fails, nor does closing twice.
func (s *Store) Close() error {
	s.close()
	if s.owned {
		s.pool.Close()
	}
	return nil
}

// ready reports why the call that is about to do something should not.
func (s *Store) ready(ctx context.Context, doing string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if s.closed.Err() != nil {
		return fmt.Errorf("%s: %w", doing, store.ErrClosed)
	}
	return nil
}
