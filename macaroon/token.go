package macaroon

import (
	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// Token is one token, as it was parsed or made: an immutable value that may be
// copied and shared. The zero Token is no token; it never verifies.
//
// A Token is a credential. [Token.String] returns all of it; every other way to
// print one (fmt, slog, encoding/json) shows what it is and leaves the
// signature out.
//
// Until a token is verified, everything it says is a claim.
type Token struct {
	// The packets, nil of the zero Token. A pointer, because fmt prints the
	// fields of a struct that holds a Token in an unexported field without asking
	// Format, and then shows an address; nothing else here is confidential.
	raw *string

	location   string
	identifier identifier
	caveats    []string
	third      []wire.ThirdParty // of the caveats that need a discharge
	indicated  caveat.ServiceType
}

// body is what the fields of a Token point to, with room for the caveats that
// most have, so that reading one takes two allocations.
type body struct {
	raw string
	few [4]string
}

// Limits bounds what a parser accepts. The zero value of a field stands for its
// default.
type Limits struct {
	MaxSize    int // bytes of text; DefaultMaxSize
	MaxCaveats int // caveats in one token; DefaultMaxParsedCaveats
}

// Defaults of [Limits].
const (
	DefaultMaxSize          = 1 << 20 // bytes
	DefaultMaxParsedCaveats = 4096
)

func (l Limits) maxSize() int {
	if l.MaxSize <= 0 {
		return DefaultMaxSize
	}
	return l.MaxSize
}

func (l Limits) maxCaveats() int {
	if l.MaxCaveats <= 0 {
		return DefaultMaxParsedCaveats
	}
	return l.MaxCaveats
}

// Parse reads the text of a token under the default limits; see [Limits.Parse].
func Parse(text string) (Token, error) { return Limits{}.Parse(text) }

// Parse reads the text of a token: letters and digits, with "opw-" or "opp-" in
// front where a Oneprovider's service presents it. The plain base64 of old
// tokens is read too, in either alphabet, padded or not. Caveats are not looked
// at; nothing is verified.
//
// The error is tokenTooLarge {limit} for a text over the limit, whatever it
// holds, and badToken for everything that no Onezone could have printed; its
// description says what is wrong.
func (l Limits) Parse(text string) (Token, error) {
	var t Token
	if err := l.parse(text, &t, new(body)); err != nil {
		return Token{}, err
	}
	return t, nil
}

// parse reads the text into a zero Token, whose fields will point to the body.
func (l Limits) parse(text string, t *Token, b *body) error {
	if len(text) > l.maxSize() {
		return errors.TokenTooLarge(l.maxSize())
	}
	text, indicated, ok := cutIndication(text)
	if !ok {
		return errors.BadToken(`it is marked for a service other than "opw-" and "opp-"`)
	}
	if text == "" {
		return errors.BadToken("it is empty")
	}
	if b.raw, ok = wire.Decode(text); !ok {
		return errors.BadToken("it is neither in the printable form of tokens nor plain base64")
	}
	t.indicated = indicated
	if problem := t.read(b, l.maxCaveats()); problem != "" {
		return errors.BadToken(problem)
	}
	return nil
}

// read takes over what the packets of the body say, or says what is wrong with
// them.
func (t *Token) read(b *body, maxCaveats int) (problem string) {
	m, bad := wire.Parse(b.raw, b.few[:0], maxCaveats)
	if bad != "" {
		return string(bad)
	}
	t.raw, t.location, t.caveats, t.third = &b.raw, m.Location, m.Caveats, m.ThirdParty
	return t.identifier.read(m.Identifier)
}

// indicationSize is the size of "opw-".
const indicationSize = 4

// cutIndication takes the mark of the presenting service off the text. A text
// without a hyphen in that place has none.
func cutIndication(text string) (rest string, t caveat.ServiceType, ok bool) {
	if len(text) < indicationSize || text[indicationSize-1] != '-' {
		return text, 0, true
	}
	t, err := caveat.ParseServiceType(text[:indicationSize-1])
	return text[indicationSize:], t, err == nil && canIndicate(t)
}

func canIndicate(t caveat.ServiceType) bool { return t == caveat.OpWorker || t == caveat.OpPanel }

// String returns the text of the token, without the mark of a presenting
// service: what a client sends in X-Auth-Token. It is the whole credential.
func (t Token) String() string {
	if t.IsZero() {
		return ""
	}
	return wire.Encode(*t.raw)
}

// IndicatedBy returns the text of the token as the given service of a
// Oneprovider presents it, with "opw-" or "opp-" in front. The mark is not
// signed. The error is badValueNotAllowed {key "service"} for another service,
// and badToken for the zero Token.
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

// Version is the version of the identifier: 1 for tokens of old Onezones, which
// say nothing of their subject and type, or 2.
func (t Token) Version() int { return t.identifier.version }

// Domain is the domain of the Onezone that issued the token. It is not signed,
// and nothing is decided by it.
func (t Token) Domain() string { return t.location }

// ID is the id of the token. The copies that come of confining a token share it.
func (t Token) ID() string { return t.identifier.id }

// Generation is the generation of the secret of a temporary token, from 1, and
// 0 for a named token.
func (t Token) Generation() int64 { return t.identifier.generation }

// Subject is the party that the token speaks for. It is [caveat.Nobody] for
// version 1, where only the record of the token knows it.
func (t Token) Subject() caveat.Subject { return t.identifier.subject }

// Type is what the token is for.
func (t Token) Type() Type { return t.identifier.typ }

// Indicated is the service that presents the token by its "opw-" or "opp-", a
// hint that nobody signed; zero: none.
func (t Token) Indicated() caveat.ServiceType { return t.indicated }

// Caveats returns the texts of the token's first-party caveats, in order.
// [caveat.Parse] reads them.
func (t Token) Caveats() []string {
	texts := make([]string, 0, len(t.caveats))
	third := t.third
	for i, text := range t.caveats {
		if len(third) > 0 && third[0].Index == i {
			third = third[1:]
			continue
		}
		texts = append(texts, text)
	}
	return texts
}

// Signature returns a copy of the 32 bytes of the signature. Whoever has it and
// the rest of the token can confine the token and use it.
func (t Token) Signature() []byte { return []byte(t.signature()) }

func (t *Token) signature() string {
	if t.raw == nil {
		return ""
	}
	return wire.Signature(*t.raw)
}

// Expiry returns the earliest time caveat of the token in Unix seconds; ok is
// false where it has none.
func (t Token) Expiry() (validUntil int64, ok bool) {
	return caveat.Expiry(understood(t.Caveats(), nil))
}

// understood returns the caveats as the vocabulary reads their texts.
func understood(texts []string, v *caveat.Vocabulary) []caveat.Caveat {
	cs := make([]caveat.Caveat, len(texts))
	for i, text := range texts {
		cs[i], _ = v.Parse(text) // an unknown one is shown as such
	}
	return cs
}
