package macaroon

import (
	"context"
	"crypto/rand"
	"strings"
	"time"
	"unicode/utf8"

	// UUIDs (RFC 9562), which the standard library does not make.
	"github.com/google/uuid"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/printable"
)

// EventKind is what happened. The zero kind is invalid.
type EventKind uint8

// The kinds of events.
const (
	Issued    EventKind = iota + 1 // a token was made
	Verified                       // a token was accepted
	Refused                        // a token was not accepted, or its text is that of none
	Revoked                        // a token, a confined copy or all temporary tokens of a subject were revoked
	Restored                       // a revoked token was restored
	Deleted                        // a named token was deleted
	Updated                        // the name or the metadata of a named token was changed
	Consumed                       // an invite token was used
	Forgotten                      // the temporary secret of a subject was deleted, after its named tokens

	LoggedIn       // a user logged in with a password
	LogInFailed    // a user name or password was not accepted
	LogInThrottled // a log-in was not tried, after too many failures

	UserCreated   // a user was created
	UserRenamed   // the user name or full name of a user was changed
	PasswordSet   // the password of a user was set or taken away
	UserBlocked   // a user or Oneprovider was blocked
	UserUnblocked // a user or Oneprovider was unblocked
	UserDeleted   // a user was deleted, after the tokens, which have events of their own
)

var eventKindNames = [...]string{
	0: "unknown", Issued: "issued", Verified: "verified", Refused: "refused", Revoked: "revoked", Restored: "restored",
	Deleted: "deleted", Updated: "updated", Consumed: "consumed", Forgotten: "forgotten",
	LoggedIn: "loggedIn", LogInFailed: "logInFailed", LogInThrottled: "logInThrottled",
	UserCreated: "userCreated", UserRenamed: "userRenamed", PasswordSet: "passwordSet",
	UserBlocked: "userBlocked", UserUnblocked: "userUnblocked", UserDeleted: "userDeleted",
}

// String returns the name of the kind, such as "logInFailed"; "unknown" for zero.
func (k EventKind) String() string {
	if int(k) >= len(eventKindNames) {
		k = 0
	}
	return eventKindNames[k]
}

// Event is one entry of the audit trail. It names tokens by id only.
type Event struct {
	ID    string // a UUID of version 7: ids of later events are greater, by the clock of the machine
	Kind  EventKind
	Time  time.Time
	Actor Actor // for whom the authority was called; zero if the context does not tell

	TokenID string         // "" where no token in particular is concerned
	Type    Type           // of the token; zero where none in particular is concerned
	Subject caveat.Subject // of the token, or the user; a claim where Kind is Refused or LogInFailed
	Err     error          // why a token or log-in was refused

	// Username is the name of the user concerned. Where a log-in failed or was
	// throttled, a client may have made it up: it is cut to 64 characters, and those
	// that do not print are escaped as in JSON.
	Username string

	// CaveatIndex is the place of the caveat for which the token was refused, and
	// -1 where no caveat was to blame or the token had been accepted before.
	CaveatIndex int
	CaveatType  caveat.Type // of that caveat
}

// An Observer is told of every event, in the goroutine in which it happened: it
// should be quick, and safe for concurrent use.
type Observer func(ctx context.Context, e Event)

// ReportRefused tells the observer of credentials that the caller refused without
// asking the authority, which reports its own decisions: those that cannot be
// read, that an identity provider did not accept, or the caveats of which do not
// allow what the [Actor] in ctx asks for. The event is LogInFailed for ByPassword
// and Refused for other methods. Package rest calls it; err must not hold any part
// of a credential.
func (a *Authority) ReportRefused(ctx context.Context, method AuthMethod, err error) {
	event := Event{Kind: Refused, Err: err}
	if actor := ActorFrom(ctx); actor.Method == method {
		event.TokenID, event.Subject = actor.TokenID, actor.Subject
	}
	if method == ByPassword {
		event.Kind = LogInFailed
	}
	a.observe(ctx, event)
}

func (a *Authority) observe(ctx context.Context, e Event) {
	if a.observer == nil {
		return
	}
	id, _ := uuid.NewV7FromReader(rand.Reader) // crypto/rand never fails
	e.ID, e.Time, e.Actor = id.String(), a.clock(), ActorFrom(ctx)
	// They are parts of the token, which must not stay in memory with a log.
	e.TokenID, e.Subject.ID, e.Type.param = strings.Clone(e.TokenID), strings.Clone(e.Subject.ID), strings.Clone(e.Type.param)
	e.Username = auditable(e.Username)
	if e.CaveatType == "" {
		e.CaveatIndex = -1
	}
	a.observer(ctx, e)
}

// maxAuditedName is how many characters of a user name an event shows.
const maxAuditedName = 64

// auditable makes a name that anybody may have made up fit for a log.
func auditable(name string) string {
	end := 0
	for range maxAuditedName {
		_, size := utf8.DecodeRuneInString(name[end:])
		end += size
	}
	shown := printable.Escape(strings.Clone(name[:end]))
	if end < len(name) {
		shown += "..."
	}
	return shown
}
