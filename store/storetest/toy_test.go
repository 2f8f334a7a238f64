package storetest_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/storetest"
)

// toy is a minimal backend, as an example. Each call changes a copy of all
// records, and keeps the copy if all names in it are unique.
type toy struct {
	mu         sync.Mutex
	identities map[caveat.Subject]store.Identity
	temporary  map[caveat.Subject]store.Temporary
	tokens     map[string]store.Token
	uses       map[string]store.Use
}

func newToy() *toy {
	return &toy{
		identities: map[caveat.Subject]store.Identity{},
		temporary:  map[caveat.Subject]store.Temporary{},
		tokens:     map[string]store.Token{},
		uses:       map[string]store.Use{},
	}
}

func TestConformanceOfAToyBackend(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return newToy() })
}

func (b *toy) Close() error { return nil }

// do calls f with a copy of the records, one call at a time, and keeps the copy
// if f succeeds.
func (b *toy) do(ctx context.Context, f func(c *toy) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("use a toy: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &toy{
		identities: maps.Clone(b.identities), temporary: maps.Clone(b.temporary), tokens: maps.Clone(b.tokens), uses: maps.Clone(b.uses),
	}
	if err := f(c); err != nil {
		return err
	}
	if err := c.checkNames(); err != nil {
		return err
	}
	// A use belongs to a token.
	maps.DeleteFunc(c.uses, func(id string, _ store.Use) bool { _, ok := c.tokens[id]; return !ok })
	b.identities, b.temporary, b.tokens, b.uses = c.identities, c.temporary, c.tokens, c.uses
	return nil
}

func (b *toy) checkNames() error {
	names, usernames := map[nameKey]bool{}, map[string]bool{}
	for _, t := range b.tokens {
		name := nameKey{t.Subject, t.Name}
		if names[name] {
			return errors.BadValueIdentifierOccupied("name")
		}
		names[name] = true
	}
	for _, i := range b.identities {
		if i.Username != "" && usernames[i.Username] {
			return errors.BadValueIdentifierOccupied("username")
		}
		usernames[i.Username] = true
	}
	return nil
}

// find returns the record with the key, or notFound.
func find[K comparable, R any](records map[K]R, key K) (R, error) {
	r, ok := records[key]
	if !ok {
		return r, errors.NotFound()
	}
	return r, nil
}

// remove removes the record with the key, or returns notFound.
func remove[K comparable, R any](records map[K]R, key K) error {
	_, err := find(records, key)
	delete(records, key)
	return err
}

// add adds a record, or returns alreadyExists.
func add[K comparable, R any](records map[K]R, key K, r R) error {
	if _, ok := records[key]; ok {
		return errors.AlreadyExists()
	}
	records[key] = r
	return nil
}

func (b *toy) holder(subject caveat.Subject) store.Status {
	if i, ok := b.identities[subject]; ok {
		return i.Status()
	}
	return store.HolderMissing
}

// Keys.

func (b *toy) NamedKey(ctx context.Context, id string) (key store.Key, err error) {
	err = b.do(ctx, func(c *toy) error {
		t, err := find(c.tokens, id)
		if err == nil {
			t = t.Clone()
			key = store.Key{
				Secret: t.Secret, Subject: t.Subject, Revoked: t.Revoked, RevokedTails: t.RevokedTails,
				Tightened: t.Tightened, Bait: t.Bait, Holder: c.holder(t.Subject),
			}
		}
		return err
	})
	return key, err
}

func (b *toy) TemporaryKey(ctx context.Context, subject caveat.Subject) (key store.Key, err error) {
	err = b.do(ctx, func(c *toy) error {
		key, err = c.temporaryKey(subject)
		return err
	})
	return key, err
}

func (b *toy) temporaryKey(subject caveat.Subject) (store.Key, error) {
	t, err := find(b.temporary, subject)
	if err != nil {
		return store.Key{}, err
	}
	return store.Key{Secret: t.Secret, Subject: subject, Generation: t.Generation, Holder: b.holder(subject)}, nil
}

func (b *toy) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (key store.Key, err error) {
	err = b.do(ctx, func(c *toy) error {
		first := store.Temporary{Subject: subject, Secret: secret, Generation: 1}
		if err := first.Validate(); err != nil {
			return err
		}
		_ = add(c.temporary, subject, first)
		key, err = c.temporaryKey(subject)
		return err
	})
	return key, err
}

func (b *toy) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (generation int64, err error) {
	err = b.do(ctx, func(c *toy) error {
		generation = c.temporary[subject].Generation + 1
		if generation < 0 {
			return errors.New("there is no higher generation")
		}
		next := store.Temporary{Subject: subject, Secret: secret, Generation: generation}
		c.temporary[subject] = next
		return next.Validate()
	})
	return generation, err
}

func (b *toy) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	return b.do(ctx, func(c *toy) error {
		delete(c.temporary, subject)
		return nil
	})
}

// Tokens.

func (b *toy) CreateToken(ctx context.Context, t store.Token, require store.Status) (holder store.Status, err error) {
	err = b.do(ctx, func(c *toy) error {
		if err := t.ValidateNew(require); err != nil {
			return err
		}
		if require != 0 {
			if holder = c.holder(t.Subject); holder != require {
				return nil
			}
		}
		return add(c.tokens, t.ID, t.Clone())
	})
	if err != nil {
		return 0, err
	}
	return holder, nil
}

func (b *toy) GetToken(ctx context.Context, id string) (t store.Token, err error) {
	err = b.do(ctx, func(c *toy) error {
		t, err = find(c.tokens, id)
		return err
	})
	return t.Clone(), err
}

func (b *toy) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	return b.do(ctx, func(c *toy) error {
		t, err := find(c.tokens, id)
		if err == nil {
			c.tokens[id], err = store.UpdateToken(t, change)
		}
		return err
	})
}

func (b *toy) DeleteToken(ctx context.Context, id string) error {
	return b.do(ctx, func(c *toy) error { return remove(c.tokens, id) })
}

// Lists.

func (b *toy) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	if err := q.Validate(); err != nil && ctx.Err() == nil {
		return nil, next, err
	}
	err = b.do(ctx, func(c *toy) error {
		for _, t := range c.tokens {
			mine := q.Subject.IsZero() || q.Subject == t.Subject && (q.Name == "" || q.Name == t.Name)
			mine = mine && (q.Parent == "" || q.Parent == t.Parent)
			if mine && (q.After.IsZero() || isBefore(q.After, t)) {
				page = append(page, t)
			}
		}
		return nil
	})
	slices.SortFunc(page, func(a, b store.Token) int { return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID)) })
	if size := q.PageSize(); len(page) > size {
		page = page[:size]
		next = store.Cursor{Created: page[size-1].Created, ID: page[size-1].ID}
	}
	for i := range page {
		page[i] = page[i].Clone()
	}
	return page, next, err
}

func isBefore(c store.Cursor, t store.Token) bool {
	return cmp.Or(cmp.Compare(c.Created, t.Created), cmp.Compare(c.ID, t.ID)) < 0
}

func (b *toy) ListTokenIDs(ctx context.Context, q store.Query) (ids []string, next store.Cursor, err error) {
	page, next, err := b.ListTokens(ctx, q)
	for _, t := range page {
		ids = append(ids, t.ID)
	}
	return ids, next, err
}

func (b *toy) CountTokens(ctx context.Context, subject caveat.Subject) (count int64, err error) {
	err = b.do(ctx, func(c *toy) error {
		for _, t := range c.tokens {
			if t.Subject == subject {
				count++
			}
		}
		return nil
	})
	return count, err
}

// Identities.

func (b *toy) CreateIdentity(ctx context.Context, i store.Identity) error {
	return b.do(ctx, func(c *toy) error {
		if err := i.Validate(); err != nil {
			return err
		}
		return add(c.identities, i.Subject, i.Clone())
	})
}

func (b *toy) GetIdentity(ctx context.Context, subject caveat.Subject) (i store.Identity, err error) {
	err = b.do(ctx, func(c *toy) error {
		i, err = find(c.identities, subject)
		i = i.Clone()
		return err
	})
	return i, err
}

func (b *toy) GetIdentityByUsername(ctx context.Context, username string) (i store.Identity, err error) {
	err = b.do(ctx, func(c *toy) error {
		for _, i = range c.identities {
			if i.Username == username && username != "" {
				i = i.Clone()
				return nil
			}
		}
		i = store.Identity{}
		return errors.NotFound()
	})
	return i, err
}

func (b *toy) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	return b.do(ctx, func(c *toy) error {
		i, err := find(c.identities, subject)
		if err == nil {
			c.identities[subject], err = store.UpdateIdentity(i, change)
		}
		return err
	})
}

func (b *toy) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	return b.do(ctx, func(c *toy) error { return remove(c.identities, subject) })
}

// Uses.

func (b *toy) RecordUses(ctx context.Context, uses []store.Use) error {
	return b.do(ctx, func(c *toy) error {
		for _, u := range uses {
			if err := u.Validate(); err != nil {
				return err
			}
			if old, ok := c.uses[u.TokenID]; ok {
				u = old.Merge(u)
			}
			c.uses[u.TokenID] = u
		}
		return nil
	})
}

func (b *toy) LastUses(ctx context.Context, ids []string) (uses []store.Use, err error) {
	err = b.do(ctx, func(c *toy) error {
		for _, id := range ids {
			uses = append(uses, c.uses[id])
		}
		return nil
	})
	return uses, err
}

// Archive.

func (b *toy) Export(ctx context.Context, kind store.RecordKind, after string, limit int) (page []store.Record, next string, err error) {
	all := map[string]store.Record{}
	err = b.do(ctx, func(c *toy) error {
		switch kind {
		case store.IdentityRecords:
			for _, i := range c.identities {
				i = i.Clone()
				all[i.Subject.String()] = store.Record{Identity: &i}
			}
		case store.TemporaryRecords:
			for _, t := range c.temporary {
				all[t.Subject.String()] = store.Record{Temporary: &t}
			}
		case store.TokenRecords:
			for _, t := range c.tokens {
				t = t.Clone()
				all[t.ID] = store.Record{Token: &t}
			}
		case store.UseRecords:
			for _, u := range c.uses {
				all[u.TokenID] = store.Record{Use: &u}
			}
		default:
			return errors.BadData("kind")
		}
		return nil
	})
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(key string) bool { return key <= after })
	if size := (store.Query{Limit: limit}).PageSize(); len(keys) > size {
		keys, next = keys[:size], keys[size-1]
	}
	for _, key := range keys {
		page = append(page, all[key])
	}
	return page, next, err
}

func (b *toy) Import(ctx context.Context, records []store.Record) error {
	return b.do(ctx, func(c *toy) error {
		for _, r := range records {
			if err := r.Validate(); err != nil {
				return err
			}
			switch {
			case r.Identity != nil:
				c.identities[r.Identity.Subject] = r.Identity.Clone()
			case r.Temporary != nil:
				c.temporary[r.Temporary.Subject] = *r.Temporary
			case r.Use != nil:
				c.uses[r.Use.TokenID] = *r.Use
			default:
				c.tokens[r.Token.ID] = r.Token.Clone()
			}
		}
		return nil
	})
}

func (b *toy) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (replaced bool, err error) {
	err = b.do(ctx, func(c *toy) error {
		if err := (store.Temporary{Subject: subject, Secret: secret, Generation: 1}).Validate(); err != nil {
			return err
		}
		t, ok := c.temporary[subject]
		if replaced = ok && t.Secret.Equal(old); replaced {
			t.Secret = secret
			c.temporary[subject] = t
		}
		return nil
	})
	return replaced, err
}

func (b *toy) Scrub(ctx context.Context) error { return b.do(ctx, func(*toy) error { return nil }) }

// Watch.

func (b *toy) Watch(ctx context.Context, _ func(store.Change)) error {
	return b.do(ctx, func(*toy) error { return errors.ErrUnsupported })
}
