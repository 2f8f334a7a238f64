package backend

import (
	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Batch contains what an import writes: copies of the records by their keys. If
// several records have the same key, the last one wins.
type Batch struct {
	Identities map[caveat.Subject]*store.Identity
	Temporary  map[caveat.Subject]*store.Temporary
	Tokens     map[string]*store.Token
	Uses       map[string]*store.Use     // by token id
	Usernames  map[string]caveat.Subject // owners of user names
}

// NewBatch returns the batch of valid records. badValueIdentifierOccupied: two
// of them have the same name.
func NewBatch(records []store.Record) (Batch, error) {
	b := Batch{
		make(map[caveat.Subject]*store.Identity), make(map[caveat.Subject]*store.Temporary),
		make(map[string]*store.Token), make(map[string]*store.Use), make(map[string]caveat.Subject),
	}
	for _, r := range records {
		switch {
		case r.Identity != nil:
			b.Identities[r.Identity.Subject] = new(r.Identity.Clone())
		case r.Temporary != nil:
			b.Temporary[r.Temporary.Subject] = new(*r.Temporary)
		case r.Token != nil:
			b.Tokens[r.Token.ID] = new(r.Token.Clone())
		default:
			b.Uses[r.Use.TokenID] = new(*r.Use)
		}
	}
	return b, b.takeNames()
}

func (b Batch) takeNames() error {
	for subject, i := range b.Identities {
		if _, taken := b.Usernames[i.Username]; taken {
			return errors.BadValueIdentifierOccupied("username")
		}
		if i.Username != "" {
			b.Usernames[i.Username] = subject
		}
	}
	type name struct {
		subject caveat.Subject
		name    string
	}
	names := make(map[name]bool, len(b.Tokens))
	for _, t := range b.Tokens {
		n := name{t.Subject, t.Name}
		if names[n] {
			return errors.BadValueIdentifierOccupied("name")
		}
		names[n] = true
	}
	return nil
}
