package macaroon

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// Defaults of [WithRecognition].
const (
	DefaultRecognizedTokens = 8192
	DefaultRecognizedBytes  = 16 << 20
)

// maxRecognizedText is the length of the longest cached text, in bytes.
const maxRecognizedText = 8 << 10

// recognized is a cache entry: a parsed token whose signature has verified, and
// the secret it verified under. It holds nothing else from the record, which is
// looked up for each verification.
type recognized struct {
	hash    uint64
	text    string
	token   Token
	caveats caveat.List // in the vocabulary of the authority
	secret  store.Secret
	size    int         // approximate bytes of memory for the entry
	used    atomic.Bool // since the clock hand last passed

	// For the recorder of uses.
	usedMinute atomic.Int64  // Unix time in minutes of the last use
	counted    atomic.Uint32 // uses in that minute that were counted one by one
}

// Format prints "[redacted]" for every verb.
func (*recognized) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// recognition caches verified tokens by their text, so that decoding, the HMAC
// chain and the parsing of caveats are not repeated. The caller must compare
// the cached secret with the one just looked up.
//
// The cache is set-associative: the hash of a text selects a set of a few
// slots. Entries are evicted by the clock algorithm. Readers take no lock and
// write only the clock bit of an entry. A nil *recognition is an empty cache.
type recognition struct {
	seed maphash.Seed
	sets [][]slot
	// once holds hashes of texts that have verified once. An entry is added
	// only at the second verification, so that tokens used once evict nothing.
	once []atomic.Uint64
	// removals counts calls of remove. A verification that began before such a
	// call must not add an entry after it.
	removals atomic.Uint64

	mu       sync.Mutex // held by writers
	bytes    int
	maxBytes int
	hand     int // of the clock, over all slots
}

// slot holds one entry. Its tag is the hash of the entry, so that readers can
// skip the entries of other texts.
type slot struct {
	tag   atomic.Uint64
	entry atomic.Pointer[recognized]
}

// waysOfSet is the number of slots in a set.
const waysOfSet = 8

// newRecognition returns a cache with the given limits, or nil if one is zero.
func newRecognition(tokens, bytes int) *recognition {
	if tokens <= 0 || bytes <= 0 {
		return nil
	}
	ways := min(tokens, waysOfSet)
	m := &recognition{seed: maphash.MakeSeed(), maxBytes: bytes, sets: make([][]slot, tokens/ways)}
	slots := make([]slot, len(m.sets)*ways)
	for i := range m.sets {
		m.sets[i] = slots[i*ways : (i+1)*ways]
	}
	m.once = make([]atomic.Uint64, len(slots))
	return m
}

// presented is the text of a token to verify, with its hash for the cache.
type presented struct {
	text     string
	hash     uint64
	removals uint64
}

// Format prints "[redacted]" for every verb.
func (presented) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// present hashes a text. Its result identifies the text in the other methods.
func (m *recognition) present(text string) presented {
	if m == nil || len(text) > maxRecognizedText {
		return presented{text: text}
	}
	return presented{text, maphash.String(m.seed, text) | 1, m.removals.Load()}
}

// find returns the entry with exactly this text, or nil. It compares the whole
// text, in time that depends only on its length.
func (m *recognition) find(p presented) *recognized {
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
			return e
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

func (m *recognition) set(hash uint64) []slot { return m.sets[hash%uint64(len(m.sets))] }

// shouldAdd reports whether a text that has just verified should be cached.
// That is so from its second verification.
func (m *recognition) shouldAdd(p presented) bool {
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

// add caches a token that has verified under the secret. caveats must be the
// token's caveats, parsed in the authority's vocabulary.
func (m *recognition) add(p presented, t Token, caveats caveat.List, secret store.Secret) {
	if p.hash == 0 {
		return
	}
	e := &recognized{hash: p.hash, text: strings.Clone(p.text), token: t, caveats: caveats, secret: secret}
	e.size = entrySize + len(p.text) + len(*t.raw) + caveats.Size()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.removals.Load() != p.removals || m.find(p) != nil {
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
func (m *recognition) victim(hash uint64) *slot {
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
func (m *recognition) evictNext() {
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
func (m *recognition) put(s *slot, e *recognized) {
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

// remove evicts the entries that match, in one pass over the cache.
func (m *recognition) remove(match func(*recognized) bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removals.Add(1)
	for _, set := range m.sets {
		for i := range set {
			if e := set[i].entry.Load(); e != nil && match(e) {
				m.put(&set[i], nil)
			}
		}
	}
}

// removeToken evicts a named token and its copies.
func (m *recognition) removeToken(id string) {
	m.remove(func(e *recognized) bool { return e.token.ID() == id })
}

// removeTemporary evicts the temporary tokens of a subject.
func (m *recognition) removeTemporary(subject caveat.Subject) {
	m.remove(func(e *recognized) bool { return e.token.Generation() > 0 && e.token.Subject() == subject })
}
