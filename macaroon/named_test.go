package macaroon_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

func TestTheLifeOfANamedToken(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	token, err := z.IssueNamed(ctx, "laptop", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.MustParse("ip = 10.0.0.0/8")},
		Custom: json.RawMessage(`{"a": 1}`),
	})
	require.NoError(t, err)
	id := token.ID()

	n, err := z.Get(ctx, id)
	require.NoError(t, err)
	assert.Equal(t, token.String(), n.Token.String(), "the token is rebuilt to the byte")
	assert.Equal(t, "laptop", n.Name)
	assert.Equal(t, alice, n.Subject)
	assert.True(t, n.Created.Equal(start))
	assert.JSONEq(t, `{"a":1}`, string(n.Custom))
	assert.False(t, n.Revoked)
	byName, err := z.GetByName(ctx, alice, "laptop")
	require.NoError(t, err)
	assert.Equal(t, id, byName.ID())
	for _, q := range []struct {
		subject caveat.Subject
		name    string
	}{{alice, "Laptop"}, {bob, "laptop"}, {alice, ""}, {caveat.Subject{}, "laptop"}} {
		_, err = z.GetByName(ctx, q.subject, q.name)
		assert.ErrorIs(t, err, errors.IDNotFound)
	}

	local := func() error { _, err := z.VerifyAccess(ctx, token.String(), everywhere("10.1.1.1")); return err }
	require.NoError(t, local())
	require.NoError(t, z.Revoke(ctx, id))
	requireID(t, errors.IDTokenRevoked, local())
	require.NoError(t, z.Restore(ctx, id))
	require.NoError(t, local())

	_, err = z.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	assert.ErrorIs(t, err, errors.IDBadValueIdentifierOccupied)
	_, err = z.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: bob, Type: macaroon.AccessToken()})
	require.NoError(t, err)
	require.NoError(t, z.Update(ctx, id, macaroon.Change{Name: new("laptop")}))
	require.NoError(t, z.Update(ctx, id, macaroon.Change{Name: new("old laptop")}))
	other, err := z.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Revoked: true})
	require.NoError(t, err)
	requireID(t, errors.IDTokenRevoked, z.verify(other))
	assert.ErrorIs(t, z.Update(ctx, id, macaroon.Change{Name: new("laptop")}), errors.IDBadValueIdentifierOccupied)
	requireID(t, errors.IDBadValueName, z.Update(ctx, id, macaroon.Change{Name: new("x")}))
	requireID(t, errors.IDMissingAtLeastOneValue, z.Update(ctx, id, macaroon.Change{}))
	requireID(t, errors.IDBadValueJSON, z.Update(ctx, id, macaroon.Change{Custom: json.RawMessage("[]")}))

	name, revoked := "laptop", true
	err = z.Update(ctx, id, macaroon.Change{Name: &name, Revoked: &revoked, Custom: json.RawMessage(`{}`)})
	require.ErrorIs(t, err, errors.IDBadValueIdentifierOccupied)
	n, err = z.Get(ctx, id)
	require.NoError(t, err)
	assert.False(t, n.Revoked, "all or nothing")
	assert.JSONEq(t, `{"a":1}`, string(n.Custom))

	require.NoError(t, z.Delete(ctx, id))
	requireID(t, errors.IDTokenInvalid, local())
	for _, err := range []error{
		z.Delete(ctx, id), z.Revoke(ctx, id), z.Restore(ctx, id), z.Update(ctx, id, macaroon.Change{Name: new("name")}),
	} {
		assert.ErrorIs(t, err, errors.IDNotFound)
	}
	_, err = z.Get(ctx, id)
	assert.ErrorIs(t, err, errors.IDNotFound)
}

func everywhere(ip string) caveat.Request {
	req := everything()
	req.IP = mustAddr(ip)
	req.Service = caveat.Service{}
	return req
}

func TestListingPages(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	var want []string
	for i := range 7 {
		token, err := z.IssueNamed(t.Context(), fmt.Sprintf("token %d", i), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		require.NoError(t, err)
		want = append(want, token.ID())
		z.advance(1e9)
	}
	z.named(t, bob, macaroon.AccessToken())
	var got []string
	var after store.Cursor
	for {
		page, next, err := z.List(t.Context(), store.Query{Subject: alice, After: after, Limit: 3})
		require.NoError(t, err)
		for _, n := range page {
			got = append(got, n.ID())
		}
		if after = next; after.IsZero() {
			break
		}
	}
	assert.Equal(t, want, got)
	require.NoError(t, z.DeleteAll(t.Context(), alice))
	page, _, err := z.List(t.Context(), store.Query{})
	require.NoError(t, err)
	assert.Len(t, page, 1, "Bob's is still there")
	requireID(t, errors.IDTokenSubjectInvalid, z.DeleteAll(t.Context(), caveat.Subject{}))
}

func TestForgettingMoreThanAPage(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for i := range store.MaxPage + 5 {
		require.NoError(t, second(z.store.CreateToken(t.Context(), store.Token{
			ID: fmt.Sprint(i), Name: fmt.Sprint("t", i), Version: 2, Subject: alice, Type: "act", Secret: secret, Created: 1,
		}, 0)))
	}
	require.NoError(t, z.Forget(t.Context(), alice))
	page, _, err := z.List(t.Context(), store.Query{})
	require.NoError(t, err)
	assert.Empty(t, page)
	requireID(t, errors.IDTokenSubjectInvalid, z.Forget(t.Context(), caveat.Nobody()))
	requireID(t, errors.IDTokenSubjectInvalid, z.RevokeTemporary(t.Context(), caveat.Group("g")))
	_, err = z.TemporaryGeneration(t.Context(), caveat.Subject{})
	requireID(t, errors.IDTokenSubjectInvalid, err)
}

func TestAnUnreadableRecord(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for _, r := range []store.Token{{ID: "t1", Name: "n1", Type: "zzz"}, {ID: "a/b", Name: "n2", Type: "act"}} {
		r.Version, r.Subject, r.Secret, r.Created = 2, alice, secret, 1
		require.NoError(t, second(z.store.CreateToken(t.Context(), r, 0)))
		_, err := z.Get(t.Context(), r.ID)
		require.ErrorContains(t, err, r.ID)
	}
	_, _, err := z.List(t.Context(), store.Query{})
	require.Error(t, err)
}

// Records remain usable after the limits for new tokens have changed.
func TestRecordsFromBeforeALimit(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token, err := z.IssueNamed(t.Context(), "large", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: make256(200)})
	require.NoError(t, err)
	a, err := macaroon.NewAuthority(z.store, macaroon.WithLimits(macaroon.Limits{MaxSize: 300}), macaroon.WithMaxCaveats(1))
	require.NoError(t, err)
	page, _, err := a.List(t.Context(), store.Query{Subject: alice})
	require.NoError(t, err)
	require.Len(t, page, 1)
	assert.Equal(t, token.String(), page[0].Token.String())
}

func TestRevokingAConfinedCopyOfADeletedToken(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	a, err := macaroon.NewAuthority(&failing{Store: z.store, update: func(int) error { return errors.NotFound() }})
	require.NoError(t, err)
	requireID(t, errors.IDTokenInvalid, a.RevokeConfined(t.Context(), confine(t, token, caveat.REST)))
}

func TestRevokingAConfinedCopy(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	token := z.access(t)
	req := everywhere("10.1.1.1")
	check := func(token macaroon.Token) error { _, err := z.VerifyAccess(ctx, token.String(), req); return err }
	lent := confine(t, token, caveat.REST)
	derived := confine(t, lent, caveat.Until(start.Add(1e9)))
	sibling := confine(t, token, caveat.Until(start.Add(1e9)))
	twin := confine(t, token, caveat.REST) // the same copy, made again

	require.NoError(t, z.RevokeConfined(ctx, lent))
	requireID(t, errors.IDTokenRevoked, check(lent))
	requireID(t, errors.IDTokenRevoked, check(derived))
	requireID(t, errors.IDTokenRevoked, check(twin))
	requireID(t, errors.IDTokenInvalid, check(forged(t, lent)))
	require.NoError(t, check(token))
	require.NoError(t, check(sibling))
	requireID(t, errors.IDTokenRevoked, z.RevokeConfined(ctx, lent))
	requireID(t, errors.IDTokenRevoked, z.RevokeConfined(ctx, derived))
	require.NoError(t, z.RevokeConfined(ctx, sibling))

	// The record does not contain the signature.
	record, err := z.store.GetToken(ctx, token.ID())
	require.NoError(t, err)
	require.Len(t, record.RevokedTails, 2)
	assert.NotContains(t, string(record.RevokedTails[0][:]), string(lent.Signature()))

	requireID(t, errors.IDTokenInvalid, z.RevokeConfined(ctx, forged(t, token)))
	requireID(t, errors.IDNotSupported, z.RevokeConfined(ctx, z.temporary(t, alice, macaroon.AccessToken())))
	require.NoError(t, z.RevokeConfined(ctx, token))
	requireID(t, errors.IDTokenRevoked, check(token))
}

func TestRevokedCopiesAreBounded(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	require.NoError(t, z.store.UpdateToken(t.Context(), token.ID(), func(r *store.Token) error {
		for i := range 1024 {
			r.RevokedTails = append(r.RevokedTails, store.TailOf([]byte(fmt.Sprint(i))))
		}
		return nil
	}))
	assert.ErrorIs(t, z.RevokeConfined(t.Context(), confine(t, token, caveat.REST)), errors.IDLimitReached)
	require.NoError(t, z.verify(token))
}

func TestTheOwnerOfATokenIsKnownWithoutItsRecord(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.named(t, provider, macaroon.AccessToken())
	w := &watcher{Store: z.store}
	a, err := macaroon.NewAuthority(w)
	require.NoError(t, err)
	owner, err := a.Owner(t.Context(), token.ID())
	require.NoError(t, err)
	require.Equal(t, provider, owner)
	require.Equal(t, []int{1, 0}, []int{w.lookups, w.records}, "the record was read")
	_, err = a.Owner(t.Context(), "absent")
	require.ErrorIs(t, err, errors.IDNotFound)
}
