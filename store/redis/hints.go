package redis

import (
	"sync/atomic"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// hints remembers where tokens were that were looked up, which saves the round
// trip to the pointer. A hint may be wrong: the record decides, which is there or
// not, and says whose it is.
type hints = aging[*location]

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
