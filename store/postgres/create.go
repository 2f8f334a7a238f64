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
	maxSlots    = 2                     // concurrent transactions of creations: one commits while the next is sent
	slotTimeout = 50 * time.Millisecond // how long others wait for a transaction
	maxBatch    = 64                    // maximum number of tokens in one transaction
)

// creations limits the concurrent calls of CreateToken at the server. Other
// calls wait and are then combined into one transaction. PostgreSQL commits
// transactions that notify one after the other, and each waits for the disk, so
// combining them allows more per second. A single call never waits.
type creations struct {
	mu          sync.Mutex
	slotsInUse  int
	waiting     []*creation
	slotTimeout time.Duration
}

// creation is a call that may wait for a slot.
type creation struct {
	ctx    context.Context
	id     string
	row    []any
	done   chan error   // receives its result
	holder store.Status // of the token, set on success
}

// Values sent to a waiting creation instead of a result.
var (
	errCreateNow   = errors.New("create the token now")
	errCreateAlone = errors.New("create the token in its own transaction")
)

// create inserts the record, for any holder or only for an active one, and
// returns the status of the holder. It may share a transaction with concurrent
// calls.
func (s *Store) create(ctx context.Context, t *store.Token, anyHolder bool) (holder store.Status, err error) {
	own := t.Clone() // the caller may return before it is written
	c := &creation{ctx: ctx, id: t.ID, row: append(s.sql.TokenArgs(&own), anyHolder), done: make(chan error, 1)}
	if err := s.finish(c); err != nil {
		return 0, err
	}
	return c.holder, nil
}

// finish creates the token when there is a slot.
func (s *Store) finish(c *creation) error {
	if s.creations.takeSlot(c) {
		return s.withSlot(func() error { return s.createAlone(c) })
	}
	select {
	case err := <-c.done:
		return s.resume(c, err)
	case <-c.ctx.Done():
	}
	if !s.creations.leave(c) {
		// It is in flight, or it has a slot that must be passed on.
		select {
		case err := <-c.done:
			return s.resume(c, err)
		default:
		}
	}
	return c.ctx.Err()
}

// resume continues a creation that waited.
func (s *Store) resume(c *creation, result error) error {
	switch {
	case errors.Is(result, errCreateNow):
		return s.withSlot(func() error { return s.createAlone(c) })
	case errors.Is(result, errCreateAlone):
		return s.createAlone(c)
	case errors.Is(result, context.Canceled):
		// The shared context of the transaction ended, not necessarily that of
		// c.
		if err := c.ctx.Err(); err != nil {
			return err
		}
		return s.createAlone(c)
	}
	return result
}

func (s *Store) createAlone(c *creation) error {
	var err error
	c.holder, err = scanHolder(s.sql.Row(c.ctx, createToken, c.row...))
	return s.sql.CreateTokenError(c.ctx, err, c.id)
}

// createBatch creates several tokens in one transaction, which is canceled when
// the last caller has gone. If the server rejects one of them, none is created,
// and each is retried alone.
func (s *Store) createBatch(all []*creation) error {
	// Context values are kept for tracers of the pool.
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
	result := err
	if isRecordError(err) {
		result = errCreateAlone
	}
	for _, c := range all {
		c.done <- result
	}
	return err
}

// insertAll inserts all records or none in one round trip, and sets the status
// of their holders.
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

// scanHolder scans the status of the holder from the statement that creates a
// token.
func scanHolder(row backend.Row) (store.Status, error) {
	var blocked *bool
	err := row.Scan(&blocked)
	return backend.StatusOf(blocked), err
}

// isRecordError reports whether the server rejected one of the records, or a
// statement waited too long.
func isRecordError(err error) bool {
	const (
		dataException, integrityViolation, limitExceeded, raised = "22", "23", "54", "P0"
		lockTimeout, statementTimeout                            = "55P03", "57014"
	)
	code := sqlState(err)
	return code == lockTimeout || code == statementTimeout ||
		len(code) == 5 && slices.Contains([]string{dataException, integrityViolation, limitExceeded, raised}, code[:2])
}

// withSlot runs do and passes the slot on afterwards. It passes the slot on
// earlier if do takes too long, because the server may wait for another
// transaction.
func (s *Store) withSlot(do func() error) error {
	pass := sync.OnceFunc(s.passSlot)
	defer pass()
	defer time.AfterFunc(s.creations.slotTimeout, pass).Stop()
	return do()
}

// passSlot gives the slot to waiting creations.
func (s *Store) passSlot() {
	if next := s.creations.next(); len(next) > 1 {
		go func() { _ = s.withSlot(func() error { return s.createBatch(next) }) }()
	}
}

// takeSlot takes a free slot, or makes the creation wait and returns false.
func (q *creations) takeSlot(c *creation) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.slotsInUse < maxSlots {
		q.slotsInUse++
		return true
	}
	q.waiting = append(q.waiting, c)
	return false
}

// next returns the waiting creations that receive a slot. A single one is
// notified before it can leave.
func (q *creations) next() []*creation {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), maxBatch)
	next := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	switch n {
	case 0:
		q.slotsInUse--
	case 1:
		next[0].done <- errCreateNow
	}
	return next
}

// leave removes a waiting creation, and reports whether it was waiting.
func (q *creations) leave(c *creation) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, c)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}
