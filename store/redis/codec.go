package redis

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// A value begins with its revision, which is drawn anew for each write, so that
// values with the same revision are the same value. The format comes next, and
// then the fields; what a verification needs is first.
const (
	revisionSize = 8
	format       = 1
)

// errFormat tells that a value is not one that this package writes.
var errFormat = errors.New("a value in the server is damaged, or of an unknown format")

// revision returns the revision of the value, "" of none.
func revision(value string) string { return value[:min(len(value), revisionSize)] }

// writer makes a value.
type writer struct{ b []byte }

func newWriter() *writer {
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

// reader reads a value. Past the first thing that is wrong all is zero.
type reader struct {
	rest string
	bad  bool
}

func newReader(value string) reader {
	r := reader{rest: value}
	r.take(revisionSize)
	if head := r.take(1); head != string(rune(format)) {
		r.bad = true
	}
	return r
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

// count reads how many elements follow, each of at least the given size.
func (r *reader) count(size int) int {
	n := r.number()
	if n < 0 || n > int64(len(r.rest)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}

// texts reads a list, nil for an empty one.
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
	w := newWriter()
	w.flag(t.Revoked)
	w.text(t.Secret.Reveal())
	w.text(t.Subject.String())
	w.number(int64(len(t.RevokedTails)))
	for _, tail := range t.RevokedTails {
		w.b = append(w.b, tail[:]...)
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

// decodeKey returns what a verification needs of a named token, but for the
// holder's status.
func decodeKey(value string) (store.Key, error) {
	r := newReader(value)
	k := r.key()
	return k, r.err()
}

// key reads the first fields of a named token.
func (r *reader) key() (k store.Key) {
	k.Revoked = r.flag()
	k.Secret = store.NewSecret(r.text())
	k.Subject = r.subject()
	if n := r.count(len(store.Tail{})); n > 0 {
		k.RevokedTails = make([]store.Tail, n)
		for i := range k.RevokedTails {
			copy(k.RevokedTails[i][:], r.take(int64(len(store.Tail{}))))
		}
	}
	return k
}

func decodeToken(id, value string) (store.Token, error) {
	r := newReader(value)
	k := r.key()
	t := store.Token{
		ID: id, Subject: k.Subject, Secret: k.Secret, Revoked: k.Revoked, RevokedTails: k.RevokedTails,
		Name: r.text(), Version: int(r.number()), Type: r.text(), Caveats: r.texts(), Created: r.number(),
	}
	if hasCustom, custom := r.flag(), r.text(); hasCustom {
		t.Custom = []byte(custom)
	}
	if hasPrivileges, privileges := r.flag(), r.texts(); hasPrivileges {
		t.Privileges = append([]string{}, privileges...) // which is not nil
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
	return w.value()
}

func decodeIdentity(subject caveat.Subject, value string) (store.Identity, error) {
	r := newReader(value)
	i := store.Identity{
		Subject: subject, Blocked: r.flag(), Username: r.text(), FullName: r.text(),
		Password: store.NewSecret(r.text()), Created: r.number(),
	}
	return i, r.err()
}

// activeHead is what the identity of an active holder has after its revision.
const activeHead = string(rune(format)) + "\x00"

// decodeStatus reads the standing of a holder from the value of the identity, ""
// for none.
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

// pointer tells the subject in the shard of which a record is. The zero pointer
// is none.
type pointer struct {
	revision string
	subject  caveat.Subject
}

func encodePointer(subject caveat.Subject) string {
	w, text := newWriter(), subject.String()
	w.b = append(w.b, "{"+tagOf(text)+"}"+text...) // how the keys go on that lookUpScript makes
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

// ageSize is how many bytes of an age come before the id.
const ageSize = 8

// age returns the place of the token in sorted sets, where members with the same
// score are in the order of their bytes: by creation time, then by id.
func age(created int64, id string) string {
	at := binary.BigEndian.AppendUint64(nil, uint64(created)^1<<63)
	return string(at) + id
}

// ofAge is the inverse of age.
func ofAge(member string) (store.Cursor, error) {
	if len(member) < ageSize {
		return store.Cursor{}, errFormat
	}
	at := binary.BigEndian.Uint64([]byte(member[:ageSize]))
	return store.Cursor{Created: int64(at ^ 1<<63), ID: member[ageSize:]}, nil
}
