package cache

import (
	"hash/maphash"
	"strconv"
	"sync/atomic"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// key is what an answer is about, or depends on.
type key struct {
	kind    store.RecordKind
	subject caveat.SubjectType // 0 for a named token
	id      string             // of the token or subject
}

func keyOfToken(id string) key { return key{kind: store.TokenRecords, id: id} }

func keyOfTemporary(s caveat.Subject) key { return key{store.TemporaryRecords, s.Type, s.ID} }

func keyOfIdentity(s caveat.Subject) key { return key{store.IdentityRecords, s.Type, s.ID} }

// versions count changes. An answer that was read after some versions were, is
// good as long as they are the same: whatever changes counts up, only then.
// Nothing has to be taken out of the cache for that, and so it does not matter
// what is put there late.
type versions struct {
	seed       maphash.Seed
	flushes    atomic.Uint64          // changes of everything
	counters   [1 << 16]atomic.Uint32 // each for many keys
	identities atomic.Uint64          // changes of identities, whichever
}

func (v *versions) init() { v.seed = maphash.MakeSeed() }

func (v *versions) of(k key) *atomic.Uint32 {
	return &v.counters[maphash.Comparable(v.seed, k)%uint64(len(v.counters))]
}

// change counts up what depends on the key.
func (v *versions) change(k key) {
	if k.kind == store.IdentityRecords {
		// First, so that whoever sees the new version of the key sees this too.
		v.identities.Add(1)
	}
	v.of(k).Add(1)
}

// dependency is a counter and what it said.
type dependency struct {
	counter *atomic.Uint32
	version uint32
}

func (v *versions) dependOn(k key) dependency {
	counter := v.of(k)
	return dependency{counter, counter.Load()}
}

func (d dependency) holds() bool { return d.counter == nil || d.counter.Load() == d.version }

// state is what an answer depends on before it is known: the answer will tell
// which identity matters, so until then all do.
type state struct {
	own        dependency
	identities uint64
	flushes    uint64
}

func (v *versions) now(k key) state {
	return state{v.dependOn(k), v.identities.Load(), v.flushes.Load()}
}

// flight names a look-up of the key, such that only those in the same state
// share one: it has nothing to say to a look-up that began after a change.
func (s state) flight(k key) string {
	b := make([]byte, 0, 64+len(k.id))
	b = append(b, byte(k.kind), byte(k.subject))
	b = strconv.AppendUint(b, uint64(s.own.version), 36)
	b = strconv.AppendUint(append(b, ' '), s.identities, 36)
	b = strconv.AppendUint(append(b, ' '), s.flushes, 36)
	return string(append(append(b, ' '), k.id...))
}
