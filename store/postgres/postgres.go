package postgres

import (
	"cmp"
	"log/slog"
	"sync/atomic"
	"time"

	// pgx: pure Go, maintained, and the only driver with both a self-healing
	// pool and the notifications that Watch needs.
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// contract implements the other methods of a Store.
type contract = backend.Contract

// Store is a [store.Store] in PostgreSQL. Use [New] or [Open] to create one.
type Store struct {
	contract
	pool      *pgxpool.Pool
	owned     bool // Close closes the pool
	schema    string
	queries   map[backend.Query]string
	sql       *backend.SQL
	creations creations
	servers   *servers
	primary   *Store       // nil if this store is not over a standby
	closing   atomic.Int32 // closing connections outside the pool
	feed      feedOptions
	life      backend.Life
}

var _ store.Store = (*Store)(nil)

// defaultSchema is the default schema of the tables.
const defaultSchema = "onezone"

// Options configures a [Store]. The zero value uses the defaults.
type Options struct {
	// Schema is the schema of the tables, and should contain nothing else. Any
	// name works; PostgreSQL truncates it to 63 bytes. Stores with different
	// schemas in one database are independent. "": "onezone".
	Schema string

	// FeedURL is the connection string for [Store.Watch], in the format of
	// [Open]. Set it if the pool connects to a pooler in transaction mode,
	// where LISTEN does not work. It must lead to the same database. "": that
	// of the pool.
	FeedURL string

	// CallTimeout is the longest time of a call that does not move many
	// records. A call that takes longer returns an operational error that does
	// not wrap [context.DeadlineExceeded]. 0: no limit.
	CallTimeout time.Duration

	// Logger logs the reason once when the feed cannot connect or disconnects.
	// nil: [slog.Default] at that time.
	Logger *slog.Logger

	// Primary is the store over the primary, if the pool of this store leads to a
	// hot standby. Keys, tokens and identities that the standby does not have are
	// looked up there, so that new tokens are valid at once. The standby still
	// decides about the records that it has: it reports changes, such as
	// revocations and rotations, when it has replayed them. Each look-up of an
	// unknown id, as of a forged token, asks the primary, and fails while that is
	// down. The caller closes it. nil: none.
	Primary *Store

	// NoFeed makes Migrate omit the triggers of the feed. Set it for engines
	// without LISTEN and NOTIFY, or for more writes than a feed allows. Watch
	// then returns an error that wraps [errors.ErrUnsupported].
	//
	// [errors.ErrUnsupported]: https://pkg.go.dev/errors#ErrUnsupported
	NoFeed bool
}

// New returns a store over the pool, which the caller closes. It does not
// connect; [Store.Migrate] creates the tables.
func New(pool *pgxpool.Pool, o Options) *Store {
	config := pool.Config()
	s := &Store{
		pool:    pool,
		schema:  cmp.Or(o.Schema, defaultSchema),
		servers: newServers(config.ConnConfig.DialFunc),
		primary: o.Primary,
		feed:    newFeedOptions(o, config),
		life:    backend.NewLife(),
	}
	s.creations.slotTimeout = slotTimeout
	s.queries = backend.Statements(inSchema(s.schema), ownStatements)
	s.sql = newSQL(s)
	s.contract = backend.NewContract(driver{s, s.life, s.sql}, o.CallTimeout)
	return s
}

// Close makes all later calls return [store.ErrClosed] and ends calls of
// [Store.Watch]. It closes the pool that [Open] created, after the calls in
// flight have ended. It always succeeds, also when called twice.
func (s *Store) Close() error {
	s.life.End()
	if s.owned {
		s.pool.Close()
	}
	return nil
}
