package postgres

import (
	"cmp"
	"log/slog"
	"sync/atomic"

	// pgx: pure Go, maintained, and the only driver with both a pool that heals
	// itself and the notifications that Watch needs.
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// contract has the methods of a Store that it does not write out.
type contract = backend.Contract

// Store is a [store.Store] in PostgreSQL. Make one with [New] or [Open].
type Store struct {
	contract
	pool      *pgxpool.Pool
	owned     bool // Close closes the pool
	schema    string
	queries   []string
	sql       *backend.SQL
	creations creations
	servers   *servers
	closing   atomic.Int32 // connections that have left the pool
	feed      feedOptions
	life      backend.Life
}

var _ store.Store = (*Store)(nil)

// DefaultSchema is the schema of the tables unless [Options] say another.
const DefaultSchema = "onezone"

// Options is how a [Store] uses its database. The zero Options are the defaults.
type Options struct {
	// Schema holds the tables, and nothing else. Any name will do; PostgreSQL cuts
	// off what goes beyond 63 bytes. Stores of different schemas in one database
	// have nothing in common. "": DefaultSchema.
	Schema string

	// FeedURL is where [Store.Watch] connects to, for pools that lead to a pooler
	// that hands out connections by the transaction: LISTEN gets lost there. It is a
	// connection string as [Open] reads them, and has to lead to the same database.
	// "": where the pool connects to.
	FeedURL string

	// Logger is where the reason is written, once, when the feed cannot be brought
	// up, or is lost. nil: [slog.Default] at that time.
	Logger *slog.Logger

	// NoFeed keeps Migrate from making the triggers of the feed, for engines that
	// have no LISTEN and NOTIFY, and for those who write more than a feed can
	// carry. Watch then fails with ErrNoFeed.
	NoFeed bool
}

// New returns a store over the pool, which stays the caller's to close. It does
// not connect; the tables are there after [Store.Migrate].
func New(pool *pgxpool.Pool, o Options) *Store {
	config := pool.Config()
	s := &Store{
		pool:    pool,
		schema:  cmp.Or(o.Schema, DefaultSchema),
		servers: newServers(config.ConnConfig.DialFunc),
		feed:    newFeedOptions(o, config),
		life:    backend.NewLife(),
	}
	s.creations.maxTurn = maxTurn
	s.queries = newQueries(s.schema)
	s.sql = newSQL(s)
	s.contract = backend.NewContract(driver{s, s.life, s.sql})
	return s
}

// Close makes all later calls fail with [store.ErrClosed] and ends those of
// [Store.Watch]. It closes the pool that [Open] made, once the calls that are
// under way have ended. It never fails, nor does closing twice.
func (s *Store) Close() error {
	s.life.End()
	if s.owned {
		s.pool.Close()
	}
	return nil
}
