package remote

import (
	"sync/atomic"
	"time"

	"github.com/onezone-go/onezone/errors"
)

// Stats are counters since the creation of a client, and its current state.
type Stats struct {
	HitsGood    uint64 // verifications answered from the cache, with a good answer
	HitsRefused uint64 // with a refusal
	HitsStale   uint64 // with an answer past its age, because Onezone was unreachable
	Misses      uint64 // for which there was no valid answer in the cache

	RefusedLocally uint64 // tokens refused without a request

	RequestsGood    uint64 // requests to Onezone that it answered with a success
	RequestsRefused uint64 // with a refusal
	RequestsFailed  uint64 // not answered, or not in the form of the API
	Suppressed      uint64 // questions not sent: open breaker, pause that Onezone asked for, limit on the rate

	Entries int // answers in the cache, approximate
	// Breaker is the state of the circuit breaker: "closed" if requests are
	// sent, "open" if not, "half-open" while one of them probes.
	Breaker string
	// OldestStale is the age of the oldest answer that was used past its age
	// since Onezone answered last; 0 if none was.
	OldestStale time.Duration
}

// Stats returns the counters and the state of the client.
func (c *Client) Stats() Stats {
	n := &c.counts
	return Stats{
		HitsGood:        n.hitsGood.Load(),
		HitsRefused:     n.hitsRefused.Load(),
		HitsStale:       n.hitsStale.Load(),
		Misses:          n.misses.Load(),
		RefusedLocally:  n.refusedLocally.Load(),
		RequestsGood:    n.good.Load(),
		RequestsRefused: n.refused.Load(),
		RequestsFailed:  n.failed.Load(),
		Suppressed:      n.suppressed.Load(),
		Entries:         c.cache.answers.EstimatedSize(),
		Breaker:         c.breaker.State().String(),
		OldestStale:     time.Duration(n.oldestStale.Load()),
	}
}

// counts are the counters of a client.
type counts struct {
	hitsGood, hitsRefused, hitsStale, misses, refusedLocally atomic.Uint64
	good, refused, failed, suppressed                        atomic.Uint64

	oldestStale atomic.Int64 // in nanoseconds
}

func (n *counts) hit(a *answer) {
	if a.refusal == nil {
		n.hitsGood.Add(1)
	} else {
		n.hitsRefused.Add(1)
	}
}

// stale counts the use of a stale answer.
func (n *counts) stale(age time.Duration) {
	n.hitsStale.Add(1)
	for {
		oldest := n.oldestStale.Load()
		if int64(age) <= oldest || n.oldestStale.CompareAndSwap(oldest, int64(age)) {
			return
		}
	}
}

// request counts a request by its outcome.
func (n *counts) request(err error) {
	_, refusal := err.(*errors.Error)
	switch {
	case err == nil:
		n.good.Add(1)
	case refusal:
		n.refused.Add(1)
	default:
		n.failed.Add(1)
		return
	}
	n.oldestStale.Store(0)
}
