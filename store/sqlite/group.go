package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/onezone-go/onezone/errors"
)

const (
	maxGroup  = 64                    // maximum number of calls in a group
	groupTime = 10 * time.Millisecond // calls join a group for this time
)

// group is a transaction that concurrent calls share, and with it one wait for
// the disk. Its calls return when it has ended. What the change of one call
// does, such as an error or a panic, does not affect the others.
type group struct {
	s     *Store
	conn  *sql.Conn
	tx    transaction
	begun time.Time
	size  int        // number of calls
	made  []*pending // calls whose changes were made by others
	// broken reports that the transaction may contain something else than the
	// changes of the calls that succeeded.
	broken    bool
	committed bool
	done      chan struct{} // closed at the end
}

// change is what a call writes. It may be made again after a transaction that
// was rolled back. Neither function is set if the call joins no group.
type change struct {
	one     func(transaction) error // runs one statement, in any goroutine
	several func(transaction) error // runs several, in the goroutine of its call
}

func (c change) joins() bool { return c.one != nil || c.several != nil }

// share makes a change: alone if no other call of this store waits to write,
// and otherwise in a group. If a group cannot be committed, each of its changes
// is made alone.
func (s *Store) share(ctx context.Context, c change) error {
	p, err := s.statements(ctx)
	if err != nil {
		return err
	}
	alone := func() error { return s.makeAlone(ctx, p.writer, c) }
	w := &pending{ctx: ctx, change: c}
	g, err := s.turns.take(w, s.life.Closed.Done())
	switch {
	case err != nil:
		return err
	case g == nil && !s.turns.shared():
		defer s.turns.pass(nil)
		return s.writeNow(ctx, alone)
	case g == nil:
		if g, err = s.begin(ctx, p.writer); err != nil {
			s.turns.pass(nil)
			return err
		}
	}
	if !w.made {
		w.err = g.makeInTurn(w)
	}
	select {
	case <-g.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !g.committed {
		return s.write(ctx, alone)
	}
	return w.err
}

// begin begins a group. The end of ctx ends the wait for the lock of the file,
// but not the group.
func (s *Store) begin(ctx context.Context, w statements) (*group, error) {
	g := &group{s: s, size: 1, done: make(chan struct{})}
	if err := s.retryBusy(ctx, func() error { return g.begin(ctx, w) }); err != nil {
		return nil, err
	}
	g.begun = time.Now()
	return g, nil
}

func (g *group) begin(ctx context.Context, w statements) (err error) {
	if g.conn, err = g.s.writer.Conn(ctx); err != nil {
		return err
	}
	forAll := context.WithoutCancel(ctx)
	tx, err := g.conn.BeginTx(forAll, nil)
	if err == nil {
		g.tx = newTransaction(forAll, tx, w)
		err = newTransaction(ctx, tx, w).Exec(lock)
	}
	if err != nil {
		g.rollback()
	}
	return err
}

// open reports whether another call may join the group.
func (g *group) open() bool {
	return !g.broken && g.size < maxGroup && time.Since(g.begun) < g.s.groupTime
}

// makeInTurn makes the change of the call that has the turn, and passes the
// turn on.
func (g *group) makeInTurn(w *pending) error {
	defer g.s.turns.pass(g)
	if w.one != nil {
		return g.makeOne(w)
	}
	return g.makeSeveral(w)
}

// makeOne makes a change of one statement, unless the call has given up.
func (g *group) makeOne(w *pending) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	err := w.one(g.tx)
	// Errors other than of unique values may have rolled the transaction back.
	taken, _ := db{g.s}.UniqueViolation(err)
	g.broken = err != nil && !taken && !errors.Is(err, errors.IDNotFound)
	return err
}

// makeSeveral makes a change of several statements, or none of it, unless the
// call has given up.
func (g *group) makeSeveral(w *pending) (err error) {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if err = g.tx.Exec(savepoint); err != nil {
		g.broken = true
		return err
	}
	kept := false
	defer func() {
		if !kept {
			g.broken = g.tx.Exec(rollbackTo) != nil
		}
	}()
	if err = w.several(g.tx); err == nil {
		err = w.ctx.Err() // the change may have ended it
	}
	if err == nil {
		err = g.tx.Exec(release)
		kept = err == nil
	}
	return err
}

// end commits the group if it can, and tells its calls.
func (g *group) end() {
	if !g.broken && g.tx.tx.Commit() == nil {
		g.committed = true
		g.s.wakeWatchers()
	}
	g.rollback() // does nothing after a commit
	close(g.done)
	for _, w := range g.made {
		w.turn <- g
	}
}

func (g *group) rollback() {
	if g.tx.tx != nil {
		_ = g.tx.tx.Rollback()
	}
	_ = g.conn.Close()
}
