package storetest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

func (n *naive) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	if err := n.begin(ctx); err != nil {
		return nil, "", err
	}
	defer n.mu.Unlock()
	all := make(map[string]store.Record)
	switch kind {
	case store.IdentityRecords:
		for _, i := range n.identities {
			i = n.identity(i)
			all[i.Subject.String()] = store.Record{Identity: &i}
		}
	case store.TemporaryRecords:
		for _, t := range n.temporary {
			all[t.Subject.String()] = store.Record{Temporary: &t}
		}
	case store.TokenRecords:
		for id, t := range n.tokens {
			t = t.Clone()
			all[id] = store.Record{Token: &t}
		}
	case store.UseRecords:
		for id, u := range n.uses {
			all[id] = store.Record{Use: &u}
		}
	default:
		return nil, "", errors.BadData("kind")
	}
	var page []store.Record
	var last string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if key <= after {
			continue
		}
		if len(page) == (store.Query{Limit: limit}).PageSize() {
			return page, last, nil
		}
		page, last = append(page, all[key]), key
	}
	return page, "", nil
}

func (n *naive) Import(ctx context.Context, records []store.Record) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	defer n.mu.Unlock()
	identities, temporary, tokens, uses := maps.Clone(n.identities), maps.Clone(n.temporary), maps.Clone(n.tokens), maps.Clone(n.uses)
	for _, r := range records {
		if err := r.Validate(); err != nil {
			return err
		}
		switch {
		case r.Identity != nil:
			identities[n.subject(r.Identity.Subject)] = n.identity(*r.Identity)
		case r.Temporary != nil:
			temporary[n.subject(r.Temporary.Subject)] = *r.Temporary
		case r.Use != nil:
			n.importUse(uses, *r.Use)
		default:
			tokens[n.text(r.Token.ID)] = r.Token.Clone()
		}
	}
	names, usernames := make(map[nameKey]string), make(map[string]bool)
	for id, t := range tokens {
		if _, taken := names[n.nameKey(t)]; taken {
			return errors.BadValueIdentifierOccupied("name")
		}
		names[n.nameKey(t)] = id
	}
	for _, i := range identities {
		if i.Username != "" && usernames[i.Username] {
			return errors.BadValueIdentifierOccupied("username")
		}
		usernames[i.Username] = true
	}
	n.identities, n.temporary, n.tokens, n.names, n.uses = identities, temporary, tokens, names, uses
	n.dropUses()
	return nil
}

func (n *naive) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	if err := n.begin(ctx); err != nil {
		return false, err
	}
	defer n.mu.Unlock()
	if err := n.checkTemporary(subject, secret); err != nil {
		return false, err
	}
	subject = n.subject(subject)
	t, ok := n.temporary[subject]
	if !ok || !t.Secret.Equal(old) {
		return false, nil
	}
	t.Secret = secret
	n.temporary[subject] = t
	return true, nil
}

func (n *naive) Scrub(ctx context.Context) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	defer n.mu.Unlock()
	if n.is("scrub forgets") {
		clear(n.temporary)
	}
	return nil
}

// Watch returns errors.ErrUnsupported, because a naive store has no feed.
func (n *naive) Watch(ctx context.Context, _ func(store.Change)) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	n.mu.Unlock()
	switch {
	case n.is("no feed and no error"):
		return nil
	case n.is("no feed and no end"):
		<-ctx.Done()
		return ctx.Err()
	}
	return fmt.Errorf("watch a naive store: %w", errors.ErrUnsupported)
}
