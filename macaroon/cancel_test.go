package macaroon_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// failing fails selected calls of an otherwise working store.
type failing struct {
	store.Store
	update, remove func(n int) error // by how many calls came before
	updates        int
}

func (f *failing) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	f.updates++
	if f.update != nil {
		if err := f.update(f.updates); err != nil {
			return err
		}
	}
	return f.Store.UpdateToken(ctx, id, change)
}

func (f *failing) DeleteToken(ctx context.Context, id string) error {
	if f.remove != nil {
		if err := f.remove(0); err != nil {
			return err
		}
	}
	return f.Store.DeleteToken(ctx, id)
}

func (f *failing) DeleteTemporaryKey(context.Context, caveat.Subject) error { return errGone }

func TestAUseThatCannotBeTakenBackIsReported(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{UsageLimit: 1})
	f := &failing{Store: z.store, update: func(n int) error {
		if n == 2 {
			return errGone
		}
		return nil
	}}
	a, err := macaroon.NewAuthority(f, macaroon.WithInviters(openHouse{}), macaroon.WithClock(z.clock))
	require.NoError(t, err)
	err = a.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, func(context.Context, macaroon.Invitation) error {
		return errors.Forbidden("")
	})
	require.ErrorIs(t, err, errors.IDForbidden)
	require.ErrorIs(t, err, errGone)
}

func TestAUseThatCannotBeCountedIsNotMade(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{})
	a, err := macaroon.NewAuthority(&failing{Store: z.store, update: func(int) error { return errGone }},
		macaroon.WithInviters(openHouse{}), macaroon.WithClock(z.clock))
	require.NoError(t, err)
	err = a.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, func(context.Context, macaroon.Invitation) error {
		t.Error("applied")
		return nil
	})
	require.ErrorIs(t, err, errGone)
	requireOperational(t, err)
}

func TestWaitingForAnotherUseEndsWithTheContext(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{})
	err := z.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, func(context.Context, macaroon.Invitation) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := z.Consume(ctx, token.String(), 0, caveat.Request{Consumer: bob}, accept)
		requireOperational(t, err)
		require.ErrorIs(t, err, context.Canceled)
		return nil
	})
	require.NoError(t, err)
}

func TestADoneContextIsAnOperationalError(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := z.VerifyAccess(ctx, token.String(), caveat.Request{})
	requireOperational(t, err)
	require.ErrorIs(t, err, context.Canceled)
	_, err = z.IssueNamed(ctx, "name", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	requireOperational(t, err)
}

func TestDeletingThatFailsHalfway(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.access(t)
	f := &failing{Store: z.store, remove: func(int) error { return errGone }}
	a, err := macaroon.NewAuthority(f)
	require.NoError(t, err)
	require.ErrorIs(t, a.DeleteAll(t.Context(), alice), errGone)
	f.remove = func(int) error { return errors.NotFound() } // somebody else was faster
	require.NoError(t, a.DeleteAll(t.Context(), alice))
	require.ErrorIs(t, a.Forget(t.Context(), alice), errGone)
}

func TestADomainThatCannotBeMintedIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := macaroon.NewAuthority(newZone(t).store, macaroon.WithDomain(strings.Repeat("d", 70_000)))
	requireID(t, errors.IDBadValueDomain, err)
}
