package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// recordID identifies the record that a secret belongs to.
type recordID struct {
	kind    store.RecordKind
	id      string // of a token
	subject caveat.Subject
	digest  digest // of a token; zero if only its key is looked up
	owned   digest // of what the owner of a token added; zero if that is nothing
}

// version returns the version of the envelope for the record.
func (p recordID) version() byte {
	if !p.owned.isZero() {
		return version3
	}
	return version2
}

// digest is a SHA-256.
type digest [sha256.Size]byte

func (d digest) isZero() bool { return d == digest{} }

// digestOf returns the digest of all fields from which the text of the token is
// rebuilt, and of its parent. Each text follows its length, so records with
// different tokens have different input.
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
	if t.Parent != "" {
		b = appendText(b, t.Parent)
	}
	return sha256.Sum256(b)
}

// digestOfOwner returns the digest of what the owner of a token added to its
// record, which a verification reads with the key. It is zero for nothing.
func digestOfOwner(tightened []store.OwnerCaveat, bait store.Bait) digest {
	if len(tightened) == 0 && bait == 0 {
		return digest{}
	}
	b := append(make([]byte, 0, 256), byte(bait))
	for _, c := range tightened {
		b = appendText(binary.BigEndian.AppendUint64(b, uint64(c.Added)), c.Text)
	}
	return sha256.Sum256(b)
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(text))), text...)
}

func recordIDOfToken(t *store.Token) recordID {
	return recordID{store.TokenRecords, t.ID, t.Subject, digestOf(t), digestOfOwner(t.Tightened, t.Bait)}
}

// recordIDOfKey identifies a named token of which only the key is read. Only the
// digest of what its owner added is compared.
func recordIDOfKey(id string, key store.Key) recordID {
	return recordID{kind: store.TokenRecords, id: id, subject: key.Subject, owned: digestOfOwner(key.Tightened, key.Bait)}
}

func recordIDOfTemporary(subject caveat.Subject) recordID {
	return recordID{kind: store.TemporaryRecords, subject: subject}
}

func recordIDOfIdentity(subject caveat.Subject) recordID {
	return recordID{kind: store.IdentityRecords, subject: subject}
}

// additionalData returns the authenticated data, which is unique for each
// record and version of the envelope. Version 1 begins with a kind, which is
// never 0.
func (p recordID) additionalData(version byte) []byte {
	b := make([]byte, 0, 64)
	if version != version1 {
		b = append(b, 0, version)
	}
	b = append(b, byte(p.kind), byte(p.subject.Type))
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.id)))
	b = append(b, p.id...)
	return append(b, p.subject.ID...)
}

func (p recordID) String() string {
	switch {
	case p == recordIDOfTemporary(sealing.Canary()):
		return "the canary of the store"
	case p.kind == store.IdentityRecords:
		return fmt.Sprintf("the identity %q", p.subject)
	case p.kind == store.TemporaryRecords:
		return fmt.Sprintf("the temporary tokens of %q", p.subject)
	}
	return fmt.Sprintf("the named token %q", p.id)
}
