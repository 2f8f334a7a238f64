package storetest_test

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// usernameTaken reports whether another user has the name.
func (n *naive) usernameTaken(i store.Identity) bool {
	if n.is("user names not unique") || i.Username == "" && !n.is("no user name is a name") {
		return false
	}
	for subject, other := range n.identities {
		if subject != n.subject(i.Subject) && n.text(other.Username) == n.text(i.Username) {
			return true
		}
	}
	return false
}

// identity returns a copy of a record.
func (n *naive) identity(i store.Identity) store.Identity {
	switch {
	case n.is("rights forgotten"):
		i.Rights = nil
	case !n.is("rights share memory"):
		i = i.Clone()
	}
	return i
}

func (n *naive) CreateIdentity(ctx context.Context, i store.Identity) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	defer n.mu.Unlock()
	if err := i.Validate(); err != nil && !n.is("invalid records kept") {
		return err
	}
	_, taken := n.identities[n.subject(i.Subject)]
	occupied := n.usernameTaken(i)
	if n.is("create in two steps") {
		n.pause()
	}
	if taken && !n.is("create overwrites") {
		return errors.AlreadyExists()
	}
	if occupied {
		return errors.BadValueIdentifierOccupied("username")
	}
	n.identities[n.subject(i.Subject)] = n.identity(i)
	return nil
}

func (n *naive) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	if err := n.begin(ctx); err != nil {
		return store.Identity{}, err
	}
	defer n.mu.Unlock()
	i, ok := n.identities[n.subject(subject)]
	if !ok {
		return store.Identity{}, n.notFound()
	}
	return n.identity(i), nil
}

func (n *naive) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	if err := n.begin(ctx); err != nil {
		return store.Identity{}, err
	}
	defer n.mu.Unlock()
	for _, i := range n.identities {
		if n.text(i.Username) == n.text(username) && (username != "" || n.is("no user name is a name")) {
			return n.identity(i), nil
		}
	}
	return store.Identity{}, n.notFound()
}

func (n *naive) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	defer n.mu.Unlock()
	subject = n.subject(subject)
	old, ok := n.identities[subject]
	if !ok {
		return n.notFound()
	}
	i, err := store.UpdateIdentity(old, change)
	if n.is("failed update is written") {
		n.identities[subject] = i
		_ = change(&old)
		n.identities[subject] = old
	}
	if err != nil {
		return err
	}
	if n.is("lost update") {
		n.pause()
	}
	if n.usernameTaken(i) {
		return errors.BadValueIdentifierOccupied("username")
	}
	n.identities[subject] = i
	return nil
}

func (n *naive) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	defer n.mu.Unlock()
	subject = n.subject(subject)
	if _, ok := n.identities[subject]; !ok {
		return n.notFound()
	}
	delete(n.identities, subject)
	if n.is("tokens go with the identity") {
		for id, t := range n.tokens {
			if t.Subject == subject {
				delete(n.tokens, id)
			}
		}
	}
	if n.is("temporary secret goes with the identity") {
		delete(n.temporary, subject)
	}
	return nil
}
