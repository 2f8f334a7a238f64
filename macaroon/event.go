package macaroon

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/eventid"
	"github.com/onezone-go/onezone/internal/printable"
)

// EventKind identifies what happened. The zero EventKind is invalid.
type EventKind uint8

// The kinds of events.
const (
	Issued    EventKind = iota + 1 // a token was made
	Verified                       // a token was accepted
	Refused                        // a token was rejected, or a text was not a token
	Revoked                        // a token, a confined copy or all temporary tokens of a subject were revoked
	Restored                       // a revoked token was restored
	Deleted                        // a named token was deleted
	Updated                        // the name or the metadata of a named token was changed
	Consumed                       // an invite token was used
	Forgotten                      // the temporary secret of a subject was deleted, after its named tokens

	LoggedIn       // a user logged in with a password
	LogInFailed    // a user name or password was not accepted
	LogInThrottled // a log-in was rejected unchecked, after too many failures

	UserCreated   // a user was created
	UserRenamed   // the user name or full name of a user was changed
	PasswordSet   // the password of a user was set or removed
	UserBlocked   // a user or Oneprovider was blocked
	UserUnblocked // a user or Oneprovider was unblocked
	UserDeleted   // a user was deleted; the user's tokens have separate events before it

	RightGranted   // a user was granted an admin right
	RightWithdrawn // an admin right was withdrawn from a user

	ProviderCreated // a Oneprovider was registered

	Tightened // caveats were added to the record of a named token
	Loosened  // such caveats were removed
	BaitUsed  // a canary was used; at most once a minute for each, other uses are Refused

	Denied // a client with valid credentials requested what it may not do
)

var eventKindNames = [...]string{
	0: "unknown", Issued: "issued", Verified: "verified", Refused: "refused", Revoked: "revoked", Restored: "restored",
	Deleted: "deleted", Updated: "updated", Consumed: "consumed", Forgotten: "forgotten",
	LoggedIn: "loggedIn", LogInFailed: "logInFailed", LogInThrottled: "logInThrottled",
	UserCreated: "userCreated", UserRenamed: "userRenamed", PasswordSet: "passwordSet",
	UserBlocked: "userBlocked", UserUnblocked: "userUnblocked", UserDeleted: "userDeleted",
	RightGranted: "rightGranted", RightWithdrawn: "rightWithdrawn",
	ProviderCreated: "providerCreated",
	Tightened:       "tightened", Loosened: "loosened", BaitUsed: "baitUsed", Denied: "denied",
}

// String returns the name of the kind, such as "logInFailed"; "unknown" for zero.
func (k EventKind) String() string {
	if int(k) >= len(eventKindNames) {
		k = 0
	}
	return eventKindNames[k]
}

// Event is one entry of the audit trail. It identifies tokens by id only.
type Event struct {
	ID    string // UUID of version 7: later events have greater ids, by the clock of the machine
	Kind  EventKind
	Time  time.Time
	Actor Actor // on whose behalf the authority was called; zero if the context holds no Actor

	TokenID string         // "" if the event is not about one token
	Type    Type           // of the token; zero if the event is not about one token
	Subject caveat.Subject // of the token, or the user; unverified if Kind is Refused, LogInFailed or Denied
	// Err is why a token, log-in or request was rejected. For BaitUsed, it is
	// tokenRevoked, or the reason why the family of the canary was not revoked.
	Err error

	Right string // the admin right that was granted or withdrawn

	// Username is the name of the user concerned. If a log-in failed or was
	// throttled, the client may have sent any text, so the name is cut to 64
	// characters, and unprintable characters are escaped as in JSON.
	Username string

	// CaveatIndex is the index of the caveat that caused the rejection. Those of
	// discharges replace the caveats that they discharge, and those that the owner
	// added follow those of the token. It is -1 if no caveat caused it, or if the
	// rejection came after the verification.
	CaveatIndex int
	CaveatType  caveat.Type // of that caveat
}

// Observer receives every event, in the goroutine that caused it. It should
// return quickly, and must be safe for concurrent use.
type Observer func(ctx context.Context, e Event)

// ReportRefused reports credentials that the caller rejected to the observer.
// The authority reports its own decisions; ReportRefused is for all others:
// credentials that cannot be parsed, that an identity provider rejected, or
// whose caveats do not allow what the [Actor] in ctx requests. The event is
// LogInFailed for ByPassword and Refused for other methods. err must not
// contain any part of a credential. Package rest calls ReportRefused.
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

// ReportDenied reports to the observer that the [Actor] in ctx may not do what
// it requested, although its credentials are valid. The token and the owner are
// those that the request is about; both may be zero, or not exist. Package rest
// calls ReportDenied.
func (a *Authority) ReportDenied(ctx context.Context, tokenID string, owner caveat.Subject, err error) {
	a.observe(ctx, Event{Kind: Denied, TokenID: tokenID, Subject: owner, Err: err})
}

func (a *Authority) observe(ctx context.Context, e Event) {
	if a.observer == nil {
		return
	}
	e.ID, e.Time, e.Actor = eventid.New(), a.clock(), ActorFrom(ctx)
	// Clones, so that a log that keeps the event does not keep the whole token
	// text in memory.
	e.TokenID, e.Subject.ID, e.Type.param = strings.Clone(e.TokenID), strings.Clone(e.Subject.ID), strings.Clone(e.Type.param)
	if e.Username != "" {
		e.Username = sanitizeUsername(e.Username)
	}
	if e.CaveatType == "" {
		e.CaveatIndex = -1
	}
	a.observer(ctx, e)
}

// maxAuditedName is the maximum length of a user name in an event, in
// characters.
const maxAuditedName = 64

// sanitizeUsername shortens and escapes a name that an attacker may have
// chosen.
func sanitizeUsername(name string) string {
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
