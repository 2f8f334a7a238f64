package macaroon_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// openHouse lets every inviter invite to every target except "gone".
type openHouse struct{}

func (openHouse) CheckInvitation(_ context.Context, i macaroon.Invitation) error {
	switch {
	case i.Target == "gone":
		return errors.InviteTokenTargetIDInvalid(i.Target)
	case i.Target == "strict" && i.Custom:
		return errors.InviteTokenSubjectNotAuthorized()
	}
	return nil
}

func (z *zone) invite(t testing.TB, typ macaroon.InviteType, g macaroon.Grant) macaroon.Token {
	t.Helper()
	g.Subject, g.Type = alice, macaroon.InviteToken(typ, "g1")
	token, err := z.IssueNamed(context.Background(), "invite", g)
	require.NoError(t, err)
	return token
}

func accept(context.Context, macaroon.Invitation) error { return nil }

func TestAUsageLimitAdmitsExactlyThatNumber(t *testing.T) {
	t.Parallel()
	const limit, tries = 5, 40
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	other := newZoneOver(t, z.store)
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{UsageLimit: limit})
	var admitted, attempts atomic.Int64
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() {
			err := z.Consume(context.Background(), token.String(), macaroon.UserJoinGroup, caveat.Request{Consumer: bob},
				func(context.Context, macaroon.Invitation) error {
					if attempts.Add(1); i%3 == 0 {
						return errors.Forbidden("not you")
					}
					admitted.Add(1)
					return nil
				})
			if err != nil && !errors.Is(err, errors.IDInviteTokenUsageLimitReached) && !errors.Is(err, errors.IDForbidden) {
				t.Errorf("unexpected: %v", err)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, limit, admitted.Load())
	n, err := other.Get(t.Context(), token.ID())
	require.NoError(t, err)
	assert.EqualValues(t, limit, n.UsageCount)
	requireID(t, errors.IDInviteTokenUsageLimitReached, z.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, accept))
}

// Two authorities do not wait for each other: the store enforces the limit
// between them.
func TestAUsageLimitHoldsForSeveralAuthorities(t *testing.T) {
	t.Parallel()
	const limit, tries = 7, 30
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{UsageLimit: limit})
	var applied atomic.Int64
	var wg sync.WaitGroup
	for range 3 {
		a, err := macaroon.NewAuthority(z.store, macaroon.WithInviters(openHouse{}), macaroon.WithClock(z.clock))
		require.NoError(t, err)
		for i := range tries {
			wg.Go(func() {
				err := a.Consume(context.Background(), token.String(), 0, caveat.Request{Consumer: bob}, func(context.Context, macaroon.Invitation) error {
					if i%4 == 0 {
						return errors.Forbidden("not you")
					}
					applied.Add(1)
					return nil
				})
				assert.True(t, err == nil || errors.Is(err, errors.IDInviteTokenUsageLimitReached) || errors.Is(err, errors.IDForbidden), "%v", err)
			})
		}
	}
	wg.Wait()
	assert.LessOrEqual(t, applied.Load(), int64(limit))
	// A use that failed while all others were reserved may have caused another
	// rejection. No use is reserved any longer, so exactly the rest remains.
	for applied.Load() < limit {
		require.NoError(t, z.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, accept))
		applied.Add(1)
	}
	requireID(t, errors.IDInviteTokenUsageLimitReached, z.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, accept))
	n, err := z.Get(t.Context(), token.ID())
	require.NoError(t, err)
	assert.EqualValues(t, limit, n.UsageCount)
}

func TestTokensWithoutALimit(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	named := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{})
	for _, token := range []macaroon.Token{named, z.temporary(t, alice, macaroon.InviteToken(macaroon.UserJoinGroup, "g1"))} {
		for range 20 {
			require.NoError(t, z.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, accept))
		}
	}
	n, err := z.Get(t.Context(), named.ID())
	require.NoError(t, err)
	assert.EqualValues(t, 20, n.UsageCount)
}

func TestAFailedUseDoesNotCount(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{UsageLimit: 1})
	req := caveat.Request{Consumer: bob}
	count := func() int64 {
		n, err := z.Get(t.Context(), token.ID())
		require.NoError(t, err)
		return n.UsageCount
	}
	broken := errors.New("no disk")
	err := z.Consume(t.Context(), token.String(), 0, req, func(context.Context, macaroon.Invitation) error { return broken })
	require.ErrorIs(t, err, broken)
	assert.Zero(t, count())

	assert.Panics(t, func() {
		_ = z.Consume(t.Context(), token.String(), 0, req, func(context.Context, macaroon.Invitation) error { panic("bug") })
	})
	assert.Zero(t, count())

	ctx, cancel := context.WithCancel(t.Context())
	err = z.Consume(ctx, token.String(), 0, req, func(ctx context.Context, _ macaroon.Invitation) error {
		assert.EqualValues(t, 1, count(), "a use is counted before it is made")
		cancel()
		return ctx.Err()
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, count())
	require.NoError(t, z.Consume(t.Context(), token.String(), 0, req, accept))
	assert.EqualValues(t, 1, count())
}

func TestWhichConsumersAnInvitationAccepts(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	for i := macaroon.UserJoinGroup; i <= macaroon.GroupJoinAtmInventory; i++ {
		token := z.temporary(t, alice, macaroon.InviteToken(i, "g1"))
		may := []caveat.Subject{bob}
		switch i {
		case macaroon.SupportSpace:
			may = []caveat.Subject{provider}
		case macaroon.RegisterOneprovider:
			may = []caveat.Subject{bob, provider, caveat.Nobody()}
		}
		for _, consumer := range []caveat.Subject{bob, provider, caveat.Nobody()} {
			err := z.Consume(t.Context(), token.String(), i, caveat.Request{Consumer: consumer}, accept)
			if slices.Contains(may, consumer) {
				require.NoError(t, err, "%v by %v", i, consumer)
			} else {
				requireID(t, errors.IDInviteTokenConsumerInvalid, err)
			}
		}
	}
}

func TestContentOfAnInvitation(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	var got macaroon.Invitation
	keep := func(_ context.Context, i macaroon.Invitation) error { got = i; return nil }
	req := caveat.Request{Consumer: bob}

	token := z.invite(t, macaroon.UserJoinSpace, macaroon.Grant{})
	require.NoError(t, z.Consume(t.Context(), token.String(), 0, req, keep))
	want := macaroon.Invitation{
		Inviter: alice, Type: macaroon.UserJoinSpace, Target: "g1", Privileges: macaroon.UserJoinSpace.DefaultPrivileges(),
	}
	assert.Equal(t, want, got)
	require.NoError(t, z.Consume(t.Context(), z.temporary(t, alice, macaroon.InviteToken(macaroon.UserJoinSpace, "g1")).String(), 0, req, keep))
	assert.Equal(t, want, got)

	for _, privileges := range [][]string{{"space_view", "space_update", "space_view"}, {}} {
		require.NoError(t, z.DeleteAll(t.Context(), alice))
		token = z.invite(t, macaroon.UserJoinSpace, macaroon.Grant{Privileges: privileges})
		require.NoError(t, z.Consume(t.Context(), token.String(), 0, req, keep))
		assert.True(t, got.Custom)
		sorted := slices.Compact(slices.Sorted(slices.Values(privileges)))
		assert.Equal(t, append([]string{}, sorted...), got.Privileges)
	}
	// Privileges equal to the defaults are not custom.
	require.NoError(t, z.DeleteAll(t.Context(), alice))
	token = z.invite(t, macaroon.UserJoinSpace, macaroon.Grant{Privileges: macaroon.UserJoinSpace.DefaultPrivileges()})
	require.NoError(t, z.Consume(t.Context(), token.String(), 0, req, keep))
	assert.False(t, got.Custom)
}

func TestChangesSinceAnInvitationWasIssued(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	req := caveat.Request{Consumer: bob}
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{})
	withdrawn := newZoneOver(t, z.store) // no target exists there
	requireID(t, errors.IDInviteTokenTargetIDInvalid, withdrawn.Consume(t.Context(), token.String(), 0, req, accept))
	temporary := z.temporary(t, alice, macaroon.InviteToken(macaroon.UserJoinGroup, "g1"))
	requireID(t, errors.IDInviteTokenTargetIDInvalid, withdrawn.Consume(t.Context(), temporary.String(), 0, req, accept))
	z.block(t, alice, true)
	requireID(t, errors.IDInviteTokenSubjectNotAuthorized, z.Consume(t.Context(), token.String(), 0, req, accept))
	z.block(t, alice, false)
	requireID(t, errors.IDNotAnInviteToken, z.Consume(t.Context(), z.access(t).String(), 0, req, accept))
	requireID(t, errors.IDNotAnInviteToken, z.Consume(t.Context(), token.String(), macaroon.UserJoinSpace, req, accept))
	requireID(t, errors.IDTokenCaveatUnverified, z.Consume(t.Context(), confine(t, token, caveat.Consumers{alice}).String(), 0, req, accept))
	require.NoError(t, z.Revoke(t.Context(), token.ID()))
	requireID(t, errors.IDTokenRevoked, z.Consume(t.Context(), token.String(), 0, req, accept))
}

// meddler changes a token between its verification and its use.
type meddler struct {
	store.Store
	meddle func()
}

func (m *meddler) GetToken(ctx context.Context, id string) (store.Token, error) {
	record, err := m.Store.GetToken(ctx, id)
	m.meddle()
	return record, err
}

func TestChangesWhileAnInvitationIsConsumed(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{})
	m := &meddler{Store: z.store}
	a, err := macaroon.NewAuthority(m, macaroon.WithInviters(openHouse{}), macaroon.WithClock(z.clock))
	require.NoError(t, err)
	consume := func() error {
		return a.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, func(context.Context, macaroon.Invitation) error {
			t.Error("applied")
			return nil
		})
	}
	m.meddle = func() { require.NoError(t, z.Revoke(t.Context(), token.ID())) }
	requireID(t, errors.IDTokenRevoked, consume())
	require.NoError(t, z.Restore(t.Context(), token.ID()))
	m.meddle = func() { require.NoError(t, z.Delete(t.Context(), token.ID())) }
	requireID(t, errors.IDTokenInvalid, consume())

	// Another authority takes the last use.
	token = z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{UsageLimit: 1})
	m.meddle = func() {
		require.NoError(t, z.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, accept))
	}
	requireID(t, errors.IDInviteTokenUsageLimitReached, consume())
}

func TestInvitationsThatCannotBeIssued(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	invite := func(g macaroon.Grant) error {
		g.Subject = alice
		_, err := z.IssueNamed(t.Context(), "invite", g)
		return err
	}
	join := macaroon.InviteToken(macaroon.UserJoinGroup, "g1")
	requireID(t, errors.IDBadValueTooLow, invite(macaroon.Grant{Type: join, UsageLimit: -1}))
	requireID(t, errors.IDBadValueListNotAllowed, invite(macaroon.Grant{Type: join, Privileges: []string{"group_view", "space_view"}}))
	requireID(t, errors.IDBadData, invite(macaroon.Grant{Type: macaroon.AccessToken(), UsageLimit: 1}))
	requireID(t, errors.IDBadData, invite(macaroon.Grant{Type: macaroon.AccessToken(), Privileges: []string{}}))
	requireID(t, errors.IDBadData, invite(macaroon.Grant{Type: macaroon.InviteToken(macaroon.SupportSpace, "s"), Privileges: []string{}}))
	requireID(t, errors.IDInviteTokenTargetIDInvalid, invite(macaroon.Grant{Type: macaroon.InviteToken(macaroon.UserJoinGroup, "gone")}))
	strict := macaroon.InviteToken(macaroon.UserJoinGroup, "strict")
	requireID(t, errors.IDInviteTokenSubjectNotAuthorized, invite(macaroon.Grant{Type: strict, Privileges: []string{"group_view"}}))
	require.NoError(t, invite(macaroon.Grant{Type: strict}))
	_, err := newZone(t).IssueNamed(t.Context(), "invite", macaroon.Grant{Subject: alice, Type: join})
	requireID(t, errors.IDInviteTokenTargetIDInvalid, err)
}
