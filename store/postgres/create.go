package postgres

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

const (
	maxTurns    = 2                     // creations at the server at once: one commits, one gets there
	maxTurn     = 50 * time.Millisecond // how long others wait for the end of one
	maxTogether = 64                    // tokens in one transaction
)

// creations lets few calls of CreateToken at a time go to the server. Those that
// come meanwhile wait, and then go together, as one transaction: since transactions
// that notify commit one after the other, and each waits for the disk, so many
// more are possible in a second. A call that is alone waits for nobody.
type creations struct {
	mu      sync.Mutex
	turns   int // that somebody has
	waiting []*creation
	maxTurn time.Duration
}

// creation is a call that waits for its turn.
type creation struct {
	ctx    context.Context
	id     string
	row    []any
	done   chan error   // holds what came of it
	holder store.Status // of the token, once it is done without an error
}

// What a creation may be told in place of an outcome.
var (
	errYourTurn = errors.New("it is your turn")
	errAlone    = errors.New("try it alone")
)

// create inserts the record, for whatever subject or for one that is active
// alone, and returns what the subject is. It does so alone, or with others that
// come at the same time.
func (s *Store) create(ctx context.Context, t *store.Token, forAnybody bool) (holder store.Status, err error) {
	own := t.Clone() // the caller may be gone before it is written
	c := &creation{ctx: ctx, id: t.ID, row: append(s.sql.TokenArgs(&own), forAnybody), done: make(chan error, 1)}
	if err := s.finish(c); err != nil {
		return 0, err
	}
	return c.holder, nil
}

// finish has the creation made, in its turn.
func (s *Store) finish(c *creation) error {
	if s.creations.takeTurn(c) {
		return s.inTurn(func() error { return s.createAlone(c) })
	}
	select {
	case err := <-c.done:
		return s.goOn(c, err)
	case <-c.ctx.Done():
	}
	if !s.creations.leave(c) {
		// It is under way, or it has the turn, which is to be passed on.
		select {
		case err := <-c.done:
			return s.goOn(c, err)
		default:
		}
	}
	return c.ctx.Err()
}

// goOn does what a creation that waited is told.
func (s *Store) goOn(c *creation, told error) error {
	switch {
	case errors.Is(told, errYourTurn):
		return s.inTurn(func() error { return s.createAlone(c) })
	case errors.Is(told, errAlone):
		return s.createAlone(c)
	case errors.Is(told, context.Canceled):
		// The context of those who went together ended, which is nobody's own.
		if err := c.ctx.Err(); err != nil {
			return err
		}
		return s.createAlone(c)
	}
	return told
}

func (s *Store) createAlone(c *creation) error {
	var err error
	c.holder, err = scanHolder(s.sql.Row(c.ctx, createToken, c.row...))
	return s.sql.CreateTokenError(c.ctx, err, c.id)
}

// createTogether makes several creations in one transaction, which is cancelled
// when the last of the callers has gone. If one of them cannot be made, none is,
// and each is to be tried alone.
func (s *Store) createTogether(all []*creation) error {
	// The values of a context are for those who trace what the pool does.
	ctx, cancel := context.WithCancel(context.WithoutCancel(all[0].ctx))
	defer cancel()
	var callers atomic.Int64
	callers.Store(int64(len(all)))
	for _, c := range all {
		defer context.AfterFunc(c.ctx, func() {
			if callers.Add(-1) == 0 {
				cancel()
			}
		})()
	}
	err := s.insertAll(ctx, all)
	told := err
	if isAboutOne(err) {
		told = errAlone
	}
	for _, c := range all {
		c.done <- told
	}
	return err
}

// insertAll makes all of the creations or none, in one round trip, and tells them
// what their subjects are.
func (s *Store) insertAll(ctx context.Context, all []*creation) error {
	return s.run(ctx, func(q querier) error {
		var b pgx.Batch
		for _, c := range all {
			b.Queue(s.queries[createToken], c.row...).QueryRow(func(row pgx.Row) (err error) {
				c.holder, err = scanHolder(row)
				return err
			})
		}
		return q.SendBatch(ctx, &b).Close()
	})
}

// scanHolder reads what the statement that creates a token tells of its subject.
func scanHolder(row backend.Row) (store.Status, error) {
	var blocked *bool
	err := row.Scan(&blocked)
	return backend.StatusOf(blocked), err
}

// isAboutOne reports whether the server refused a statement for what one of its
// records is like, or because one had to wait for too long.
func isAboutOne(err error) bool {
	const (
		dataException, integrityViolation, limitExceeded, raised = "22", "23", "54", "P0"
		lockTimeout, statementTimeout                            = "55P03", "57014"
	)
	code := sqlState(err)
	return code == lockTimeout || code == statementTimeout ||
		len(code) == 5 && slices.Contains([]string{dataException, integrityViolation, limitExceeded, raised}, code[:2])
}

// inTurn does something that has a turn, and passes that on in the end, or when
// it takes so long that others should not wait: the server may have it wait for
// another transaction.
func (s *Store) inTurn(do func() error) error {
	pass := sync.OnceFunc(s.passTurn)
	defer pass()
	defer time.AfterFunc(s.creations.maxTurn, pass).Stop()
	return do()
}

// passTurn gives the turn to those who wait.
func (s *Store) passTurn() {
	if next := s.creations.next(); len(next) > 1 {
		go func() { _ = s.inTurn(func() error { return s.createTogether(next) }) }()
	}
}

// takeTurn takes a turn if there is one. Otherwise the creation waits.
func (q *creations) takeTurn(c *creation) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.turns < maxTurns {
		q.turns++
		return true
	}
	q.waiting = append(q.waiting, c)
	return false
}

// next returns those to whom a turn passes. If it is one, that is told so before
// it can leave.
func (q *creations) next() []*creation {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), maxTogether)
	next := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	switch n {
	case 0:
		q.turns--
	case 1:
		next[0].done <- errYourTurn
	}
	return next
}

// leave reports whether the creation was waiting, which it no longer does.
func (q *creations) leave(c *creation) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, c)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}
