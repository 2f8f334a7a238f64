package memory

import (
	"context"

	"github.com/onezone-go/onezone/store"
)

func (s driver) RecordUses(ctx context.Context, uses []store.Use) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range uses {
		if old, ok := s.uses[u.TokenID]; ok {
			u = old.Merge(u)
		}
		s.setUse(u)
	}
	return nil
}

func (s driver) LastUses(ctx context.Context, ids []string) (found []store.Use, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range ids {
		if u, ok := s.uses[id]; ok {
			found = append(found, u)
		}
	}
	return found, nil
}

// setUse replaces the use of a token, unless the token is unknown. Like
// removeUse, it must be called with the mutex held.
func (s *Store) setUse(u store.Use) {
	e := s.tokens.get(u.TokenID)
	if e == nil {
		return
	}
	if _, had := s.uses[u.TokenID]; !had {
		s.used.insert(e.id)
	}
	u.TokenID = e.id // whose memory the table holds already
	s.uses[e.id] = u
}

func (s *Store) removeUse(id string) {
	if _, had := s.uses[id]; had {
		delete(s.uses, id)
		s.used.remove(id)
	}
}

// exportUses exports uses in the order of token ids, which are the positions.
func (s *Store) exportUses(after string, size int) (records []store.Record, next string, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	page, more := firstOf(s.used.from(func(id string) bool { return id <= after }), size)
	for _, id := range page {
		records = append(records, store.Record{Use: new(s.uses[id])})
	}
	if more {
		next = page[len(page)-1]
	}
	return records, next, nil
}
