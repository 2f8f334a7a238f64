package storetest_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

func (n *naive) nameKey(t store.Token) nameKey {
	key := nameKey{n.subject(t.Subject), n.text(t.Name)}
	if n.is("names unique across subjects") {
		key.subject = caveat.Subject{}
	}
	return key
}

// nameTaken reports whether another token has the name.
func (n *naive) nameTaken(t store.Token) bool {
	owner, ok := n.names[n.nameKey(t)]
	return ok && owner != n.text(t.ID) && !n.is("names not unique")
}

func (n *naive) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	if n.is("context checked after the write") {
		defer func() { _, _ = n.createToken(context.WithoutCancel(ctx), t, require) }()
		return 0, ctx.Err()
	}
	return n.createToken(ctx, t, require)
}

func (n *naive) createToken(ctx context.Context, t store.Token, require store.Status) (holder store.Status, err error) {
	if err := n.begin(ctx); err != nil {
		return 0, err
	}
	defer n.mu.Unlock()
	if err := t.ValidateNew(require); err != nil && !n.is("invalid records kept") {
		return 0, err
	}
	if require != 0 {
		if holder = n.status(t.Subject); holder != require {
			return holder, nil
		}
	}
	if err := n.refusal(t); err != nil {
		return 0, err
	}
	n.keep(n.in(t, "create keeps memory"))
	return holder, nil
}

// refusal returns an error if the token cannot be created.
func (n *naive) refusal(t store.Token) error {
	_, taken := n.tokens[n.text(t.ID)]
	occupied := n.nameTaken(t)
	if n.is("create in two steps") {
		n.pause()
	}
	switch {
	case taken && n.is("taken id as occupied name"):
		return errors.BadValueIdentifierOccupied("name")
	case taken && !n.is("create overwrites"):
		return errors.AlreadyExists()
	case occupied && n.is("occupied name without a key"):
		return errors.BadValueIdentifierOccupied("")
	case occupied && n.is("occupied name as existing token"):
		return errors.AlreadyExists()
	case occupied:
		return errors.BadValueIdentifierOccupied("name")
	}
	return nil
}

func (n *naive) keep(t store.Token) {
	n.tokens[n.text(t.ID)] = t
	n.names[n.nameKey(t)] = n.text(t.ID)
}

func (n *naive) GetToken(ctx context.Context, id string) (store.Token, error) {
	if n.is("bad text upsets the database") && (!utf8.ValidString(id) || strings.Contains(id, "\x00")) {
		return store.Token{}, errors.New("invalid byte sequence")
	}
	if n.is("long text upsets the database") && len(id) > 8000 {
		return store.Token{}, errors.New("index row too large")
	}
	if err := n.begin(ctx); err != nil {
		return store.Token{}, err
	}
	defer n.mu.Unlock()
	t, ok := n.tokens[n.text(id)]
	if !ok {
		return store.Token{}, n.notFound()
	}
	return n.out(t, "get shares memory"), nil
}

func (n *naive) ListTokens(ctx context.Context, q store.Query) ([]store.Token, store.Cursor, error) {
	if err := n.begin(ctx); err != nil {
		return nil, store.Cursor{}, err
	}
	defer n.mu.Unlock()
	if q.Name != "" && q.Subject.IsZero() && !n.is("name without subject accepted") {
		return nil, store.Cursor{}, errors.BadData("subject")
	}
	if q.Parent != "" && !q.Subject.IsZero() && !n.is("parent with subject accepted") {
		return nil, store.Cursor{}, errors.BadData("parent")
	}
	var all []store.Token
	for _, t := range n.tokens {
		bySubject := q.Subject.IsZero() || n.subject(q.Subject) == n.subject(t.Subject)
		byName := q.Name == "" || n.text(q.Name) == n.text(t.Name) || n.is("names by prefix") && strings.HasPrefix(t.Name, q.Name)
		byParent := q.Parent == "" || n.text(q.Parent) == n.text(t.Parent) || n.is("parent ignored")
		if n.is("only children of the holder") && q.Parent != "" {
			byParent = byParent && t.Subject == n.tokens[q.Parent].Subject
		}
		if bySubject && byName && byParent && n.isAfter(t, q.After) {
			all = append(all, n.out(t, "list shares memory"))
		}
	}
	if n.is("unknown subject not found") && len(all) == 0 {
		return nil, store.Cursor{}, errors.NotFound()
	}
	slices.SortFunc(all, n.compare)
	return n.cut(all, q)
}

// cut returns the next page from the rest of a listing.
func (n *naive) cut(all []store.Token, q store.Query) ([]store.Token, store.Cursor, error) {
	size := q.PageSize()
	switch {
	case n.is("limit ignored"):
		size = 1 << 30
	case n.is("limit without bounds") && q.Limit > 0:
		size = q.Limit
	case n.is("page too small"):
		size = max(1, size-1)
	}
	page := all[:min(size, len(all))]
	if len(page) == 0 {
		return nil, store.Cursor{}, nil
	}
	last := page[len(page)-1]
	next := store.Cursor{Created: last.Created, ID: last.ID}
	switch {
	case n.is("cursor never ends"):
		return page, next, nil
	case n.is("cursor after the last page") && len(page) == size:
		return page, next, nil
	case len(page) == len(all):
		return page, store.Cursor{}, nil
	}
	return page, next, nil
}

func (n *naive) compare(a, b store.Token) int {
	created, id := cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID)
	switch {
	case n.is("order of ids only"):
		return id
	case n.is("ties in any order"):
		return cmp.Or(created, -id)
	case n.is("newest first"):
		return cmp.Or(-created, id)
	case n.is("order of letters"):
		return cmp.Or(created, cmp.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)), id)
	case n.is("numbers as floats"):
		return cmp.Or(cmp.Compare(float64(a.Created), float64(b.Created)), id)
	}
	return cmp.Or(created, id)
}

func (n *naive) isAfter(t store.Token, c store.Cursor) bool {
	switch {
	case c.IsZero() && !n.is("beginning as a place"):
		return true
	case n.is("page drops records"):
		return t.Created > c.Created
	case n.is("page repeats records"):
		return t.Created > c.Created || t.Created == c.Created && t.ID >= c.ID
	case n.is("cursor needs its token"):
		if _, ok := n.tokens[c.ID]; !ok {
			return false
		}
	}
	return n.compare(t, store.Token{Created: c.Created, ID: c.ID}) > 0
}

func (n *naive) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	defer n.mu.Unlock()
	old, ok := n.tokens[n.text(id)]
	if !ok {
		return n.notFound()
	}
	t, err := n.change(old, change)
	if err != nil {
		return err
	}
	if n.is("lost update", "late check of the limit") {
		n.pause()
		now, ok := n.tokens[n.text(id)]
		if !ok {
			return errors.NotFound()
		}
		if n.is("late check of the limit") { // as in "SET used = used + 1"
			t.UsageCount, t.RevokedTails = now.UsageCount+1, append(now.RevokedTails, t.RevokedTails[min(len(old.RevokedTails), len(t.RevokedTails)):]...)
		}
	}
	if n.is("deleted token comes back") {
		n.pause()
	}
	if n.nameTaken(t) {
		if n.is("refused rename writes the rest") {
			t.Name = old.Name
			n.tokens[n.text(id)] = t
		}
		return errors.BadValueIdentifierOccupied("name")
	}
	if !n.is("rename keeps the old name") {
		delete(n.names, n.nameKey(old))
	}
	n.keep(n.in(t, "change leaves memory"))
	return nil
}

// change calls the caller's function and validates the result.
func (n *naive) change(old store.Token, change func(*store.Token) error) (store.Token, error) {
	if n.is("change called twice") {
		_, _ = store.UpdateToken(old, change)
	}
	switch {
	case n.is("no change is a change") && change == nil:
		return old, nil
	case n.is("change gets the store's memory"):
		t := old
		err := change(&t)
		return t, err
	case n.is("change leaves memory"):
		t := old.Clone()
		err := change(&t)
		return t, err
	case n.is("failed update is written"):
		t := old.Clone()
		err := change(&t)
		n.tokens[t.ID] = t.Clone()
		return t, err
	case n.is("key may change", "outcome not checked"):
		t := old.Clone()
		if err := change(&t); err != nil {
			return t, err
		}
		if n.is("key may change") {
			return t, t.Validate()
		}
		t.ID, t.Subject, t.Created, t.Parent = old.ID, old.Subject, old.Created, old.Parent
		return t, nil
	}
	t, err := store.UpdateToken(old, change)
	if err != nil && n.is("error of change wrapped") {
		err = fmt.Errorf("update a token: %w", err)
	}
	return t, err
}

func (n *naive) DeleteToken(ctx context.Context, id string) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	defer n.mu.Unlock()
	t, ok := n.tokens[n.text(id)]
	if n.is("delete in two steps") {
		n.pause()
	}
	if !ok {
		if n.is("deleting no token succeeds") {
			return nil
		}
		return n.notFound()
	}
	delete(n.tokens, n.text(id))
	if !n.is("uses outlive their tokens") {
		delete(n.uses, n.text(id))
	}
	if !n.is("delete keeps the name") {
		delete(n.names, n.nameKey(t))
	}
	return nil
}
