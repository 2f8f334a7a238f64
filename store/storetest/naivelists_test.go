package storetest_test

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

func (n *naive) ListTokenIDs(ctx context.Context, q store.Query) ([]string, store.Cursor, error) {
	if n.is("ids ignore their context") {
		ctx = context.WithoutCancel(ctx)
	}
	switch {
	case n.is("ids of everybody"):
		q.Subject, q.Name = caveat.Subject{}, ""
	case n.is("ids ignore the name"), n.is("ids of a name alone") && q.Subject.IsZero():
		q.Name = ""
	case n.is("ids ignore the cursor"):
		q.After = store.Cursor{}
	case n.is("ids of one size"):
		q.Limit = store.DefaultPage
	}
	records, next, err := n.ListTokens(ctx, q)
	if err != nil {
		return nil, store.Cursor{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var page []string
	for _, t := range records {
		page = append(page, t.ID)
	}
	switch last := len(page) - 1; {
	case n.is("ids in reverse"):
		for i := range len(page) / 2 {
			page[i], page[last-i] = page[last-i], page[i]
		}
	case n.is("ids without a cursor"):
		next = store.Cursor{}
	case n.is("ids with a cursor after the last page") && last >= 0:
		next = store.Cursor{Created: records[last].Created, ID: records[last].ID}
	case n.is("ids share memory") && q == (store.Query{}):
		if n.ids == nil {
			n.ids = page
		}
		page = n.ids
	}
	return page, next, nil
}

func (n *naive) CountTokens(ctx context.Context, subject caveat.Subject) (int64, error) {
	if n.is("count ignores its context") {
		ctx = context.WithoutCancel(ctx)
	}
	if n.is("count by a page") {
		page, _, err := n.ListTokens(ctx, store.Query{Subject: subject, Limit: store.MaxPage})
		return int64(len(page)), err
	}
	if err := n.begin(ctx); err != nil {
		return 0, err
	}
	defer n.mu.Unlock()
	var count int64
	for _, t := range n.tokens {
		mine := n.subject(t.Subject) == n.subject(subject)
		switch {
		case n.is("count of everybody"), n.is("count of everybody for no subject") && subject.IsZero(), n.is("count by id") && t.Subject.ID == subject.ID:
			mine = true
		case n.is("count leaves revoked tokens out") && t.Revoked:
			mine = false
		}
		if mine {
			count++
		}
	}
	if n.counts[subject] = max(n.counts[subject], count); n.is("count never falls") {
		count = n.counts[subject]
	}
	if n.is("unknown subject not counted") && count == 0 {
		return 0, n.notFound()
	}
	return count, nil
}
