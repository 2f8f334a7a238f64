package macaroon

import (
	"cmp"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// Token is a parsed or minted token. It is an immutable value that may be
// copied and shared. The zero Token never verifies.
//
// A Token is a credential. [Token.String] returns its whole text. Printing it
// with fmt or slog, or marshaling it to JSON, omits the signature.
//
// The content of a token is untrusted until the token has been verified.
type Token struct {
	// The packets; nil in the zero Token. This is a pointer because fmt prints
	// unexported fields of an enclosing struct without calling Format, and then
	// shows only the address. The other fields are not confidential.
	raw *string

	location   string
	identifier identifier
	caveats    []string
	thirdParty []wire.ThirdParty // of the caveats that need a discharge
	indicated  caveat.ServiceType
}

// body is the memory that the fields of a Token refer to. It has room for four
// caveats, enough for most tokens, so that parsing takes two allocations.
type body struct {
	raw string
	few [4]string
}

// Limits bound the tokens that a parser accepts. Zero fields mean the defaults.
type Limits struct {
	MaxSize    int // length of the text in bytes; default: DefaultMaxSize
	MaxCaveats int // caveats in one token; default: 4096
}

// DefaultMaxSize is the default limit on the text of a token, in bytes.
const DefaultMaxSize = 1 << 20

func (l Limits) maxSize() int    { return cmp.Or(max(l.MaxSize, 0), DefaultMaxSize) }
func (l Limits) maxCaveats() int { return cmp.Or(max(l.MaxCaveats, 0), wire.MaxCaveats) }

// Parse parses the text of a token under the default limits; see
// [Limits.Parse].
func Parse(text string) (Token, error) { return Limits{}.Parse(text) }

// Parse parses the text of a token without verifying it. The text consists of
// letters and digits, prefixed with "opw-" or "opp-" if a service of a
// Oneprovider presents it. Plain base64, the form of old tokens, is also
// accepted: in the standard or URL alphabet, with or without padding. The
// caveats are not parsed.
//
// The error is tokenTooLarge {limit} for a text longer than the limit, and
// badToken for a text that no Onezone could have issued. The description of
// badToken says what is wrong.
func (l Limits) Parse(text string) (Token, error) {
	var t Token
	if err := l.parse(text, &t, new(body)); err != nil {
		return Token{}, err
	}
	return t, nil
}

// parse parses the text into a zero Token, whose fields will refer to the body.
func (l Limits) parse(text string, t *Token, b *body) error {
	if len(text) > l.maxSize() {
		return errors.TokenTooLarge(l.maxSize())
	}
	text, indicated, ok := cutIndication(text)
	if !ok {
		return errors.BadToken(`its service prefix is neither "opw-" nor "opp-"`)
	}
	if text == "" {
		return errors.BadToken("it is empty")
	}
	if b.raw, ok = wire.Decode(text); !ok {
		return errors.BadToken("it is neither in the printable form of tokens nor plain base64")
	}
	t.indicated = indicated
	if problem := t.parse(b, l.maxCaveats()); problem != "" {
		return errors.BadToken(problem)
	}
	return nil
}

// parse sets the fields of t from the packets of the body. problem describes why
// the packets are not a token, "" if they are one.
func (t *Token) parse(b *body, maxCaveats int) (problem string) {
	m, bad := wire.Parse(b.raw, b.few[:0], maxCaveats)
	if bad != "" {
		return bad
	}
	t.raw, t.location, t.caveats, t.thirdParty = &b.raw, m.Location, m.Caveats, m.ThirdParty
	return t.identifier.parse(m.Identifier)
}

// indicationSize is the length of a service prefix such as "opw-".
const indicationSize = 4

// cutIndication splits the prefix that indicates the presenting service off the
// text. ok is false for an unknown prefix. A text without a hyphen at that
// position has no prefix.
func cutIndication(text string) (rest string, t caveat.ServiceType, ok bool) {
	if len(text) < indicationSize || text[indicationSize-1] != '-' {
		return text, 0, true
	}
	t, err := caveat.ParseServiceType(text[:indicationSize-1])
	return text[indicationSize:], t, err == nil && canIndicate(t)
}

func canIndicate(t caveat.ServiceType) bool { return t == caveat.OpWorker || t == caveat.OpPanel }

// String returns the whole text of the token, the value of the X-Auth-Token
// header. It is a credential. It does not include the prefix of a presenting
// service.
func (t Token) String() string {
	if t.IsZero() {
		return ""
	}
	return wire.Encode(*t.raw)
}

// IndicatedBy returns the text of the token with the prefix of a service,
// "opw-" or "opp-". A service of a Oneprovider presents its tokens in this
// form. The prefix is not signed. The error is badValueNotAllowed {key
// "service"} for other services, and badToken for the zero Token.
func (t Token) IndicatedBy(service caveat.ServiceType) (string, error) {
	switch {
	case !canIndicate(service):
		return "", errors.BadValueNotAllowed("service", caveat.OpWorker.String(), caveat.OpPanel.String())
	case t.IsZero():
		return "", errors.BadToken("it is empty")
	}
	return service.Short() + "-" + t.String(), nil
}

// IsZero reports whether this is the zero Token.
func (t Token) IsZero() bool { return t.raw == nil }

// Version returns the version of the identifier, 1 or 2. Version 1 is that of
// old Onezones; such tokens do not contain their subject and type.
func (t Token) Version() int { return t.identifier.version }

// Domain returns the domain of the issuing Onezone. It is not signed and must
// not be trusted.
func (t Token) Domain() string { return t.location }

// ID returns the id of the token. Confined copies of a token share its id.
func (t Token) ID() string { return t.identifier.id }

// Generation returns the generation of a temporary token's secret, from 1. It
// returns 0 for a named token.
func (t Token) Generation() int64 { return t.identifier.generation }

// Subject returns the subject on whose behalf the token acts. For version 1 it
// returns [caveat.Nobody]; only the record of such a token contains the
// subject.
func (t Token) Subject() caveat.Subject { return t.identifier.subject }

// Type returns the type of the token.
func (t Token) Type() Type { return t.identifier.typ }

// Indicated returns the service that the prefix "opw-" or "opp-" indicates,
// zero without a prefix. It is an unsigned hint.
func (t Token) Indicated() caveat.ServiceType { return t.indicated }

// Caveats returns the texts of the token's first-party caveats, in order. Parse
// them with [caveat.Parse].
func (t Token) Caveats() []string {
	texts := make([]string, 0, len(t.caveats))
	thirdParty := t.thirdParty
	for i, text := range t.caveats {
		if len(thirdParty) > 0 && thirdParty[0].Index == i {
			thirdParty = thirdParty[1:]
			continue
		}
		texts = append(texts, text)
	}
	return texts
}

// Signature returns a copy of the 32 bytes of the signature. Keep it secret:
// with the rest of the token it is the whole credential.
func (t Token) Signature() []byte { return []byte(t.signature()) }

func (t *Token) signature() string {
	if t.raw == nil {
		return ""
	}
	return wire.Signature(*t.raw)
}

// Expiry returns the earliest expiry among the token's time caveats, in Unix
// seconds. ok is false if it has no time caveat.
func (t Token) Expiry() (validUntil int64, ok bool) {
	var onezone *caveat.Vocabulary
	return onezone.ParseList(t.Caveats()).Expiry()
}
