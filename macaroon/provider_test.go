package macaroon_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// The id of a deleted Oneprovider is often given to its successor.
func TestTokensOfAFormerOneproviderDoNotWorkForItsSuccessor(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	lyon, err := z.CreateProvider(ctx, "lyon-1")
	require.NoError(t, err)
	i, err := z.store.GetIdentity(ctx, lyon)
	require.NoError(t, err)
	require.Equal(t, start.Unix(), i.Created)
	require.False(t, i.Blocked)
	named, temporary := z.named(t, lyon, macaroon.AccessToken()), z.temporary(t, lyon, macaroon.AccessToken())
	require.NoError(t, z.verify(named))
	require.NoError(t, z.store.DeleteIdentity(ctx, lyon), "the tokens remain")

	_, err = z.CreateProvider(ctx, "lyon-1")
	require.NoError(t, err)
	requireID(t, errors.IDTokenInvalid, z.verify(named))
	requireID(t, errors.IDTokenInvalid, z.verify(temporary))
	require.NoError(t, z.verify(z.named(t, lyon, macaroon.AccessToken())))
}

func TestOneprovidersNeedAFreeID(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	lyon, err := z.CreateProvider(t.Context(), "lyon-1")
	require.NoError(t, err)
	token := z.named(t, lyon, macaroon.AccessToken())
	_, err = z.CreateProvider(t.Context(), "lyon-1")
	requireID(t, errors.IDAlreadyExists, err)
	require.NoError(t, z.verify(token))
	for _, id := range []string{"", "a b", "a\nb", "../x", "self", "null", strings.Repeat("x", 10_000)} {
		_, err = z.CreateProvider(t.Context(), id)
		requireID(t, errors.IDBadValueIdentifier, err)
	}
}
