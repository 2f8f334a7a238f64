package macaroon

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/caveat"
)

// EventKind tells what happened. The zero kind is invalid.
type EventKind uint8

// The kinds of events.
const (
	Issued   EventKind = iota + 1 // a token was made
	Verified                      // a token was accepted
	Refused                       // a token was not accepted
	Revoked                       // a token, a confined copy or all temporary tokens of a subject were revoked
	Restored                      // a revoked token was restored
	Deleted                       // a named token was deleted
)

// String returns the name of the kind in lower case, "unknown" for zero.
func (k EventKind) String() string {
	switch k {
	case Issued:
		return "issued"
	case Verified:
		return "verified"
	case Refused:
		return "refused"
	case Revoked:
		return "revoked"
	case Restored:
		return "restored"
	case Deleted:
		return "deleted"
	}
	return "unknown"
}

// Event is one entry of the audit trail. It names tokens by id only.
type Event struct {
	Kind    EventKind
	Time    time.Time
	TokenID string         // "" where all temporary tokens of the subject are concerned
	Type    Type           // of the token; zero where none in particular is concerned
	Subject caveat.Subject // the token's; a claim where Kind is Refused
	Err     error          // why the token was refused
	// CaveatIndex is the place of the caveat for which the token was refused,
	// and -1 where no caveat was to blame.
	CaveatIndex int
	CaveatType  caveat.Type // of that caveat
}

// An Observer is told of every event, in the goroutine in which it happened: it
// should be quick, and safe for concurrent use.
type Observer func(ctx context.Context, e Event)
