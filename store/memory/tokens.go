package memory

import (
	"cmp"
	"context"
	"sync/atomic"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// entry is the location of a named token in the table and the indexes. An
// update of the token does not change the entry.
type entry struct {
	id      string
	subject caveat.Subject
	created int64
	parent  string

	// The record is immutable: an update stores a new one. It is nil after the
	// entry left the table.
	token atomic.Pointer[store.Token]
}

// nameKey is the unique combination of subject and name.
type nameKey struct {
	subject caveat.Subject
	name    string
}

func nameKeyOf(t *store.Token) nameKey { return nameKey{t.Subject, t.Name} }

// record returns the record of an entry in the indexes. It must not be changed.
func (e *entry) record() *store.Token { return e.token.Load() }

func compareAge(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.id, b.id))
}

func compareSubjectAndAge(a, b *entry) int {
	return cmp.Or(compareSubjects(a.subject, b.subject), compareAge(a, b))
}

func compareParentAndAge(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.parent, b.parent), compareAge(a, b))
}

// isAfter reports whether the entry follows the cursor in the order of a
// listing.
func (e *entry) isAfter(c store.Cursor) bool {
	return c.IsZero() || cmp.Or(cmp.Compare(e.created, c.Created), cmp.Compare(e.id, c.ID)) > 0
}

func (s driver) CreateToken(ctx context.Context, t store.Token, require store.Status) (holder store.Status, err error) {
	t = t.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	if require != 0 {
		if holder = s.holders.get(t.Subject).status(); holder != require {
			return holder, nil
		}
	}
	if s.tokens.get(t.ID) != nil {
		return 0, errors.AlreadyExists()
	}
	if s.names[nameKeyOf(&t)] != nil {
		return 0, errors.BadValueIdentifierOccupied("name")
	}
	s.addToken(&t)
	return holder, nil
}

func (s driver) GetToken(ctx context.Context, id string) (store.Token, error) {
	e, t := s.find(id)
	if e == nil {
		return store.Token{}, errors.NotFound()
	}
	return t.Clone(), nil
}

// UpdateToken implements [store.Tokens]. It calls change without a lock, and
// again if the record changed concurrently.
func (s driver) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	for {
		e, old := s.find(id)
		if e == nil {
			return errors.NotFound()
		}
		updated, err := store.UpdateToken(*old, change)
		if err != nil {
			return err
		}
		if done, err := s.replaceToken(e, old, &updated); done || err != nil {
			return err
		}
	}
}

// replaceToken replaces old by updated. It returns false if old is not the
// current record.
func (s *Store) replaceToken(e *entry, old, updated *store.Token) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.token.Load() != old {
		return false, nil
	}
	if owner := s.names[nameKeyOf(updated)]; owner != nil && owner != e {
		return false, errors.BadValueIdentifierOccupied("name")
	}
	delete(s.names, nameKeyOf(old))
	s.names[nameKeyOf(updated)] = e
	e.token.Store(updated)
	s.publish(store.Change{Kind: store.TokenChanged, TokenID: e.id})
	return true, nil
}

func (s driver) DeleteToken(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.tokens.get(id)
	if e == nil {
		return errors.NotFound()
	}
	s.tokens.remove(id)
	s.removeUse(id)
	s.retire(e)
	s.publish(store.Change{Kind: store.TokenChanged, TokenID: id})
	return nil
}

// find returns the entry of the token and its record, or nil.
func (s *Store) find(id string) (*entry, *store.Token) {
	for {
		e := s.tokens.get(id)
		if e == nil {
			return nil, nil
		}
		if t := e.token.Load(); t != nil {
			return e, t
		}
		// The entry left the table after it was read: look up the entry that
		// replaced it.
	}
}

// addToken adds the record and replaces the one with the same id. Its name must
// be free. Like the functions below, it must be called with the mutex held.
func (s *Store) addToken(t *store.Token) {
	old := s.tokens.get(t.ID)
	e := &entry{id: t.ID, subject: t.Subject, created: t.Created, parent: t.Parent}
	e.token.Store(t)
	s.tokens.put(e.id, e)
	if old != nil {
		s.retire(old)
	}
	s.names[nameKeyOf(t)] = e
	s.byAge.insert(e)
	s.bySubject.insert(e)
	if e.parent != "" {
		s.byParent.insert(e)
	}
	s.counts[e.subject]++
	s.publish(store.Change{Kind: store.TokenChanged, TokenID: e.id})
}

// retire removes an entry from the indexes after it left the table.
func (s *Store) retire(e *entry) {
	// An import may have given the name to another token already.
	if name := nameKeyOf(e.token.Load()); s.names[name] == e {
		delete(s.names, name)
	}
	s.byAge.remove(e)
	s.bySubject.remove(e)
	if e.parent != "" {
		s.byParent.remove(e)
	}
	if s.counts[e.subject]--; s.counts[e.subject] == 0 {
		delete(s.counts, e.subject)
	}
	e.token.Store(nil)
}
