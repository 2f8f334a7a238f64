package macaroon_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// idsOnly is a store that fails when records are read.
type idsOnly struct{ *memory.Store }

var errRecordRead = errors.New("a record was read")

func (idsOnly) GetToken(context.Context, string) (store.Token, error) {
	return store.Token{}, errRecordRead
}

func (idsOnly) ListTokens(context.Context, store.Query) ([]store.Token, store.Cursor, error) {
	return nil, store.Cursor{}, errRecordRead
}

func TestListsOfIDsAndDeletionsReadNoRecords(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := idsOnly{memory.New()}
	a, err := macaroon.NewAuthority(s)
	require.NoError(t, err)
	user, err := a.CreateUser(ctx, macaroon.NewUser{ID: "u1"})
	require.NoError(t, err)
	want := map[string]bool{}
	const tokens = store.MaxPage + 1
	for i := range tokens {
		issued, err := a.IssueNamed(ctx, fmt.Sprint("token ", i), macaroon.Grant{Subject: user, Type: macaroon.AccessToken()})
		require.NoError(t, err)
		want[issued.ID()] = true
	}

	got := map[string]bool{}
	q := store.Query{Subject: user}
	for pages := 0; pages == 0 || !q.After.IsZero(); pages++ {
		page, next, err := a.ListIDs(ctx, q)
		require.NoError(t, err)
		require.NotEmpty(t, page)
		for _, id := range page {
			got[id] = true
		}
		q.After = next
	}
	require.Equal(t, want, got)

	require.NoError(t, a.DeleteAll(ctx, user))
	n, err := s.CountTokens(ctx, user)
	require.NoError(t, err)
	require.Zero(t, n)
}
