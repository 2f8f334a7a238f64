package macaroon_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// limitOf returns the limit in the error, or 0 for other errors.
func limitOf(t *testing.T, err error) int64 {
	t.Helper()
	e, ok := errors.AsType[*errors.Error](err)
	if !ok || e.ID != errors.IDLimitReached {
		t.Logf("another error: %v", err)
		return 0
	}
	limit, _ := e.Details["limit"].(int64)
	return limit
}

// withUsers returns an authority over a store with users of these ids.
func withUsers(t *testing.T, ids []string, options ...macaroon.Option) (*macaroon.Authority, store.Store) {
	t.Helper()
	s := memory.New()
	a, err := macaroon.NewAuthority(s, options...)
	require.NoError(t, err)
	for _, id := range ids {
		_, err := a.CreateUser(t.Context(), macaroon.NewUser{ID: id})
		require.NoError(t, err)
	}
	return a, s
}

func metadata(size int) json.RawMessage {
	const around = len(`{"x":""}`)
	return json.RawMessage(`{"x":"` + strings.Repeat("m", size-around) + `"}`)
}

func grant(id string) macaroon.Grant {
	return macaroon.Grant{Subject: caveat.User(id), Type: macaroon.AccessToken()}
}

// Quotas apply when a token is created or its metadata changes, and only then.
// The error contains the limit.
func TestTheStorageOfASubjectIsBounded(t *testing.T) {
	a, s := withUsers(t, []string{"alice"})
	ctx := t.Context()
	g := grant("alice")

	g.Custom = metadata(macaroon.DefaultCustomMetadata + 1)
	_, err := a.IssueNamed(ctx, "metadata", g)
	require.EqualValues(t, macaroon.DefaultCustomMetadata, limitOf(t, err))
	g.Custom = metadata(macaroon.DefaultCustomMetadata)
	token, err := a.IssueNamed(ctx, "metadata", g)
	require.NoError(t, err)

	err = a.Update(ctx, token.ID(), macaroon.Change{Custom: metadata(macaroon.DefaultCustomMetadata + 1)})
	require.EqualValues(t, macaroon.DefaultCustomMetadata, limitOf(t, err))
	require.NoError(t, a.Update(ctx, token.ID(), macaroon.Change{Custom: metadata(macaroon.DefaultCustomMetadata)}))

	long := paths(800)
	g.Caveats = []caveat.Caveat{long, long}
	_, err = a.IssueNamed(ctx, "two", g)
	require.NoError(t, err)
	g.Caveats = []caveat.Caveat{long, long, long, long}
	_, err = a.IssueNamed(ctx, "four", g)
	require.EqualValues(t, macaroon.DefaultRecord, limitOf(t, err))

	// A record from another release or from a copy.
	record, err := s.GetToken(ctx, token.ID())
	require.NoError(t, err)
	record.ID, record.Name, record.Custom = "old", "old", metadata(1<<20)
	require.NoError(t, second(s.CreateToken(ctx, record, 0)))
	require.NoError(t, a.Revoke(ctx, "old"))
	require.NoError(t, a.Restore(ctx, "old"))
	require.NoError(t, a.Update(ctx, "old", macaroon.Change{Name: new("renamed")}))
	require.NoError(t, a.Update(ctx, "old", macaroon.Change{Custom: metadata(100)}))
}

// paths returns a caveat with n paths of about 70 bytes each.
func paths(n int) caveat.DataPath {
	list := make(caveat.DataPath, n)
	for i := range list {
		list[i] = fmt.Sprintf("/space/%044d", i)
	}
	return list
}

func TestTheNamedTokensOfEachSubjectAreLimited(t *testing.T) {
	a, s := withUsers(t, []string{"alice", "bob"}, macaroon.WithQuotas(macaroon.Quotas{NamedTokens: 3}))
	ctx := t.Context()
	issue := func(id, name string) error {
		_, err := a.IssueNamed(ctx, name, grant(id))
		return err
	}
	for _, name := range []string{"one", "two", "three"} {
		require.NoError(t, issue("alice", name))
	}
	require.EqualValues(t, 3, limitOf(t, issue("alice", "four")))
	_, err := a.IssueLegacy(ctx, caveat.User("alice"), nil)
	require.EqualValues(t, 3, limitOf(t, err), "a token of the old API is a named one")
	require.NoError(t, issue("bob", "one"))
	_, err = a.Issue(ctx, macaroon.Grant{
		Subject: caveat.User("alice"), Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(a.Now().Add(time.Hour))},
	})
	require.NoError(t, err, "temporary tokens have no records")

	require.NoError(t, a.SetBlocked(ctx, caveat.User("alice"), true))
	require.ErrorIs(t, issue("alice", "four"), errors.IDUserBlocked, "the subject comes first")
	require.NoError(t, a.SetBlocked(ctx, caveat.User("alice"), false))

	token, err := a.GetByName(ctx, caveat.User("alice"), "two")
	require.NoError(t, err)
	require.NoError(t, a.Delete(ctx, token.ID()))
	require.NoError(t, issue("alice", "four"))

	record, err := s.GetToken(ctx, mustGet(t, a, "alice", "four").ID())
	require.NoError(t, err)
	record.ID, record.Name = "copied", "copied"
	require.NoError(t, second(s.CreateToken(ctx, record, 0)), "a store has no quota")
	require.NoError(t, a.Update(ctx, "copied", macaroon.Change{Custom: metadata(100)}), "nor have changes to what is there")
}

func mustGet(t *testing.T, a *macaroon.Authority, id, name string) macaroon.Named {
	t.Helper()
	named, err := a.GetByName(t.Context(), caveat.User(id), name)
	require.NoError(t, err)
	return named
}

func TestQuotasAreOptionsAndNotNegative(t *testing.T) {
	for _, q := range []macaroon.Quotas{{NamedTokens: -1}, {CustomMetadata: -1}, {Record: -1}} {
		_, err := macaroon.NewAuthority(memory.New(), macaroon.WithQuotas(q))
		require.ErrorIs(t, err, errors.IDBadValueTooLow)
	}
	_, err := macaroon.NewAuthority(memory.New(), macaroon.WithMaxIssuedSize(-1))
	require.ErrorIs(t, err, errors.IDBadValueTooLow)
	a, _ := withUsers(t, []string{"alice"}, macaroon.WithQuotas(macaroon.Quotas{CustomMetadata: 100, Record: 200}))
	g := grant("alice")
	g.Custom = metadata(101)
	_, err = a.IssueNamed(t.Context(), "large", g)
	require.EqualValues(t, 100, limitOf(t, err))
	g.Custom = metadata(100)
	_, err = a.IssueNamed(t.Context(), strings.Repeat("n", 128), g)
	require.EqualValues(t, 200, limitOf(t, err))
}

// Issued tokens must fit into the headers of a server with lower limits than
// the library. Tokens of other issuers are parsed and shown unchanged.
func TestNewTokensRespectTheMaximumIssuedSize(t *testing.T) {
	s := memory.New()
	generous, err := macaroon.NewAuthority(s)
	require.NoError(t, err)
	_, err = generous.CreateUser(t.Context(), macaroon.NewUser{ID: "alice"})
	require.NoError(t, err)
	a, err := macaroon.NewAuthority(s, macaroon.WithMaxIssuedSize(8<<10))
	require.NoError(t, err)

	large := grant("alice")
	large.Caveats = []caveat.Caveat{paths(300), caveat.Until(a.Now().Add(time.Hour))}
	tooLarge := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, errors.IDTokenTooLarge)
		require.ErrorContains(t, err, "8192")
	}
	_, err = a.IssueNamed(t.Context(), "large", large)
	tooLarge(err)
	_, err = a.Issue(t.Context(), large)
	tooLarge(err)
	small, err := a.IssueNamed(t.Context(), "small", grant("alice"))
	require.NoError(t, err)
	_, err = a.Confine(t.Context(), small, large.Caveats...)
	tooLarge(err)

	token, err := generous.IssueNamed(t.Context(), "large", large)
	require.NoError(t, err)
	read, err := a.Parse(token.String())
	require.NoError(t, err)
	shown, err := a.Get(t.Context(), read.ID())
	require.NoError(t, err)
	require.Equal(t, token.String(), shown.Token.String())
}

// watchedStore records the largest number of records returned by one call.
type watchedStore struct {
	store.Store
	most int
}

func (w *watchedStore) ListTokens(ctx context.Context, q store.Query) ([]store.Token, store.Cursor, error) {
	page, next, err := w.Store.ListTokens(ctx, q)
	w.most = max(w.most, len(page))
	return page, next, err
}

// Pages of records are bounded in bytes, because records can be large. Together
// the pages contain the whole list in order.
func TestPagesOfRecordsAreBoundedInBytes(t *testing.T) {
	for _, c := range []struct {
		name                 string
		records, size, limit int
		pages                int
	}{
		{"large records", 40, 200_000, 0, 10},
		{"small records", 250, 100, 0, 3},
		{"a limit of one", 3, 100, 1, 3},
		{"a limit below a step", 8, 100, 3, 3},
		{"none", 0, 0, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &watchedStore{Store: memory.New()}
			a, err := macaroon.NewAuthority(s, macaroon.WithQuotas(macaroon.Quotas{CustomMetadata: 1 << 20}))
			require.NoError(t, err)
			_, err = a.CreateUser(t.Context(), macaroon.NewUser{ID: "alice"})
			require.NoError(t, err)
			for i := range c.records {
				g := grant("alice")
				g.Custom = metadata(c.size)
				_, err := a.IssueNamed(t.Context(), fmt.Sprintf("token %03d", i), g)
				require.NoError(t, err)
			}
			var listed []string
			pages := 0
			for q := (store.Query{Subject: caveat.User("alice"), Limit: c.limit}); ; {
				page, next, err := a.List(t.Context(), q)
				require.NoError(t, err)
				pages++
				size := 0
				for _, n := range page {
					listed = append(listed, n.ID())
					size += len(n.Custom)
				}
				require.Less(t, size, 64<<10+4*200_000)
				if q.After = next; next.IsZero() {
					break
				}
			}
			ids, _, err := a.ListIDs(t.Context(), store.Query{Subject: caveat.User("alice"), Limit: store.MaxPage})
			require.NoError(t, err)
			require.Equal(t, ids, listed)
			require.Equal(t, c.pages, pages)
			require.LessOrEqual(t, s.most, 8)
		})
	}
}
