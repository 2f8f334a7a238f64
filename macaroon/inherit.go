package macaroon

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// Inherit returns a copy of the token, confined by the caveats of parent.
// parent is the token with which the client authenticated; nil means that the
// client has none, and Inherit then returns t. Caveats that t already carries
// with the same text are not repeated. The copy does not inherit the session of
// parent, nor the end of the log-in from a log-in token ([Authority.IssueLogIn]).
//
// [Authority.Issue] and [Authority.IssueNamed] inherit from [Grant].Parent.
// Applications that return tokens from [Authority.Get], GetByName or List to
// clients should call Inherit themselves. Otherwise a client could escape the
// caveats of its own token by reading another one.
//
// Errors:
//   - forbidden, with a hint, for third-party caveats, for a caveat that tokens of
//     this type do not support, and if the copy would exceed the limits on new tokens;
//   - unauthorized without details if parent is the zero Auth;
//   - badToken if t is the zero Token.
func (a *Authority) Inherit(t Token, parent *Auth) (Token, error) {
	switch {
	case parent == nil:
		return t, nil
	case !parent.verified:
		return Token{}, errors.Unauthorized(nil)
	case t.IsZero():
		return Token{}, errors.BadToken("it is empty")
	}
	if !parent.IsConfined() {
		return t, nil
	}
	if parent.discharged {
		return Token{}, errors.Forbidden("the access token of the request has third-party caveats, which other tokens cannot carry")
	}
	limit := a.confiner.maxCaveats
	var missing []string
	cs, own := parent.Caveats(), t.Caveats()
	for i, text := range parent.caveats.Texts() {
		if slices.Contains(own, text) || slices.Contains(missing, text) {
			continue
		}
		if typ := cs[i].Type(); !typ.SupportedBy(t.Type().use(false)) {
			return Token{}, errors.Forbidden(fmt.Sprintf(
				"the access token of the request has a caveat of the type %s, which %s tokens cannot carry", typ, t.Type().Class()))
		}
		// A clone, so that the copy does not keep the client's whole token in
		// memory.
		if missing = append(missing, strings.Clone(text)); len(t.caveats)+len(missing) > limit {
			return Token{}, errors.Forbidden(fmt.Sprintf(
				"with the caveats of the access token of the request, the token would have more than %d caveats", limit))
		}
	}
	if len(missing) == 0 {
		return t, nil
	}
	confined, err := a.confiner.confineText(t, missing)
	if errors.Is(err, errors.IDTokenTooLarge) {
		return Token{}, errors.Forbidden(fmt.Sprintf(
			"with the caveats of the access token of the request, the token would be longer than %d bytes", a.confiner.maxSize))
	}
	return confined, err
}

// onlyUnconfined is the hint for a client that a token with caveats may not do
// something.
const onlyUnconfined = "this needs a password, or an access token without caveats"

// restricted reports whether the client has a token that may only narrow what
// tokens can do: one with caveats, or none that was verified.
func (a *Auth) restricted() bool { return a != nil && (!a.verified || a.IsConfined()) }
