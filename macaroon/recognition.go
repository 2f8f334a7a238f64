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

// Limits of the recognition memory; see [WithRecognition].
const (
	DefaultRecognizedTokens = 8192
	DefaultRecognizedBytes  = 16 << 20
	maxRecognizedText       = 8 << 10 // bytes
)

// recognized is a token whose signature the authority has verified: what it
// says, and the secret that it verified under. It holds nothing else of the
// record, which is looked up each time.
type recognized struct {
	hash    uint64
	text    string
	token   Token
	caveats caveat.List // in the vocabulary of the authority
	secret  store.Secret
	size    int         // bytes that the entry keeps in memory, about
	used    atomic.Bool // since the clock hand passed last
}

// Format prints nothing of the token, whatever the verb.
func (*recognized) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// recognition finds tokens that were verified before by their text, so that
// decoding, the HMAC chain and the parsing of caveats are not repeated. It
// decides nothing: the caller compares the secret with the one just looked up.
//
// It is set-associative: the hash of a text selects a set of few slots. Readers
// take no lock and write nothing but the clock bit of an entry. A nil
// *recognition recognizes nothing.
type recognition struct {
	seed maphash.Seed
	sets [][]slot
	// once holds hashes of texts that verified a single time. Only the second
	// time makes an entry, so that tokens used once displace nothing.
	once []atomic.Uint64
	// removals counts calls of remove: a verification that began before one adds
	// no entry after it.
	removals atomic.Uint64

	mu       sync.Mutex // held by writers
	bytes    int
	maxBytes int
	hand     int // of the clock, over all slots
}

// slot holds one entry. Its tag is the hash of the entry, and spares a reader
// the entries of other texts.
type slot struct {
	tag   atomic.Uint64
	entry atomic.Pointer[recognized]
}

// waysOfSet is how many slots a set has.
const waysOfSet = 8

// newRecognition returns a memory for so many tokens and bytes, nil for none.
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

// presented is a text as it came, with its place in the memory.
type presented struct {
	text     string
	hash     uint64
	removals uint64
}

// Format prints nothing of the text, whatever the verb.
func (presented) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// present hashes a text. Every other call about the text goes with the result.
func (m *recognition) present(text string) presented {
	if m == nil || len(text) > maxRecognizedText {
		return presented{text: text}
	}
	return presented{text, maphash.String(m.seed, text) | 1, m.removals.Load()}
}

// find returns the entry with exactly this text, nil where there is none. The
// whole text is compared, in time that depends on its length alone.
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

// sameText compares in time that depends on the lengths alone. It takes eight
// bytes at a time, where [subtle.ConstantTimeCompare] takes one: comparing is most
// of what recognizing a token costs.
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

// admits reports whether a text that has just verified should be added, which is
// so the second time.
func (m *recognition) admits(p presented) bool {
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

// add keeps a token that has verified under the secret. The caller vouches for
// that, and for the caveats being those of the token in the authority's
// vocabulary.
func (m *recognition) add(p presented, t Token, caveats caveat.List, secret store.Secret) {
	if p.hash == 0 || len(t.third) > 0 {
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

// entrySize is what an entry takes in memory beside texts and caveats, about.
const entrySize = 512

// victim returns the slot of the set that an entry can take: a free one, or the
// first that was not used since the clock passed.
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

// evictNext moves the clock to the next entry that was not used and drops it.
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

// put replaces what a slot holds, nil for nothing.
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

// remove drops the entries that match, in one pass over the memory.
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

// removeToken drops the copies of a named token.
func (m *recognition) removeToken(id string) {
	m.remove(func(e *recognized) bool { return e.token.ID() == id })
}

// removeTemporary drops the temporary tokens of a subject.
func (m *recognition) removeTemporary(subject caveat.Subject) {
	m.remove(func(e *recognized) bool { return e.token.Generation() > 0 && e.token.Subject() == subject })
}
