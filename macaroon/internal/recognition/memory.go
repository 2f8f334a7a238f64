// Package recognition remembers texts of tokens that have verified, so that a
// verifier need not decode them, compute their HMAC chain and parse their caveats
// again.
package recognition

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
	"sync"
	"sync/atomic"
)

// maxText is the length of the longest text that is remembered, in bytes.
const maxText = 8 << 10

// entry is a text with its value.
type entry[V any] struct {
	hash  uint64
	text  string
	value V
	size  int         // approximate bytes of memory for the entry
	used  atomic.Bool // since the clock hand last passed
}

// Memory is a cache of values by text. A value must hold the secret that the
// token verified under, and the caller must compare it with the one just looked
// up.
//
// The cache is set-associative: the hash of a text selects a set of a few
// slots. Entries are evicted by the clock algorithm. Readers take no lock and
// write only the clock bit of an entry. A nil *Memory is an empty cache.
type Memory[V any] struct {
	seed maphash.Seed
	sets [][]slot[V]
	// once holds hashes of texts that have verified once. An entry is added
	// only at the second verification, so that tokens used once evict nothing.
	once []atomic.Uint64
	// removals counts calls of Remove. A verification that began before such a
	// call must not add an entry after it.
	removals atomic.Uint64

	mu       sync.Mutex // held by writers
	bytes    int
	maxBytes int
	hand     int // of the clock, over all slots
}

// Format prints "[redacted]" for every verb.
func (*Memory[V]) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// slot holds one entry. Its tag is the hash of the entry, so that readers can
// skip the entries of other texts.
type slot[V any] struct {
	tag   atomic.Uint64
	entry atomic.Pointer[entry[V]]
}

// waysOfSet is the number of slots in a set.
const waysOfSet = 8

// New returns a cache with the given limits, or nil if one is zero.
func New[V any](entries, bytes int) *Memory[V] {
	if entries <= 0 || bytes <= 0 {
		return nil
	}
	ways := min(entries, waysOfSet)
	m := &Memory[V]{seed: maphash.MakeSeed(), maxBytes: bytes, sets: make([][]slot[V], entries/ways)}
	slots := make([]slot[V], len(m.sets)*ways)
	for i := range m.sets {
		m.sets[i] = slots[i*ways : (i+1)*ways]
	}
	m.once = make([]atomic.Uint64, len(slots))
	return m
}

// Text is the text of a token to verify, with its hash for the cache.
type Text struct {
	text     string
	hash     uint64
	removals uint64
}

// Format prints "[redacted]" for every verb.
func (Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// Present hashes a text. Its result identifies the text in the other methods.
func (m *Memory[V]) Present(text string) Text {
	if m == nil || len(text) > maxText {
		return Text{text: text}
	}
	return Text{text, maphash.String(m.seed, text) | 1, m.removals.Load()}
}

// Find returns the value of exactly this text, or nil. It compares the whole
// text, in time that depends only on its length.
func (m *Memory[V]) Find(p Text) *V {
	if p.hash == 0 {
		return nil
	}
	set := m.set(p.hash)
	for i := range set {
		if set[i].tag.Load() != p.hash {
			continue
		}
		e := set[i].entry.Load()
		if e != nil && e.hash == p.hash && sameText([]byte(e.text), []byte(p.text)) {
			if !e.used.Load() {
				e.used.Store(true)
			}
			return &e.value
		}
	}
	return nil
}

// sameText compares two texts in time that depends only on their lengths. It
// compares eight bytes at a time, unlike [subtle.ConstantTimeCompare], because
// this comparison dominates the cost of recognizing a token.
func sameText(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	words := len(a) &^ 7
	var differing uint64
	for i := 0; i < words; i += 8 {
		differing |= binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:])
	}
	return subtle.ConstantTimeCompare(a[words:], b[words:])&subtle.ConstantTimeEq(int32(differing|differing>>32), 0) == 1
}

func (m *Memory[V]) set(hash uint64) []slot[V] { return m.sets[hash%uint64(len(m.sets))] }

// ShouldAdd reports whether a text that has just verified should be cached.
// That is so from its second verification.
func (m *Memory[V]) ShouldAdd(p Text) bool {
	if p.hash == 0 {
		return false
	}
	mark := &m.once[(p.hash>>32)%uint64(len(m.once))]
	if mark.Load() == p.hash {
		return true
	}
	mark.Store(p.hash)
	return false
}

// Add caches a text that has verified. set sets its value, which takes about size
// bytes of memory besides itself.
func (m *Memory[V]) Add(p Text, size int, set func(*V)) {
	if p.hash == 0 {
		return
	}
	e := &entry[V]{hash: p.hash, text: strings.Clone(p.text), size: entrySize + len(p.text) + size}
	set(&e.value)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.removals.Load() != p.removals || m.Find(p) != nil {
		return
	}
	m.put(m.victim(p.hash), e)
	for m.bytes > m.maxBytes {
		m.evictNext()
	}
}

// entrySize is the approximate size of an entry without texts and caveats, in
// bytes.
const entrySize = 512

// victim returns the slot for a new entry: a free one, or the first one not
// used since the clock hand last passed.
func (m *Memory[V]) victim(hash uint64) *slot[V] {
	set := m.set(hash)
	for i := range set {
		if set[i].entry.Load() == nil {
			return &set[i]
		}
	}
	for {
		for i := range set {
			if !set[i].entry.Load().used.Swap(false) {
				return &set[i]
			}
		}
	}
}

// evictNext moves the clock hand to the next unused entry and evicts it.
func (m *Memory[V]) evictNext() {
	ways := len(m.sets[0])
	for {
		m.hand = (m.hand + 1) % (len(m.sets) * ways)
		s := &m.sets[m.hand/ways][m.hand%ways]
		if e := s.entry.Load(); e != nil && !e.used.Swap(false) {
			m.put(s, nil)
			return
		}
	}
}

// put replaces the entry in a slot; a nil entry empties it.
func (m *Memory[V]) put(s *slot[V], e *entry[V]) {
	if old := s.entry.Load(); old != nil {
		m.bytes -= old.size
	}
	s.entry.Store(e)
	s.tag.Store(0)
	if e != nil {
		m.bytes += e.size
		s.tag.Store(e.hash)
	}
}

// Remove evicts the values that match, in one pass over the cache.
func (m *Memory[V]) Remove(match func(*V) bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removals.Add(1)
	for _, set := range m.sets {
		for i := range set {
			if e := set[i].entry.Load(); e != nil && match(&e.value) {
				m.put(&set[i], nil)
			}
		}
	}
}
