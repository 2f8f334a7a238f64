// Package sealing holds what packages store and seal have to agree on: how a
// sealed secret begins, and where the canary of a sealed store is kept.
package sealing

import (
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// Mark begins every sealed secret, whatever the version of its envelope. Secrets
// that an authority makes are printable, and a password hash begins with its
// scheme or a random salt.
const Mark = "\x00ozseal"

// Ids of the subjects of canaries. The slash keeps them out of tokens, and
// nobody can create a user with such an id.
const (
	canaryID = "onezone/canary"
	nested   = "/seal" // follows once for each seal that is in front
)

// Canary returns the subject whose temporary secret is the canary: a sealed
// secret that is there as long as the store holds sealed records.
func Canary() caveat.Subject { return caveat.User(canaryID) }

// Below returns the subject of the backend for that of a sealed store in front
// of it. All but canaries keep their subject; the canary of an outer seal gets
// one of its own, so that a sealed store can be sealed once more.
func Below(subject caveat.Subject) caveat.Subject {
	if isReserved(subject) {
		subject.ID += nested
	}
	return subject
}

// Above is the opposite of Below. The canary of the seal itself, which is shown
// to nobody, stays what it is.
func Above(subject caveat.Subject) caveat.Subject {
	if isReserved(subject) {
		subject.ID = strings.TrimSuffix(subject.ID, nested)
	}
	return subject
}

func isReserved(subject caveat.Subject) bool {
	rest, ok := strings.CutPrefix(subject.ID, canaryID)
	return ok && subject.Type == caveat.SubjectUser && strings.ReplaceAll(rest, nested, "") == ""
}
