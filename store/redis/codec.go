package redis

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// A value begins with its revision, which is random for each write, so values
// with the same revision are equal. The format and the fields follow; the
// fields that a verification needs come first. Earlier releases read only the
// first format, so they reject a token whose owner added caveats to its record.
const (
	revisionSize = 8
	format       = 1 // of all values, except:
	ownedFormat  = 2 // of a named token with caveats of its owner, a bait or a parent
)

// errFormat is the error of a value that this package did not write.
var errFormat = errors.New("a value in the server is damaged or has an unknown format")

// revision returns the revision of the value, or "" for no value.
func revision(value string) string { return value[:min(len(value), revisionSize)] }

// writer encodes a value.
type writer struct{ b []byte }

func newWriter() *writer { return newWriterOf(format) }

func newWriterOf(format byte) *writer {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 256), rand.Uint64())
	return &writer{append(b, format)}
}

func (w *writer) number(n int64) { w.b = binary.AppendVarint(w.b, n) }

func (w *writer) flag(set bool) {
	if set {
		w.number(1)
	} else {
		w.number(0)
	}
}

func (w *writer) text(s string) {
	w.number(int64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) texts(list []string) {
	w.number(int64(len(list)))
	for _, s := range list {
		w.text(s)
	}
}

func (w *writer) value() string { return string(w.b) }

// reader decodes a value. After the first error all fields are zero.
type reader struct {
	rest string
	bad  bool
}

func newReader(value string) reader {
	r, of := newReaderOf(value)
	r.bad = r.bad || of != format
	return r
}

// newReaderOf also returns the format of the value.
func newReaderOf(value string) (r reader, format byte) {
	r.rest = value
	r.take(revisionSize)
	if head := r.take(1); head != "" {
		format = head[0]
	}
	return r, format
}

// take returns the next n bytes.
func (r *reader) take(n int64) string {
	if r.bad || n < 0 || n > int64(len(r.rest)) {
		r.bad = true
		return ""
	}
	head := r.rest[:n]
	r.rest = r.rest[n:]
	return head
}

func (r *reader) number() int64 {
	var head [binary.MaxVarintLen64]byte
	n, size := binary.Varint(head[:copy(head[:], r.rest)])
	if size <= 0 {
		r.bad = true
	}
	r.take(int64(size))
	if r.bad {
		return 0
	}
	return n
}

func (r *reader) flag() bool { return r.number() == 1 }

func (r *reader) text() string { return r.take(r.number()) }

// count reads the number of the following elements, which have at least the
// given size.
func (r *reader) count(size int) int {
	n := r.number()
	if n < 0 || n > int64(len(r.rest)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}

// texts reads a list, nil if it is empty.
func (r *reader) texts() (list []string) {
	for range r.count(1) {
		list = append(list, r.text())
	}
	return list
}

func (r *reader) subject() caveat.Subject {
	subject, err := caveat.ParseSubject(r.text())
	r.bad = r.bad || err != nil
	return subject
}

func (r *reader) err() error {
	if r.bad {
		return errFormat
	}
	return nil
}

func encodeToken(t store.Token) string {
	w, owned := newWriter(), len(t.Tightened) > 0 || t.Bait != 0 || t.Parent != ""
	if owned {
		w = newWriterOf(ownedFormat)
	}
	w.flag(t.Revoked)
	w.text(t.Secret.Reveal())
	w.text(t.Subject.String())
	w.number(int64(len(t.RevokedTails)))
	for _, tail := range t.RevokedTails {
		w.b = append(w.b, tail[:]...)
	}
	if owned {
		w.number(int64(len(t.Tightened)))
		for _, c := range t.Tightened {
			w.text(c.Text)
			w.number(c.Added)
		}
		w.number(int64(t.Bait))
		w.text(t.Parent)
	}

	w.text(t.Name)
	w.number(int64(t.Version))
	w.text(t.Type)
	w.texts(t.Caveats)
	w.number(t.Created)
	w.flag(t.Custom != nil)
	w.text(string(t.Custom))
	w.flag(t.Privileges != nil)
	w.texts(t.Privileges)
	w.number(t.UsageLimit)
	w.number(t.UsageCount)
	return w.value()
}

// decodeKey returns the key of a named token without the status of its holder.
func decodeKey(value string) (store.Key, error) {
	k, _, r := readHead(value)
	return k, r.err()
}

// readHead reads the first fields of a named token: its key and its parent. The
// reader continues with the other fields.
func readHead(value string) (k store.Key, parent string, r reader) {
	r, of := newReaderOf(value)
	r.bad = r.bad || of != format && of != ownedFormat
	k.Revoked = r.flag()
	k.Secret = store.NewSecret(r.text())
	k.Subject = r.subject()
	if n := r.count(len(store.Tail{})); n > 0 {
		k.RevokedTails = make([]store.Tail, n)
		for i := range k.RevokedTails {
			copy(k.RevokedTails[i][:], r.take(int64(len(store.Tail{}))))
		}
	}
	if of == ownedFormat {
		for range r.count(2) {
			k.Tightened = append(k.Tightened, store.OwnerCaveat{Text: r.text(), Added: r.number()})
		}
		bait := r.number()
		r.bad = r.bad || bait < 0 || bait > int64(store.BaitRevokesFamily)
		k.Bait, parent = store.Bait(bait), r.text()
	}
	return k, parent, r
}

func decodeToken(id, value string) (store.Token, error) {
	k, parent, r := readHead(value)
	t := store.Token{
		ID: id, Subject: k.Subject, Secret: k.Secret, Revoked: k.Revoked, RevokedTails: k.RevokedTails,
		Tightened: k.Tightened, Bait: k.Bait, Parent: parent,
		Name: r.text(), Version: int(r.number()), Type: r.text(), Caveats: r.texts(), Created: r.number(),
	}
	if hasCustom, custom := r.flag(), r.text(); hasCustom {
		t.Custom = []byte(custom)
	}
	if hasPrivileges, privileges := r.flag(), r.texts(); hasPrivileges {
		t.Privileges = append([]string{}, privileges...) // not nil
	}
	t.UsageLimit, t.UsageCount = r.number(), r.number()
	return t, r.err()
}

func encodeIdentity(i store.Identity) string {
	w := newWriter()
	w.flag(i.Blocked)
	w.text(i.Username)
	w.text(i.FullName)
	w.text(i.Password.Reveal())
	w.number(i.Created)
	if len(i.Rights) > 0 { // earlier releases read records without rights
		w.texts(i.Rights)
	}
	return w.value()
}

func decodeIdentity(subject caveat.Subject, value string) (store.Identity, error) {
	r := newReader(value)
	i := store.Identity{
		Subject: subject, Blocked: r.flag(), Username: r.text(), FullName: r.text(),
		Password: store.NewSecret(r.text()), Created: r.number(),
	}
	if r.rest != "" {
		i.Rights = r.texts()
	}
	return i, r.err()
}

// activePrefix is what follows the revision in the identity of an active
// holder.
const activePrefix = string(rune(format)) + "\x00"

// decodeStatus returns the status of a holder from the value of its identity,
// "" for none.
func decodeStatus(value string) (store.Status, error) {
	if value == "" {
		return store.HolderMissing, nil
	}
	r := newReader(value)
	return store.Identity{Blocked: r.flag()}.Status(), r.err()
}

func encodeTemporary(t store.Temporary) string {
	w := newWriter()
	w.number(t.Generation)
	w.text(t.Secret.Reveal())
	return w.value()
}

func decodeTemporary(subject caveat.Subject, value string) (store.Temporary, error) {
	r := newReader(value)
	t := store.Temporary{Subject: subject, Generation: r.number(), Secret: store.NewSecret(r.text())}
	return t, r.err()
}

// pointer contains the subject whose shard a record is in. The zero pointer is
// invalid.
type pointer struct {
	revision string
	subject  caveat.Subject
}

func encodePointer(subject caveat.Subject) string {
	w, text := newWriter(), subject.String()
	w.b = append(w.b, "{"+tagOf(text)+"}"+text...) // the rest of the keys in lookUpScript
	return w.value()
}

func decodePointer(value string) (pointer, error) {
	if value == "" {
		return pointer{}, nil
	}
	r := newReader(value)
	tag, text, _ := strings.Cut(r.rest, "}")
	subject, err := caveat.ParseSubject(text)
	if r.bad || err != nil || tag != "{"+tagOf(text) {
		return pointer{}, errFormat
	}
	return pointer{revision(value), subject}, nil
}

// createdSize is the length in bytes of the creation time in a list member.
const createdSize = 8

// listMember returns the member of a token in sorted sets. Members with the
// same score are ordered by their bytes: by creation time, then by id.
func listMember(created int64, id string) string {
	at := binary.BigEndian.AppendUint64(nil, uint64(created)^1<<63)
	return string(at) + id
}

// parseListMember is the inverse of listMember.
func parseListMember(member string) (store.Cursor, error) {
	if len(member) < createdSize {
		return store.Cursor{}, errFormat
	}
	at := binary.BigEndian.Uint64([]byte(member[:createdSize]))
	return store.Cursor{Created: int64(at ^ 1<<63), ID: member[createdSize:]}, nil
}
