// Package columns is what the SQL backends have in common: how the parts of a
// record stand in the columns of a row, which texts can be keys at all, and what
// is left of the records of an import.
package columns

import (
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// IsKey reports whether a record can have the text as its id or name. What
// cannot be there is not looked up: databases refuse NUL and invalid UTF-8, and
// it is no use to send them a megabyte out of a forged token.
func IsKey(text string) bool { return IsHolder(caveat.User(text)) }

// IsHolder reports whether a record can be about the subject.
func IsHolder(s caveat.Subject) bool { return store.ValidateHolder(s) == nil }

// IsSubject reports whether the text is that of a subject that a record can be
// about.
func IsSubject(text string) bool {
	subject, err := caveat.ParseSubject(text)
	return err == nil && IsHolder(subject)
}

// ParseSubject reads a subject that was written as one: that it is none is the
// doing of the environment.
func ParseSubject(text string) (caveat.Subject, error) {
	subject, err := caveat.ParseSubject(text)
	if err != nil {
		return caveat.Subject{}, errors.New("a record is about a subject that is none")
	}
	return subject, nil
}

// Secret writes a secret as bytes, because it need not be a text.
func Secret(s store.Secret) []byte { return []byte(s.Reveal()) }

// ParseSecret reads what Secret writes.
func ParseSecret(b []byte) store.Secret { return store.NewSecret(string(b)) }

// Tails writes the tails one after the other.
func Tails(tails []store.Tail) []byte {
	b := make([]byte, 0, len(tails)*len(store.Tail{}))
	for _, tail := range tails {
		b = append(b, tail[:]...)
	}
	return b
}

// ParseTails reads what Tails writes.
func ParseTails(b []byte) ([]store.Tail, error) {
	const size = len(store.Tail{})
	if len(b)%size != 0 {
		return nil, fmt.Errorf("a record has %d bytes of revoked tails, not a multiple of %d", len(b), size)
	}
	if len(b) == 0 {
		return nil, nil
	}
	tails := make([]store.Tail, len(b)/size)
	for i := range tails {
		tails[i] = store.Tail(b[i*size:])
	}
	return tails, nil
}

// Status is what the blocked column of a left join with identities tells; nil is
// NULL.
func Status(blocked *bool) store.Status {
	if blocked == nil {
		return store.HolderMissing
	}
	return store.Identity{Blocked: *blocked}.Status()
}
