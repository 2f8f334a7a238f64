package macaroon

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// Inherit returns a copy of the token that a client may be given: it also
// carries the caveats of the client's own token, parent, after those it has.
// Caveats whose exact text the token has already are not added again; a nil
// parent stands for a client without a token, and adds nothing. The binding of
// the parent to a session is not inherited.
//
// [Authority.Issue] and [Authority.IssueNamed] do this for [Grant].Parent.
// Applications that show tokens of [Authority.Get] and its siblings to clients
// should call it themselves: a client must not escape the caveats of its token
// by reading another one.
//
// Errors: forbidden, with a hint that says why, for a caveat of a type that
// tokens of this type do not support, and where the copy would be larger than a
// new token may be; unauthorized without details for the zero Auth, which
// proves nothing; badToken for the zero Token.
func (a *Authority) Inherit(t Token, parent *Auth) (Token, error) {
	switch {
	case parent == nil:
		return t, nil
	case !parent.verified:
		return Token{}, errors.Unauthorized(nil)
	case t.IsZero():
		return Token{}, errors.BadToken("it is empty")
	}
	limit := a.confiner.maxCaveats
	var missing []string
	cs := parent.Caveats()
	for i, text := range parent.caveats.Texts() {
		if slices.Contains(t.caveats, text) || slices.Contains(missing, text) {
			continue
		}
		if typ := cs[i].Type(); !typ.SupportedBy(t.Type().use(false)) {
			return Token{}, errors.Forbidden(fmt.Sprintf(
				"the access token of the request has a caveat of the type %s, which %s tokens cannot carry", typ, t.Type().Class()))
		}
		// A clone, because a record must not keep the client's whole token.
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
