package redis

import (
	"sync"
	"time"
)

// maxRecent is how many keys are known to have changed recently before all
// count as such; it bounds the memory that a burst of writes takes.
const maxRecent = 1 << 16

// recent is the set of keys of which this process has known for a short time
// only that they changed. The client may still remember what they held, because
// the server's word of the change comes by another connection and later, so such
// keys are read from the server. A key leaves the set when whatever was
// remembered before the change has outlived its TTL, whether or not the word came.
type recent struct {
	ttl time.Duration

	mu         sync.RWMutex
	young, old generation
	began      time.Time // when young became it
}

// generation is the keys of one TTL.
type generation struct {
	keys map[string]struct{}
	all  bool // there were too many
}

func (g generation) has(key string) bool {
	_, ok := g.keys[key]
	return ok || g.all
}

func newRecent(ttl time.Duration) *recent { return &recent{ttl: ttl} }

// noteAll adds all keys.
func (r *recent) noteAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	r.young = generation{all: true}
}

// note adds the keys.
func (r *recent) note(keys ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	for _, key := range keys {
		if len(r.young.keys) == maxRecent {
			r.young = generation{all: true}
		}
		if !r.young.all {
			r.young.keys[key] = struct{}{}
		}
	}
}

// turn begins a generation when it is time to.
func (r *recent) turn() {
	now := time.Now()
	if age := now.Sub(r.began); age >= r.ttl {
		r.old, r.began = r.young, now
		if age >= 2*r.ttl {
			r.old = generation{}
		}
		r.young = generation{keys: make(map[string]struct{})}
	}
}

// has reports whether any of the keys is in the set.
func (r *recent) has(keys ...string) bool {
	now := time.Now()
	r.mu.RLock()
	defer r.mu.RUnlock()
	age := now.Sub(r.began)
	for _, key := range keys {
		if age < 2*r.ttl && r.young.has(key) || age < r.ttl && r.old.has(key) {
			return true
		}
	}
	return false
}
