package discharge

import (
	"crypto/rand"
	"fmt"

	// The encryption of verification ids, as in libmacaroons. The standard library
	// has no XSalsa20-Poly1305.
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// Caveat is a third-party caveat to add to a macaroon.
type Caveat struct {
	// Location is a hint where to get the discharge. It is not signed. It may be
	// empty, except in tokens of an Onezone.
	Location string
	// Identifier tells the discharger what it has to check. The discharge has the
	// same identifier. It may hold any bytes, and holders of the macaroon see it.
	Identifier string
	// Key is the root key of the discharge. The discharger must find it from the
	// identifier.
	Key store.Secret
}

// Add returns a copy of the macaroon with the third-party caveat appended. It
// needs no root key of the macaroon, so any holder can add a caveat. The root key
// of the discharge is encrypted for the verifier in the verification id.
//
// Errors, with which no caveat is added:
//   - badValueEmpty {key "identifier" or "key"};
//   - limitReached for more than macaroon.DefaultMaxCaveats caveats;
//   - badToken for the zero Macaroon;
//   - the operational error [store.ErrSealed] for a sealed key.
func Add(m general.Macaroon, c Caveat) (general.Macaroon, error) {
	switch {
	case m.IsZero():
		return general.Macaroon{}, errors.BadToken("it is empty")
	case c.Key.IsZero():
		return general.Macaroon{}, errors.BadValueEmpty("key")
	case c.Key.IsSealed():
		return general.Macaroon{}, fmt.Errorf("adding a third-party caveat: %w", store.ErrSealed)
	}
	return m.AddThirdParty(general.Caveat{
		Text: c.Identifier, VerificationID: sealKey(m.Signature(), mac.Derive(c.Key.Reveal())), Location: c.Location,
	})
}

const (
	nonceSize = 24
	// vidSize is the size of every verification id.
	vidSize = nonceSize + secretbox.Overhead + mac.Size
)

// sealKey encrypts the root key of a discharge under the signature of the
// macaroon before the caveat.
func sealKey(signature, root [mac.Size]byte) (vid string) {
	var nonce [nonceSize]byte
	_, _ = rand.Read(nonce[:]) // never fails
	return string(secretbox.Seal(nonce[:], root[:], &nonce, &signature))
}

// openKey decrypts a verification id. ok is false if it is not one, or if it was
// not encrypted under the signature.
func openKey(signature [mac.Size]byte, vid string) (root [mac.Size]byte, ok bool) {
	if len(vid) != vidSize {
		return root, false
	}
	var box [vidSize]byte
	copy(box[:], vid)
	_, ok = secretbox.Open(root[:0], box[nonceSize:], (*[nonceSize]byte)(box[:nonceSize]), &signature)
	return root, ok
}
