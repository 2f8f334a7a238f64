package redis

import (
	"strings"
	"sync"
)

// maxAging is how many keys an aging map keeps at least before the oldest are
// forgotten.
const maxAging = 1 << 15

// aging is a map that forgets the keys that nobody has asked for lately.
type aging[V any] struct {
	mu         sync.RWMutex
	young, old map[string]V
}

func (a *aging[V]) get(key string) (v V, ok bool) {
	a.mu.RLock()
	v, ok = a.young[key]
	aged := !ok
	if aged {
		v, ok = a.old[key]
	}
	a.mu.RUnlock()
	if aged && ok {
		a.set(key, v) // in use: it stays
	}
	return v, ok
}

func (a *aging[V]) set(key string, v V) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.young == nil || len(a.young) == maxAging {
		a.old, a.young = a.young, make(map[string]V)
	}
	a.young[strings.Clone(key)] = v // it may be part of a token, which must not stay in memory with it
}
