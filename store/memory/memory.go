// Package memory keeps tokens and identities in the memory of the process: the
// default backend, for tests and for applications that can lose them or load
// them anew at start.
//
// [New] gives an empty [Store].
//
//   - A verification ([Store.NamedKey], [Store.TemporaryKey]) takes no lock,
//     writes to no memory that others read, and allocates nothing when it finds
//     the key. It costs the same however many tokens there are, and cores do not
//     slow each other down.
//   - Writes are one at a time and take time that grows with the logarithm of
//     the number of records. So does turning a page of a listing.
//   - Nothing survives the process. [Store.Export] is the way out.
//
// Memory that the store once needed for its tables is used again but not given
// back when records are deleted.
package memory

import (
	"hash/maphash"
	"sync"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// contract has the methods of a Store that it does not write out.
type contract = backend.Contract

// driver is the store under its contract.
type driver struct {
	*Store
	backend.Life
}

// Store is a [store.Store] in memory. Make one with [New].
type Store struct {
	contract

	// What verifications read comes first. The tables change under mu, too, but
	// are read without it.
	life    backend.Life
	tokens  *table[string, entry]          // named tokens by id
	holders *table[caveat.Subject, holder] // what there is of a subject

	_ [cacheLine]byte // keeps verifications apart from what writes change

	mu         sync.RWMutex
	byAge      *index[*entry]            // all tokens: created, id
	bySubject  *index[*entry]            // all tokens: subject, created, id
	names      map[nameKey]*entry        // tokens by what has to be unique besides the id
	counts     map[caveat.Subject]int64  // tokens of each subject that has any
	usernames  map[string]caveat.Subject // users by user name
	identities *index[caveat.Subject]    // those with an identity
	temporary  *index[caveat.Subject]    // those with a temporary secret
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
		names:      make(map[nameKey]*entry),
		counts:     make(map[caveat.Subject]int64),
		usernames:  make(map[string]caveat.Subject),
		identities: newIndex(compareSubjects),
		temporary:  newIndex(compareSubjects),
		watchers:   make(map[*backend.Queue]struct{}),
	}
	s.contract = backend.NewContract(driver{s, s.life})
	return s
}

// hashSubject is maphash.Comparable in less time. Subjects of two types that share
// an id are few.
func hashSubject(seed maphash.Seed, s caveat.Subject) uint64 {
	return maphash.String(seed, s.ID) + uint64(s.Type)
}

// Close makes all later calls fail with [store.ErrClosed] and ends those of
// [Store.Watch]. It never fails, nor does closing twice.
func (s *Store) Close() error {
	s.life.End()
	return nil
}
