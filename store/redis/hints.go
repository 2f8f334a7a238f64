package redis

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// maxHints is how many hints are kept at least before the oldest are forgotten.
const maxHints = 1 << 15

// hints remembers where tokens were that were looked up, which saves the round
// trip to the pointer. A hint may be wrong: the record decides, which is there or
// not, and says whose it is.
type hints struct {
	mu         sync.RWMutex
	young, old map[string]*location
}

// location is where the record of a token is, if it is of the subject.
type location struct {
	subject               caveat.Subject
	tokenKey, identityKey string

	// The record as it was read last. A value that has its revision is its value,
	// and need not be read again, nor the root key of its secret be derived.
	last atomic.Pointer[readKey]
}

// readKey is what a verification needs of a record, without the holder's status.
type readKey struct {
	revision string
	key      store.Key
}

func (s *Store) locationOf(subject caveat.Subject, id string) *location {
	text := subject.String()
	tag := tagOf(text)
	return &location{subject: subject, tokenKey: s.key(tokenKind, tag, id), identityKey: s.key(identityKind, tag, text)}
}

// key returns what a verification needs of the value of the token.
func (l *location) key(value string) (store.Key, error) {
	rev := revision(value)
	if last := l.last.Load(); last != nil && last.revision == rev {
		return last.key, nil
	}
	key, err := decodeKey(value)
	if err == nil {
		l.last.Store(&readKey{rev, key})
	}
	return key, err
}

func (h *hints) get(id string) *location {
	h.mu.RLock()
	l := h.young[id]
	aged := l == nil
	if aged {
		l = h.old[id]
	}
	h.mu.RUnlock()
	if aged && l != nil {
		h.set(id, l) // in use: it stays
	}
	return l
}

func (h *hints) set(id string, l *location) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.young == nil || len(h.young) == maxHints {
		h.old, h.young = h.young, make(map[string]*location)
	}
	h.young[strings.Clone(id)] = l // it is part of a token, which must not stay in memory with it
}
