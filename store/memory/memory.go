// Package memory keeps tokens and identities in the memory of the process.
//
// It is the default backend, for tests and for applications that can lose their
// tokens or load them at startup. [New] returns an empty [Store].
//
//   - A verification ([Store.NamedKey], [Store.TemporaryKey]) takes no lock,
//     writes to no shared memory, and allocates nothing if it finds the key.
//     Its cost does not depend on the number of tokens, and cores do not slow
//     each other down.
//   - Writes run one at a time, in time that grows with the logarithm of the
//     number of records. The same holds for a page of a listing.
//   - Nothing survives the process. [Store.Export] returns all records.
//
// Memory of deleted records is reused, but not returned to the system.
package memory

import (
	"hash/maphash"
	"strings"
	"sync"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// contract implements the other methods of a Store.
type contract = backend.Contract

// driver implements the store behind [backend.Contract].
type driver struct {
	*Store
	backend.Life
}

// Store is a [store.Store] in memory. Use [New] to create one.
type Store struct {
	contract

	// Fields for verifications come first. The tables are changed while mu is
	// held, but read without it.
	life    backend.Life
	tokens  *table[string, entry]          // named tokens by id
	holders *table[caveat.Subject, holder] // identity and temporary secret of subjects

	_ [cacheLine]byte // separates fields for verifications from fields that writes change

	mu         sync.RWMutex
	byAge      *index[*entry]            // all tokens: created, id
	bySubject  *index[*entry]            // all tokens: subject, created, id
	byParent   *index[*entry]            // tokens with a parent: parent, created, id
	names      map[nameKey]*entry        // tokens by subject and name
	counts     map[caveat.Subject]int64  // number of tokens by subject
	usernames  map[string]caveat.Subject // users by user name
	identities *index[caveat.Subject]    // subjects with an identity
	temporary  *index[caveat.Subject]    // subjects with a temporary secret
	uses       map[string]store.Use      // by token id
	used       *index[string]            // ids of the tokens that have a use
	watchers   map[*backend.Queue]struct{}
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	s := &Store{
		life:       backend.NewLife(),
		tokens:     newTable[string, entry](maphash.String),
		holders:    newTable[caveat.Subject, holder](hashSubject),
		byAge:      newIndex(compareAge),
		bySubject:  newIndex(compareSubjectAndAge),
		byParent:   newIndex(compareParentAndAge),
		names:      make(map[nameKey]*entry),
		counts:     make(map[caveat.Subject]int64),
		usernames:  make(map[string]caveat.Subject),
		identities: newIndex(compareSubjects),
		temporary:  newIndex(compareSubjects),
		uses:       make(map[string]store.Use),
		used:       newIndex(strings.Compare),
		watchers:   make(map[*backend.Queue]struct{}),
	}
	s.contract = backend.NewContract(driver{s, s.life}, 0)
	return s
}

// hashSubject is a faster maphash.Comparable. Few subjects of two types share
// an id.
func hashSubject(seed maphash.Seed, s caveat.Subject) uint64 {
	return maphash.String(seed, s.ID) + uint64(s.Type)
}

// Close makes all later calls return [store.ErrClosed] and ends calls of
// [Store.Watch]. It always succeeds, also when called twice.
func (s *Store) Close() error {
	s.life.End()
	return nil
}
