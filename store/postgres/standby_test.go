package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// TestLookUpsThatMissOnAStandbyAskThePrimary uses another schema as a standby
// that has replayed only some of the changes.
func TestLookUpsThatMissOnAStandbyAskThePrimary(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	primary := newStore(t, pool)
	standby := storeWith(t, pool, postgres.Options{Schema: newSchema(t, pool), Primary: primary})
	lagging := storeWith(t, pool, postgres.Options{Schema: newSchema(t, pool)})
	carol := caveat.User("carol")
	user := store.Identity{Subject: carol, Username: "carol"}
	require.NoError(t, primary.CreateIdentity(t.Context(), user))
	require.NoError(t, second(primary.CreateToken(t.Context(), newToken("new"), 0)))
	require.NoError(t, second(primary.RotateTemporaryKey(t.Context(), carol, store.NewSecret("temporary"))))
	lookUps := func(s store.Store) map[string]error {
		return map[string]error{
			"NamedKey":              second(s.NamedKey(t.Context(), "new")),
			"TemporaryKey":          second(s.TemporaryKey(t.Context(), carol)),
			"GetToken":              second(s.GetToken(t.Context(), "new")),
			"GetIdentity":           second(s.GetIdentity(t.Context(), carol)),
			"GetIdentityByUsername": second(s.GetIdentityByUsername(t.Context(), "carol")),
		}
	}
	for name, err := range lookUps(standby) {
		require.NoError(t, err, name)
	}
	for name, err := range lookUps(lagging) {
		require.ErrorIs(t, err, errors.IDNotFound, name)
	}
	require.ErrorIs(t, second(standby.NamedKey(t.Context(), "unknown")), errors.IDNotFound)

	// What the standby has is read there.
	require.NoError(t, second(standby.CreateToken(t.Context(), newToken("replayed"), 0)))
	require.NoError(t, primary.Close())
	require.NoError(t, second(standby.NamedKey(t.Context(), "replayed")))
	for name, err := range lookUps(standby) {
		requireOperational(t, err, name, "unknown records must not be reported as missing while the primary is down")
		require.ErrorIs(t, err, store.ErrClosed, name)
	}
}
