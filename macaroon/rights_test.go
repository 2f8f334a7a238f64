package macaroon_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

func TestRightsAreGrantedAndWithdrawn(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	has := func() bool {
		t.Helper()
		ok, err := z.HasRight(t.Context(), alice, macaroon.RightManageTokens)
		require.NoError(t, err)
		return ok
	}
	require.False(t, has())
	for range 2 {
		require.NoError(t, z.GrantRight(t.Context(), alice, macaroon.RightManageTokens))
		require.True(t, has())
	}
	assert.Equal(t, macaroon.RightManageTokens, z.lastEvent(t).Right)
	require.NoError(t, z.GrantRight(t.Context(), alice, "oz_providers_invite"))
	u, err := z.User(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, []string{"oz_providers_invite", macaroon.RightManageTokens}, u.Rights)

	z.block(t, alice, true)
	require.False(t, has(), "a blocked user has no rights")
	z.block(t, alice, false)
	require.True(t, has())
	for range 2 {
		require.NoError(t, z.WithdrawRight(t.Context(), alice, macaroon.RightManageTokens))
		require.False(t, has())
	}
	require.True(t, slices.IsSorted(macaroon.AdminRights()))
}

func TestOnlyKnownRightsAreGrantedAndOnlyToUsers(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for _, right := range []string{"", "oz_tokens_manag", "group_view", "OZ_TOKENS_MANAGE"} {
		err := z.GrantRight(t.Context(), alice, right)
		requireID(t, errors.IDBadValueNotAllowed, err)
		requireID(t, errors.IDBadValueNotAllowed, z.WithdrawRight(t.Context(), alice, right))
	}
	for _, subject := range []caveat.Subject{caveat.User("absent"), caveat.Provider("p1"), caveat.Group("g"), {}} {
		requireID(t, errors.IDNotFound, z.GrantRight(t.Context(), subject, macaroon.RightManageTokens))
		ok, err := z.HasRight(t.Context(), subject, macaroon.RightManageTokens)
		require.NoError(t, err)
		require.False(t, ok)
	}
	require.NoError(t, z.store.Close())
	_, err := z.HasRight(t.Context(), alice, macaroon.RightManageTokens)
	requireOperational(t, err)
}

func TestConcurrentGrantsLoseNothing(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	var grants sync.WaitGroup
	for _, right := range macaroon.AdminRights() {
		grants.Go(func() { assert.NoError(t, z.GrantRight(t.Context(), alice, right)) })
	}
	grants.Wait()
	u, err := z.User(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, macaroon.AdminRights(), u.Rights)
}
