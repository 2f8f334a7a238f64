package memory

import (
	"context"
	"strconv"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

func (s driver) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	switch kind {
	case store.IdentityRecords:
		return s.exportHolders(s.identities, after, limit, func(_ caveat.Subject, h *holder) store.Record {
			return store.Record{Identity: new(h.identity.Clone())}
		})
	case store.TemporaryRecords:
		return s.exportHolders(s.temporary, after, limit, func(subject caveat.Subject, h *holder) store.Record {
			return store.Record{Temporary: &store.Temporary{Subject: subject, Secret: h.secret, Generation: h.generation}}
		})
	case store.UseRecords:
		return s.exportUses(after, limit)
	}
	return s.exportTokens(after, limit)
}

// exportHolders exports the records of the subjects in the index. The position
// is the text of the subject.
func (s *Store) exportHolders(x *index[caveat.Subject], after string, size int,
	record func(caveat.Subject, *holder) store.Record,
) (records []store.Record, next string, err error) {
	var last caveat.Subject
	if after != "" {
		if last, err = caveat.ParseSubject(after); err != nil {
			return nil, "", backend.BadPosition()
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	page, more := firstOf(x.from(func(subject caveat.Subject) bool { return compareSubjects(subject, last) <= 0 }), size)
	for _, subject := range page {
		records = append(records, record(subject, s.holders.get(subject)))
	}
	if more {
		next = page[len(page)-1].String()
	}
	return records, next, nil
}

// exportTokens exports named tokens in the order of listings. The position is
// the creation time and the id.
func (s *Store) exportTokens(after string, size int) (records []store.Record, next string, err error) {
	var cursor store.Cursor
	if after != "" {
		created, id, found := strings.Cut(after, " ")
		cursor.ID = id
		if cursor.Created, err = strconv.ParseInt(created, 10, 64); err != nil || !found {
			return nil, "", backend.BadPosition()
		}
	}
	page, last := pageOf(s, store.Query{After: cursor, Limit: size}, (*entry).record)
	for _, t := range page {
		records = append(records, store.Record{Token: new(t.Clone())})
	}
	if !last.IsZero() {
		next = strconv.FormatInt(last.Created, 10) + " " + last.ID
	}
	return records, next, nil
}

// Import implements [store.Archive]. A concurrent verification may see some of
// the new records before others.
func (s driver) Import(ctx context.Context, records []store.Record) error {
	b, err := backend.NewBatch(records)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkUnique(b); err != nil {
		return err
	}
	for subject, i := range b.Identities {
		s.setIdentity(subject, i)
	}
	for subject, t := range b.Temporary {
		s.setTemporary(subject, t.Secret, t.Generation)
	}
	for _, t := range b.Tokens {
		s.addToken(t)
	}
	for _, u := range b.Uses {
		s.setUse(*u)
	}
	return nil
}

// checkUnique returns an error if a name in the batch belongs to a record that
// the batch does not replace.
func (s *Store) checkUnique(b backend.Batch) error {
	for name := range b.Usernames {
		if owner, taken := s.usernames[name]; taken && b.Identities[owner] == nil {
			return errors.BadValueIdentifierOccupied("username")
		}
	}
	for _, t := range b.Tokens {
		if owner := s.names[nameKeyOf(t)]; owner != nil && b.Tokens[owner.id] == nil {
			return errors.BadValueIdentifierOccupied("name")
		}
	}
	return nil
}
