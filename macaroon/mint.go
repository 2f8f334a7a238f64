package macaroon

import (
	"fmt"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
	"github.com/onezone-go/onezone/store"
)

// DefaultMaxCaveats is how many caveats a new token may carry.
const DefaultMaxCaveats = 256

// Spec says all that goes into a token; minting the same Spec twice with one
// secret gives the same bytes.
type Spec struct {
	Version    int            // 2, or 1 for a token without Generation, Subject and Type; 0: 2
	Domain     string         // of the Onezone that issues it
	ID         string         // not empty, no "/", spaces and control characters
	Generation int64          // of a temporary token's secret, from 1; 0: the token is named
	Subject    caveat.Subject // a user or Oneprovider
	Type       Type
	Caveats    []caveat.Caveat
	Vocabulary *caveat.Vocabulary // of the application, for its own kinds of Caveats; nil: Onezone's alone
}

// Mint makes the token that the Spec describes, signed with the secret. It is
// the counterpart of [Token.Verify]: between the two no store is needed.
//
// Errors: badValueEmpty {key "secret"}; badValueDomain; badValueIdentifier {key
// "id"}; badValueTooLow {key "generation"}; badValueNotAllowed {key "version"};
// badValueTokenType {key "type"}; tokenSubjectInvalid where the subject is no
// user or Oneprovider; those of [Token.Confine]. A sealed secret is the operational
// error [store.ErrSealed].
func Mint(s Spec, secret store.Secret) (Token, error) {
	return confiner{vocabulary: s.Vocabulary}.mint(s, secret)
}

func (c confiner) mint(s Spec, secret store.Secret) (Token, error) {
	if secret.IsZero() {
		return Token{}, errors.BadValueEmpty("secret")
	}
	if secret.IsSealed() {
		return Token{}, fmt.Errorf("signing a token: %w", store.ErrSealed)
	}
	if !isDomain(s.Domain) {
		return Token{}, errors.BadValueDomain()
	}
	id, err := s.identifier()
	if err != nil {
		return Token{}, err
	}
	texts, err := c.texts(s.Caveats)
	if err != nil {
		return Token{}, err
	}
	var h mac.Hasher
	var stack [1024]byte
	packets := wire.AppendPacket(stack[:0], "location", s.Domain)
	packets = wire.AppendPacket(packets, "identifier", id.text)
	return c.extend(Token{location: s.Domain, identifier: id}, packets, secret.Root().First(&h, id.text), texts)
}

// isDomain reports whether a token can carry the text as its location.
func isDomain(domain string) bool {
	return domain != "" && !strings.ContainsAny(domain, "\r\n") && wire.Fits("location", domain)
}

// identifier builds the identifier and makes sure that it reads back as what
// the Spec says.
func (s Spec) identifier() (identifier, error) {
	id := identifier{version: 2, generation: s.Generation, subject: s.Subject, typ: s.Type, id: s.ID}
	if s.Version == 1 {
		id = version1("", s.ID)
	}
	id.text = id.print()
	var back identifier
	problem := back.read(id.text)
	known := 0 <= s.Version && s.Version <= 2
	if known && problem == "" && back == id && wire.Fits("identifier", id.text) {
		return id, nil
	}
	return identifier{}, s.problem()
}

// problem says what in a Spec makes it impossible to write an identifier.
func (s Spec) problem() error {
	switch {
	case s.Version < 0 || s.Version > 2:
		return errors.BadValueNotAllowed("version", "1", "2")
	case s.Version == 1:
		return errors.BadValueIdentifier("id")
	case !isHolder(s.Subject) || strings.Contains(s.Subject.ID, "/") || !isPlain(s.Subject.ID):
		return errors.TokenSubjectInvalid()
	case !s.Type.issuable():
		return errors.BadValueTokenType("type")
	case s.Generation < 0:
		return errors.BadValueTooLow("generation", 0)
	}
	return errors.BadValueIdentifier("id")
}

// Confine returns a copy of the token that carries the caveats as well, after
// those it has. No secret is needed; caveats are only ever added. They are those
// of the Onezone language; for those of an application see [Token.ConfineIn].
//
// Errors: badValueCaveat {caveat} for a caveat that may not enter a new token
// ([caveat.Validate]); limitReached for more than [DefaultMaxCaveats] caveats;
// badToken for a caveat that is too long for a packet (65535 bytes), and for the
// zero Token; tokenTooLarge {limit} where the text would be longer than [DefaultMaxSize].
// In each case nothing is added at all.
func (t Token) Confine(cs ...caveat.Caveat) (Token, error) {
	return confiner{}.confine(t, cs)
}

// ConfineIn is [Token.Confine] for caveats of the vocabulary: the kinds that the
// application added, made by [caveat.Vocabulary.New], and those of Onezone.
func (t Token) ConfineIn(v *caveat.Vocabulary, cs ...caveat.Caveat) (Token, error) {
	return confiner{vocabulary: v}.confine(t, cs)
}

// confiner adds caveats under limits of its own. Zero values stand for the
// defaults.
type confiner struct {
	vocabulary *caveat.Vocabulary
	maxCaveats int
	maxSize    int
}

func (c confiner) confine(t Token, cs []caveat.Caveat) (Token, error) {
	texts, err := c.texts(cs)
	switch {
	case err != nil:
		return Token{}, err
	case len(cs) == 0 && !t.IsZero():
		return t, nil
	}
	return c.confineText(t, texts)
}

// texts returns what the caveats read in a token, if they may all enter one.
func (c confiner) texts(cs []caveat.Caveat) (texts []string, err error) {
	if len(cs) > 0 {
		texts = make([]string, len(cs))
	}
	for i, cv := range cs {
		if texts[i], err = c.vocabulary.Text(cv); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// ConfineText returns a copy of the token with the texts added as caveats, as
// they are. Errors: badValueCaveat for a text that is not of the Onezone
// language, such as a misspelled one, and the limits of [Token.Confine].
func (t Token) ConfineText(texts ...string) (Token, error) {
	if t.IsZero() {
		return Token{}, errors.BadToken("it is empty")
	}
	for _, text := range texts {
		if _, err := caveat.Parse(text); err != nil {
			return Token{}, notInLanguage(text)
		}
	}
	return t.ConfineUnchecked(texts...)
}

func notInLanguage(text string) error {
	err := errors.BadValueCaveat(text)
	err.Description = "Bad value: provided caveat is not valid: its text is not of the Onezone language. " +
		"Caveats of an application are made by its vocabulary and added with ConfineIn."
	return err
}

// ConfineUnchecked returns a copy of the token with any texts added as caveats,
// as they are. A text that is not of the Onezone language, be it an application's
// or misspelled, makes a token that only an application with that language can
// verify: use it where the vocabulary of that application is not at hand, and
// [Token.ConfineIn] where it is. Errors: badValueCaveat for an empty text, and
// the limits of [Token.Confine].
func (t Token) ConfineUnchecked(texts ...string) (Token, error) {
	return confiner{}.confineText(t, texts)
}

func (c confiner) confineText(t Token, texts []string) (Token, error) {
	if t.IsZero() {
		return Token{}, errors.BadToken("it is empty")
	}
	var stack [1024]byte
	packets := append(stack[:0], wire.Unsigned(*t.raw)...)
	return c.extend(t, packets, signature([]byte(t.signature())), texts)
}

func tooManyCaveats(limit int) error { return errors.LimitReached(limit, "caveats in a token") }

// extend returns the token with the texts added as caveats to its packets, which
// lack the signature, and signed: link is the signature that they have so far.
func (c confiner) extend(t Token, packets []byte, link signature, texts []string) (Token, error) {
	limit := c.maxCaveats
	if limit <= 0 {
		limit = DefaultMaxCaveats
	}
	if len(t.caveats)+len(texts) > limit {
		return Token{}, tooManyCaveats(limit)
	}
	var h mac.Hasher
	for _, text := range texts {
		switch {
		case text == "":
			return Token{}, errors.BadValueCaveat(text)
		case !wire.Fits("cid", text):
			return Token{}, errors.BadToken("a caveat is too long for a packet of 65535 bytes")
		}
		packets = wire.AppendPacket(packets, "cid", text)
		link = h.Sum(&link, text)
	}
	b := &body{raw: string(wire.AppendPacket(packets, "signature", string(link[:])))}
	t.raw = &b.raw
	t.caveats = append(append(b.few[:0], t.caveats...), texts...) // never into the memory of another copy
	// Only a text that is long even without escapes, which at worst double it,
	// is worth printing to see how long it is.
	most := Limits{MaxSize: c.maxSize}.maxSize()
	if len(b.raw)*8/3+8 > most && len(t.String()) > most {
		return Token{}, errors.TokenTooLarge(most)
	}
	return t, nil
}
