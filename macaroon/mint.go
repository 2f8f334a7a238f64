package macaroon

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
	"github.com/onezone-go/onezone/store"
)

// DefaultMaxCaveats is the default limit on caveats in a new token.
const DefaultMaxCaveats = 256

// Spec holds the full content of a token to mint. Minting is deterministic: the
// same Spec and secret give the same bytes.
type Spec struct {
	Version    int            // 1 or 2; 0 means 2. Version 1 has no Generation, Subject and Type.
	Domain     string         // of the issuing Onezone
	ID         string         // not empty; without "/", spaces and control characters
	Generation int64          // generation of the secret of a temporary token, from 1; 0 for a named token
	Subject    caveat.Subject // a user or Oneprovider
	Type       Type
	Caveats    []caveat.Caveat
	Vocabulary *caveat.Vocabulary // of Caveats; nil: only those of Onezone
}

// Mint returns the token that the Spec describes, signed with the secret. It
// needs no store. [Token.Verify] is its counterpart.
//
// Errors:
//   - badValueEmpty {key "secret"};
//   - badValueDomain;
//   - badValueIdentifier {key "id"};
//   - badValueTooLow {key "generation"};
//   - badValueNotAllowed {key "version"};
//   - badValueTokenType {key "type"};
//   - tokenSubjectInvalid if the subject is neither a user nor a Oneprovider;
//   - those of [Token.Confine];
//   - the operational error [store.ErrSealed] for a sealed secret.
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
	b := new(body)
	texts, err := c.appendTexts(b.few[:0], s.Caveats)
	if err != nil {
		return Token{}, err
	}
	var h mac.Hasher
	var stack [1024]byte
	packets := wire.AppendPacket(stack[:0], "location", s.Domain)
	packets = wire.AppendPacket(packets, "identifier", id.text)
	return c.extend(Token{location: s.Domain, identifier: id}, b, packets, secret.Root().First(&h, id.text), texts)
}

// isDomain reports whether a location packet can hold the text.
func isDomain(domain string) bool {
	return domain != "" && !strings.Contains(domain, "\r") && !strings.Contains(domain, "\n") && wire.Fits("location", domain)
}

// identifier returns the identifier of the Spec, whose text parses to the same
// values.
func (s Spec) identifier() (identifier, error) {
	if err := s.checkIdentifier(); err != nil {
		return identifier{}, err
	}
	id := identifier{version: 2, generation: s.Generation, subject: s.Subject, typ: s.Type, id: s.ID}
	if s.Version == 1 {
		id = version1("", s.ID)
	}
	if id.text = id.format(); !wire.Fits("identifier", id.text) {
		return identifier{}, errors.BadValueIdentifier("id")
	}
	return id, nil
}

// checkIdentifier returns an error unless the Spec has a valid identifier.
func (s Spec) checkIdentifier() error {
	switch {
	case s.Version < 0 || s.Version > 2:
		return errors.BadValueNotAllowed("version", "1", "2")
	case s.Version == 1:
		var back identifier
		if problem := back.parse(s.ID); problem != "" || back != version1(s.ID, s.ID) {
			return errors.BadValueIdentifier("id")
		}
		return nil
	case !isHolder(s.Subject) || !isFragment(s.Subject.ID):
		return errors.TokenSubjectInvalid()
	case !s.Type.isComplete() || s.Type.param != "" && !isFragment(s.Type.param): // its session or target
		return errors.BadValueTokenType("type")
	case s.Generation < 0:
		return errors.BadValueTooLow("generation", 0)
	case !isFragment(s.ID):
		return errors.BadValueIdentifier("id")
	}
	return nil
}

// Confine returns a copy of the token with the caveats appended. It needs no
// secret. Caveats cannot be removed again. It accepts caveats of Onezone; for
// those of an application see [Token.ConfineIn].
//
// Errors; in each case no caveat is added:
//   - badValueCaveat {caveat} for a caveat that a new token may not carry (see
//     [caveat.Validate]);
//   - limitReached for more than [DefaultMaxCaveats] caveats;
//   - badToken for a caveat that is too long for a packet of 65535 bytes, and
//     for the zero Token;
//   - tokenTooLarge {limit} if the text would be longer than [DefaultMaxSize].
func (t Token) Confine(cs ...caveat.Caveat) (Token, error) {
	return confiner{}.confine(t, cs)
}

// ConfineIn is like [Token.Confine], for caveats of the given vocabulary. These
// are the caveats of Onezone and those of the application, which
// [caveat.Vocabulary.New] returns.
func (t Token) ConfineIn(v *caveat.Vocabulary, cs ...caveat.Caveat) (Token, error) {
	return confiner{vocabulary: v}.confine(t, cs)
}

// confiner adds caveats to tokens under its limits. Zero fields mean the
// defaults.
type confiner struct {
	vocabulary *caveat.Vocabulary
	maxCaveats int
	maxSize    int
}

func (c confiner) confine(t Token, cs []caveat.Caveat) (Token, error) {
	texts, err := c.appendTexts(nil, cs)
	switch {
	case err != nil:
		return Token{}, err
	case len(cs) == 0 && !t.IsZero():
		return t, nil
	}
	return c.confineText(t, texts)
}

// appendTexts appends the texts of the caveats. The error is that of a caveat
// that a new token may not carry.
func (c confiner) appendTexts(texts []string, cs []caveat.Caveat) ([]string, error) {
	texts = slices.Grow(texts, len(cs))
	for _, cv := range cs {
		text, err := c.vocabulary.Text(cv)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// ConfineText returns a copy of the token with the texts appended as caveats,
// unchanged. Errors: badValueCaveat for a text that is not a caveat of Onezone,
// such as a misspelled one; the limits of [Token.Confine].
func (t Token) ConfineText(texts ...string) (Token, error) {
	if t.IsZero() {
		return Token{}, errors.BadToken("it is empty")
	}
	for _, text := range texts {
		if _, err := caveat.Parse(text); err != nil {
			return Token{}, unknownCaveatText(text)
		}
	}
	return t.ConfineUnchecked(texts...)
}

func unknownCaveatText(text string) error {
	err := errors.BadValueCaveat(text)
	err.Description = "Bad value: provided caveat is not valid: its text is not a caveat of Onezone. " +
		"To add a caveat of an application, create it with its vocabulary and call ConfineIn."
	return err
}

// ConfineUnchecked returns a copy of the token with arbitrary texts appended as
// caveats, unchanged. A text that is not a caveat of Onezone, for instance
// because it is misspelled, makes a token that only an application with a
// matching vocabulary can verify. Use ConfineUnchecked only if that vocabulary
// is not available, and [Token.ConfineIn] otherwise. Errors: badValueCaveat for
// an empty text; the limits of [Token.Confine].
func (t Token) ConfineUnchecked(texts ...string) (Token, error) {
	return confiner{}.confineText(t, texts)
}

func (c confiner) confineText(t Token, texts []string) (Token, error) {
	if t.IsZero() {
		return Token{}, errors.BadToken("it is empty")
	}
	var stack [1024]byte
	packets := append(stack[:0], wire.Unsigned(*t.raw)...)
	b := new(body)
	texts = append(append(b.few[:0], t.caveats...), texts...) // never append into memory that another copy shares
	return c.extend(t, b, packets, signature([]byte(t.signature())), texts)
}

func tooManyCaveats(limit int) error { return errors.LimitReached(limit, "caveats in a token") }

// extend returns the token with the texts as its caveats, and signed. The texts
// begin with the caveats of t. packets are the packets of t without the
// signature, and link is the signature over them. The new token refers to the
// body.
func (c confiner) extend(t Token, b *body, packets []byte, link signature, texts []string) (Token, error) {
	limit := cmp.Or(c.maxCaveats, DefaultMaxCaveats)
	if len(texts) > limit {
		return Token{}, tooManyCaveats(limit)
	}
	var h mac.Hasher
	for _, text := range texts[len(t.caveats):] {
		switch {
		case text == "":
			return Token{}, errors.BadValueCaveat(text)
		case !wire.Fits("cid", text):
			return Token{}, errors.BadToken("a caveat is too long for a packet of 65535 bytes")
		}
		packets = wire.AppendPacket(packets, "cid", text)
		link = h.Sum(&link, text)
	}
	b.raw = string(wire.AppendPacket(packets, "signature", string(link[:])))
	t.raw, t.caveats = &b.raw, texts
	// Escapes at most double the length of the base64 text, so the text is
	// encoded, to measure it, only if it could exceed the limit.
	most := Limits{MaxSize: c.maxSize}.maxSize()
	if len(b.raw)*8/3+8 > most && len(t.String()) > most {
		return Token{}, errors.TokenTooLarge(most)
	}
	return t, nil
}
