package errors

// Expired reports whether err says that a token has expired. It looks, at any
// depth of nesting and wrapping, for the tokenCaveatUnverified error of a time
// caveat. The token may be the one that was presented, or the service or
// consumer token that came with it. Errors read from JSON count, too.
//
// For other refusals use [Is], for example with [IDTokenRevoked].
func Expired(err error) bool { return Is(err, expired{}) }

// expired is the target for which [Error.Is] matches a time caveat that does
// not hold.
type expired struct{}

func (expired) Error() string { return "the token has expired" }

func (e *Error) isExpired() bool {
	return e.ID == IDTokenCaveatUnverified && resolve(e.Details, "caveat.type") == "time"
}
