// Package sealing defines what packages store and seal share: the prefix of
// sealed secrets, and the subject of the canary.
package sealing

import (
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// Mark is the prefix of every sealed secret, in all versions of the envelope.
// Secrets of an authority are printable, and a password hash begins with its
// scheme or a random salt, so they never begin with it.
const Mark = "\x00ozseal"

// Ids of the subjects of canaries. The slash keeps them out of tokens, and no
// user can be created with such an id.
const (
	canaryID = "onezone/canary"
	nested   = "/seal" // appended once for each outer seal
)

// Canary returns the subject whose temporary secret is the canary. The canary
// is a sealed secret that exists while the store contains sealed records.
func Canary() caveat.Subject { return caveat.User(canaryID) }

// Below converts a subject of a sealed store to the subject in its backend.
// Only canaries change: the canary of an outer seal gets its own subject, so
// that a sealed store can be sealed again.
func Below(subject caveat.Subject) caveat.Subject {
	if isReserved(subject) {
		subject.ID += nested
	}
	return subject
}

// Above is the inverse of Below. It does not change the canary of the seal
// itself, which callers never see.
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
