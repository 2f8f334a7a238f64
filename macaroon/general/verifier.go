package general

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/recognition"
	"github.com/onezone-go/onezone/store"
)

// Keys finds the root key of a macaroon by its identifier, which is not verified
// yet. The error is notFound for an unknown macaroon. Other errors are
// operational.
type Keys func(ctx context.Context, m Macaroon) (store.Secret, error)

// Verifier verifies the texts of macaroons, whose root keys it looks up. It
// recognizes macaroons that it has verified before, as an [macaroon.Authority]
// does: it does not compute their signature again, but looks up the key and
// decides the caveats each time. It is safe for concurrent use.
type Verifier struct {
	keys    Keys
	options Options
	memory  *recognition.Memory[verified]
}

// verified is a macaroon whose signature has verified under the secret.
type verified struct {
	macaroon Macaroon
	caveats  caveat.List
	secret   store.Secret
}

// Format prints "[redacted]" for every verb.
func (*verified) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// NewVerifier returns a verifier that accepts what [Options.Parse] accepts. It
// remembers [macaroon.DefaultRecognizedTokens] macaroons, in at most
// [macaroon.DefaultRecognizedBytes]. The error is badValueEmpty {key "keys"}.
func NewVerifier(keys Keys, o Options) (*Verifier, error) {
	if keys == nil {
		return nil, errors.BadValueEmpty("keys")
	}
	memory := recognition.New[verified](macaroon.DefaultRecognizedTokens, macaroon.DefaultRecognizedBytes)
	return &Verifier{keys: keys, options: o, memory: memory}, nil
}

// Verify parses the text of a macaroon, looks up its key, and makes the checks of
// [Macaroon.Verify]. It returns the macaroon and its caveats.
//
// Errors: those of [Options.Parse] and [Macaroon.Verify], where tokenInvalid also
// means a macaroon without a key; an operational error of the Keys.
func (v *Verifier) Verify(ctx context.Context, text string, req caveat.Request) (Macaroon, caveat.List, error) {
	m, caveats, err := v.verify(ctx, text, &req)
	if err != nil {
		return Macaroon{}, caveat.List{}, err
	}
	return m, caveats, nil
}

func (v *Verifier) verify(ctx context.Context, text string, req *caveat.Request) (m Macaroon, caveats caveat.List, err error) {
	presented := v.memory.Present(text)
	known := v.memory.Find(presented)
	if known != nil {
		m = known.macaroon
	} else if m, err = v.options.Parse(text); err != nil {
		return m, caveats, err
	}
	key, err := v.key(ctx, m)
	if err != nil {
		return m, caveats, err
	}
	if known != nil && !known.secret.Equal(key) {
		v.memory.Remove(func(e *verified) bool { return e == known })
		known = nil
	}
	if known == nil && !m.isGenuine(key) {
		return m, caveats, errors.TokenInvalid()
	}
	if known != nil && known.caveats.Vocabulary() == req.Vocabulary {
		caveats = known.caveats
	} else {
		caveats = req.Vocabulary.ParseList(m.content.Caveats)
	}
	if known == nil && v.memory.ShouldAdd(presented) {
		v.memory.Add(presented, len(text)+caveats.Size(), func(e *verified) { *e = verified{m, caveats, key} })
	}
	_, err = caveats.Check(ctx, caveat.UseAccess, req)
	return m, caveats, err
}

// key looks up the root key. For a macaroon without one, the signature is computed
// under a random key, so that the time of the answer does not tell which
// identifiers exist.
func (v *Verifier) key(ctx context.Context, m Macaroon) (store.Secret, error) {
	key, err := v.keys(ctx, m)
	switch {
	case errors.Is(err, errors.IDNotFound):
		m.isGenuine(unknownKey())
		return store.Secret{}, errors.TokenInvalid()
	case err != nil:
		return store.Secret{}, fmt.Errorf("looking up the root key of a macaroon: %w", err)
	case key.IsSealed():
		return store.Secret{}, fmt.Errorf("verifying a macaroon: %w", store.ErrSealed)
	}
	return key, nil
}

// unknownKey returns a key that has signed nothing, random in each process.
var unknownKey = sync.OnceValue(func() store.Secret { return store.NewSecret(rand.Text()) })
