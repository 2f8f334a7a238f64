package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// place is the record that a secret belongs to.
type place struct {
	kind    store.RecordKind
	id      string // of a token
	subject caveat.Subject
	digest  digest // of a token; zero where a verification looks up the key alone
}

// digest is the SHA-256 of all in the record of a named token that its text is
// made from again, besides the secret.
type digest [sha256.Size]byte

func (d digest) isZero() bool { return d == digest{} }

// digestOf returns the digest of the record. No two records with different
// tokens have the same input: each text follows its length.
func digestOf(t *store.Token) digest {
	b := make([]byte, 0, 512)
	b = binary.BigEndian.AppendUint64(b, uint64(t.Version))
	b = append(b, byte(t.Subject.Type))
	for _, text := range []string{t.Subject.ID, t.ID, t.Type} {
		b = appendText(b, text)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(len(t.Caveats)))
	for _, text := range t.Caveats {
		b = appendText(b, text)
	}
	return sha256.Sum256(b)
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(text))), text...)
}

func placeOfToken(t *store.Token) place {
	return place{store.TokenRecords, t.ID, t.Subject, digestOf(t)}
}

// placeOfKey is the place of the secret of a named token whose record is not
// read: its digest is not compared.
func placeOfKey(id string, subject caveat.Subject) place {
	return place{kind: store.TokenRecords, id: id, subject: subject}
}

func placeOfTemporary(subject caveat.Subject) place {
	return place{kind: store.TemporaryRecords, subject: subject}
}

func placeOfIdentity(subject caveat.Subject) place {
	return place{kind: store.IdentityRecords, subject: subject}
}

// additional is what no two places have in common, and no two versions of the
// envelope: the byte that begins it in version 1 is a kind, which is not 0.
func (p place) additional(version byte) []byte {
	b := make([]byte, 0, 64)
	if version != version1 {
		b = append(b, 0, version)
	}
	b = append(b, byte(p.kind), byte(p.subject.Type))
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.id)))
	b = append(b, p.id...)
	return append(b, p.subject.ID...)
}

func (p place) String() string {
	switch {
	case p == placeOfTemporary(sealing.Canary()):
		return "the canary of the store"
	case p.kind == store.IdentityRecords:
		return fmt.Sprintf("the identity %q", p.subject)
	case p.kind == store.TemporaryRecords:
		return fmt.Sprintf("the temporary tokens of %q", p.subject)
	}
	return fmt.Sprintf("the named token %q", p.id)
}
