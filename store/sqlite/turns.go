package sqlite

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/onezone-go/onezone/store"
)

// turns makes the writes of a store run one at a time, in the order of their
// calls. Without it, writers would find the file locked and retry at random
// times, some of them late.
type turns struct {
	mu      sync.Mutex
	taken   bool
	waiting []*pending
	arrived chan struct{} // of one, receives when a call begins to wait
	last    groupStats    // of the last turn, zero if that was no group
}

// pending is a call that writes.
type pending struct {
	ctx context.Context
	change

	turn chan *group // receives nil, or the group that the call joins
	made bool        // another call makes the change; err is the result when turn has received
	err  error
}

// groupStats describes a group.
type groupStats struct {
	size   int
	commit time.Duration // how long it took to commit
}

// take waits for the turn of a call. It returns nil if the call comes first,
// and otherwise the group that it joins. The call must then pass the turn on,
// unless its change was made.
func (t *turns) take(w *pending, closed <-chan struct{}) (*group, error) {
	if t.enter(w) {
		return nil, nil
	}
	var err error
	select {
	case g := <-w.turn:
		return g, nil
	case <-w.ctx.Done():
		err = w.ctx.Err()
	case <-closed:
		err = store.ErrClosed
	}
	if !t.leave(w) {
		t.pass(<-w.turn)
	}
	return nil, err
}

// enter gives the turn to the call if it is free, and otherwise makes the call
// wait.
func (t *turns) enter(w *pending) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.taken {
		t.taken = true
		return true
	}
	w.turn = make(chan *group, 1)
	t.waiting = append(t.waiting, w)
	select {
	case t.arrived <- struct{}{}:
	default:
	}
	return false
}

// leave removes a call that waits. It returns false if the call has the turn.
func (t *turns) leave(w *pending) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.waiting, w); i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
		return true
	}
	return w.made
}

// shared reports whether the call that has the turn should begin a group,
// because others wait or are likely to come.
func (t *turns) shared() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last.size > 1 || len(t.waiting) > 0 && t.waiting[0].joins()
}

// pass gives the turn to the next call. The group of the turn, if any, continues
// with calls that join it, and ends if there is none.
func (t *turns) pass(g *group) {
	for g != nil {
		switch w := t.join(g); {
		case w == nil:
			if t.await(g) {
				continue
			}
			start := time.Now()
			g.end()
			t.release(groupStats{g.size, time.Since(start)})
			return
		case !w.made:
			w.turn <- g
			return
		default:
			w.err = g.makeOne(w)
		}
	}
	t.release(groupStats{})
}

// join returns the next call if it joins the group. The call that has the turn
// makes changes of one statement for other calls, because switching between
// goroutines takes time.
func (t *turns) join(g *group) *pending {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 || !t.waiting[0].joins() || !g.open() {
		return nil
	}
	w := t.next()
	g.size++
	if w.made = w.one != nil; w.made {
		g.made = append(g.made, w)
	}
	return w
}

// await waits for another call to join the group, if the last group was larger:
// its calls are likely to be followed by others. It waits for at most half of
// the time that a commit takes, and reports whether a call came.
func (t *turns) await(g *group) bool {
	t.mu.Lock()
	last := t.last
	t.mu.Unlock()
	patience := min(last.commit/2, g.s.groupTime-time.Since(g.begun))
	if g.broken || g.size >= last.size || patience <= 0 {
		return false
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-t.arrived:
		return true
	case <-timer.C:
		return false
	}
}

// release gives the turn to the next call, which joins no group.
func (t *turns) release(last groupStats) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = last
	if t.taken = len(t.waiting) > 0; t.taken {
		t.next().turn <- nil
	}
}

// next removes the first call that waits.
func (t *turns) next() *pending {
	w := t.waiting[0]
	t.waiting = slices.Delete(t.waiting, 0, 1)
	return w
}
