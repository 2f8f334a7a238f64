package redis

import (
	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// batch is the records of an import by their keys. Of records with the same key
// the last counts.
type batch struct {
	identities map[caveat.Subject]store.Identity
	temporary  map[caveat.Subject]store.Temporary
	tokens     map[string]store.Token
	usernames  map[string]caveat.Subject // who has the name
}

// newBatch returns the batch of records that are valid, with names that are
// unique among them.
func newBatch(records []store.Record) (batch, error) {
	b := batch{
		make(map[caveat.Subject]store.Identity), make(map[caveat.Subject]store.Temporary),
		make(map[string]store.Token), make(map[string]caveat.Subject),
	}
	for _, r := range records {
		if err := b.add(r); err != nil {
			return batch{}, err
		}
	}
	return b, b.checkNames()
}

func (b batch) add(r store.Record) error {
	if err := r.Validate(); err != nil {
		return err
	}
	switch {
	case r.Identity != nil:
		b.identities[r.Identity.Subject] = *r.Identity
	case r.Temporary != nil:
		b.temporary[r.Temporary.Subject] = *r.Temporary
	default:
		b.tokens[r.Token.ID] = *r.Token
	}
	return nil
}

func (b batch) checkNames() error {
	for subject, i := range b.identities {
		if i.Username == "" {
			continue
		}
		if _, ok := b.usernames[i.Username]; ok {
			return errors.BadValueIdentifierOccupied("username")
		}
		b.usernames[i.Username] = subject
	}
	type name struct {
		subject caveat.Subject
		name    string
	}
	names := make(map[name]bool)
	for _, t := range b.tokens {
		n := name{t.Subject, t.Name}
		if names[n] {
			return errors.BadValueIdentifierOccupied("name")
		}
		names[n] = true
	}
	return nil
}
