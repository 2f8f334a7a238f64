//go:build e2e

package failover_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// ledger records what the clients were told, to compare it with what the store
// has afterwards.
type ledger struct {
	mu      sync.Mutex
	records []*record       // of acknowledged creations
	seen    map[string]bool // ids of tokens whose change the feed reported
	byID    map[string]*record
	fault   time.Time // zero before the fault
	waiting map[string]*recovery
	count   tally
}

// record is an acknowledged token.
type record struct {
	id, text, user string
	begun          time.Time         // when its creation was requested
	asked          bool              // its revocation was requested
	revoked        time.Time         // when its revocation was acknowledged
	missing        map[errors.ID]int // verdicts that are right only if the token is lost
}

// recovery is what a user got from requests that began after the fault.
type recovery struct{ written, seen time.Time }

// tally counts what happened in a round.
type tally struct {
	written, verified int // acknowledged
	lost              int // acknowledged creations and revocations that the store does not have
	outages           map[string]int
	wrong             map[string]int // verdicts that no outage explains
	late              time.Duration  // for which a cache accepted a revoked token
	longest           time.Duration  // call
}

func newTally() tally { return tally{outages: map[string]int{}, wrong: map[string]int{}} }

func newLedger(users []string) *ledger {
	l := &ledger{seen: map[string]bool{}, byID: map[string]*record{}, waiting: map[string]*recovery{}}
	for _, u := range users {
		l.waiting[u] = &recovery{}
	}
	l.reset()
	return l
}

// reset begins a round.
func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = time.Time{}
	l.count = newTally()
	for _, r := range l.waiting {
		*r = recovery{}
	}
}

func (l *ledger) faultAt(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = t
}

func (l *ledger) isAfterFault(r *record) bool { return !l.fault.IsZero() && r.begun.After(l.fault) }

// writes returns the number of acknowledged writes of the round.
func (l *ledger) writes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count.written
}

// created records an acknowledged creation.
func (l *ledger) created(r *record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records, l.byID[r.id] = append(l.records, r), r
	l.count.written++
	if !l.isAfterFault(r) {
		return
	}
	user := l.waiting[r.user]
	if user.written.IsZero() {
		user.written = time.Now()
	}
	if l.seen[r.id] && user.seen.IsZero() {
		user.seen = time.Now()
	}
}

// changed records that the feed reported a change of the token.
func (l *ledger) changed(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[id] = true
	r := l.byID[id] // nil if the creation is not acknowledged yet
	if r == nil || !l.isAfterFault(r) {
		return
	}
	if user := l.waiting[r.user]; user.seen.IsZero() {
		user.seen = time.Now()
	}
}

// recovered returns how long after the fault the last user wrote, and how long
// after it the feed had reported a change of each user. ok is false before
// that.
func (l *ledger) recovered() (written, seen time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.waiting {
		if r.written.IsZero() || r.seen.IsZero() {
			return 0, 0, false
		}
		written, seen = max(written, r.written.Sub(l.fault)), max(seen, r.seen.Sub(l.fault))
	}
	return written, seen, true
}

// ask records that the revocation is about to be requested.
func (l *ledger) ask(r *record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.asked = true
}

// answered records the outcome of a revocation.
func (l *ledger) answered(r *record, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		r.revoked = time.Now()
		l.count.written++
	case errors.Is(err, errors.IDNotFound):
		r.missing[errors.IDNotFound]++
	default:
		l.failed(err)
	}
}

// took records the duration of a call.
func (l *ledger) took(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count.longest = max(l.count.longest, d)
}

// notCreated records a creation that failed.
func (l *ledger) notCreated(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed(err)
}

// failed counts an error that is not about the state of a token. The catalogue
// has no errors for outages: what it has is a wrong verdict.
func (l *ledger) failed(err error) {
	verdict, ok := errors.AsType[*errors.Error](err)
	switch {
	case ok:
		l.count.wrong[string(verdict.ID)]++
	case errors.Is(err, context.DeadlineExceeded):
		l.count.outages["deadline"]++
	case strings.Contains(err.Error(), "replicas received"):
		l.count.outages["unconfirmed"]++
	default:
		l.count.outages["unavailable"]++
	}
}

// revoked returns when the revocation was acknowledged, or the zero time.
func (l *ledger) revoked(r *record) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return r.revoked
}

// recentRecords is the number of records of which most verifications are.
const recentRecords = 200

// any returns a record to verify, mostly a recent one; nil for an empty ledger.
func (l *ledger) any() *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := l.records
	if rand.IntN(4) > 0 {
		from = from[max(0, len(from)-recentRecords):]
	}
	if len(from) == 0 {
		return nil
	}
	return from[rand.IntN(len(from))]
}

// verified judges the outcome of a verification that began at a time at which
// the revocation was or was not acknowledged. A cache may accept a revoked
// token for a while.
func (l *ledger) verified(r *record, begun, revoked time.Time, cached bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil && !revoked.IsZero() && !cached:
		l.count.wrong["a revoked token is accepted"]++
	case err == nil:
		l.count.verified++
		if !revoked.IsZero() {
			l.count.late = max(l.count.late, begun.Sub(revoked))
		}
	case errors.Is(err, errors.IDTokenRevoked) && r.asked:
		l.count.verified++
	case errors.Is(err, errors.IDTokenInvalid):
		r.missing[errors.IDTokenInvalid]++
	default:
		l.failed(err)
	}
}

// audit compares the ledger with the records of the store, and counts each lost
// operation once.
func (l *ledger) audit(ctx context.Context, s store.Store) (tally, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.records[:0:0]
	for _, r := range l.records {
		key, err := s.NamedKey(ctx, r.id)
		switch {
		case errors.Is(err, errors.IDNotFound):
			l.count.lost++ // and tokenInvalid or notFound was right
			continue
		case err != nil:
			return tally{}, fmt.Errorf("audit token %s: %w", r.id, err)
		case !r.revoked.IsZero() && !key.Revoked:
			l.count.lost++
			r.revoked = time.Time{}
		case !r.asked && key.Revoked:
			l.count.wrong["revoked by nobody"]++
		}
		for id, n := range r.missing {
			l.count.wrong[string(id)] += n
		}
		clear(r.missing)
		kept = append(kept, r)
	}
	l.records = kept
	count := l.count
	count.outages, count.wrong = maps.Clone(count.outages), maps.Clone(count.wrong)
	return count, nil
}
