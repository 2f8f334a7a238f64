package cache

import (
	"hash/maphash"
	"strconv"
	"sync/atomic"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// key identifies a record that answers are about or depend on.
type key struct {
	kind    store.RecordKind
	subject caveat.SubjectType // 0 for a named token
	id      string             // of the token or subject
}

func keyOfToken(id string) key { return key{kind: store.TokenRecords, id: id} }

func keyOfTemporary(s caveat.Subject) key { return key{store.TemporaryRecords, s.Type, s.ID} }

func keyOfIdentity(s caveat.Subject) key { return key{store.IdentityRecords, s.Type, s.ID} }

// versions count changes. An answer is valid while the versions that were read
// before it are unchanged: every change increments them after it is done. An
// answer that is added late needs no special handling, because its versions are
// outdated.
type versions struct {
	seed       maphash.Seed
	flushes    atomic.Uint64          // times that all answers were dropped
	counters   [1 << 16]atomic.Uint32 // each shared by many keys
	identities atomic.Uint64          // changes of any identity
}

func (v *versions) of(k key) *atomic.Uint32 {
	return &v.counters[maphash.Comparable(v.seed, k)%uint64(len(v.counters))]
}

// change invalidates the answers that depend on the key.
func (v *versions) change(k key) {
	if k.kind == store.IdentityRecords {
		// First, so that a reader of the new version of the key sees this one
		// too.
		v.identities.Add(1)
	}
	v.of(k).Add(1)
}

// dependency is a counter and its value when it was read.
type dependency struct {
	counter *atomic.Uint32
	version uint32
}

func (v *versions) dependOn(k key) dependency {
	counter := v.of(k)
	return dependency{counter, counter.Load()}
}

func (d dependency) isCurrent() bool { return d.counter == nil || d.counter.Load() == d.version }

// state is what an answer depends on before it is known. Until the answer names
// its identity, it depends on all identities.
type state struct {
	own        dependency
	identities uint64
	flushes    uint64
}

func (v *versions) snapshot(k key) state {
	return state{v.dependOn(k), v.identities.Load(), v.flushes.Load()}
}

// flightKey identifies look-ups of the key in the same state. Only these share
// a result, because an older look-up may miss a change.
func (s state) flightKey(k key) string {
	b := make([]byte, 0, 64+len(k.id))
	b = append(b, byte(k.kind), byte(k.subject))
	b = strconv.AppendUint(b, uint64(s.own.version), 36)
	b = strconv.AppendUint(append(b, ' '), s.identities, 36)
	b = strconv.AppendUint(append(b, ' '), s.flushes, 36)
	return string(append(append(b, ' '), k.id...))
}
