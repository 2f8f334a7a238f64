package memory

import (
	"context"
	"strconv"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Export implements [store.Archive]. The limit is that of a page of a listing:
// 0 stands for [store.DefaultPage], and [store.MaxPage] is the most.
func (s *Store) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	if err := s.ready(ctx, "export records"); err != nil {
		return nil, "", err
	}
	size := store.Query{Limit: limit}.PageSize()
	switch kind {
	case store.IdentityRecords:
		return s.exportHolders(s.identities, after, size, func(_ caveat.Subject, h *holder) store.Record {
			i := *h.identity
			return store.Record{Identity: &i}
		})
	case store.TemporaryRecords:
		return s.exportHolders(s.temporary, after, size, func(subject caveat.Subject, h *holder) store.Record {
			return store.Record{Temporary: &store.Temporary{Subject: subject, Secret: h.secret, Generation: h.generation}}
		})
	case store.TokenRecords:
		return s.exportTokens(after, size)
	}
	return nil, "", errors.BadDataHint("kind", "there are no records of that kind")
}

// exportHolders exports what record makes of the subjects in the index. The
// position is the text of the subject.
func (s *Store) exportHolders(x *index[caveat.Subject], after string, size int,
	record func(caveat.Subject, *holder) store.Record,
) (records []store.Record, next string, err error) {
	var last caveat.Subject
	if after != "" {
		if last, err = caveat.ParseSubject(after); err != nil {
			return nil, "", badPosition()
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
			return nil, "", badPosition()
		}
	}
	page, last := pageOf(s, store.Query{After: cursor, Limit: size}, (*entry).record)
	for _, t := range page {
		c := t.Clone()
		records = append(records, store.Record{Token: &c})
	}
	if !last.IsZero() {
		next = strconv.FormatInt(last.Created, 10) + " " + last.ID
	}
	return records, next, nil
}

func badPosition() error {
	return errors.BadDataHint("after", "a position is one that an earlier export returned")
}

// Scrub does nothing: there are no files.
func (s *Store) Scrub(ctx context.Context) error { return s.ready(ctx, "scrub the store") }

// Import implements [store.Archive]. Of records with the same key the last one
// counts, and names have to be unique when all are in their places, so that
// records may swap names. A verification that goes on meanwhile may see some of
// the new records and not yet the others.
func (s *Store) Import(ctx context.Context, records []store.Record) error {
	if err := s.ready(ctx, "import records"); err != nil {
		return err
	}
	b, err := newBatch(records)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkUnique(b); err != nil {
		return err
	}
	for subject, i := range b.identities {
		s.setIdentity(subject, i)
	}
	for subject, t := range b.temporary {
		s.setTemporary(subject, t.Secret, t.Generation)
	}
	for _, t := range b.tokens {
		s.addToken(t)
	}
	return nil
}

// batch is what an import writes: valid copies of the records by their keys.
type batch struct {
	identities map[caveat.Subject]*store.Identity
	temporary  map[caveat.Subject]*store.Temporary
	tokens     map[string]*store.Token
}

func newBatch(records []store.Record) (batch, error) {
	b := batch{
		make(map[caveat.Subject]*store.Identity),
		make(map[caveat.Subject]*store.Temporary),
		make(map[string]*store.Token),
	}
	for _, r := range records {
		if err := r.Validate(); err != nil {
			return batch{}, err
		}
		switch {
		case r.Identity != nil:
			i := *r.Identity
			b.identities[i.Subject] = &i
		case r.Temporary != nil:
			t := *r.Temporary
			b.temporary[t.Subject] = &t
		default:
			t := r.Token.Clone()
			b.tokens[t.ID] = &t
		}
	}
	return b, nil
}

// checkUnique reports whether names are unique when the batch is in its place:
// within it, and with those records of the store that it leaves alone.
func (s *Store) checkUnique(b batch) error {
	usernames := make(map[string]bool)
	for _, i := range b.identities {
		if i.Username == "" {
			continue
		}
		owner, taken := s.usernames[i.Username]
		if usernames[i.Username] || taken && b.identities[owner] == nil {
			return errors.BadValueIdentifierOccupied("username")
		}
		usernames[i.Username] = true
	}
	names := make(map[nameKey]bool)
	for _, t := range b.tokens {
		name := nameKeyOf(t)
		owner := s.names[name]
		if names[name] || owner != nil && b.tokens[owner.id] == nil {
			return errors.BadValueIdentifierOccupied("name")
		}
		names[name] = true
	}
	return nil
}
