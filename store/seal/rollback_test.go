package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
)

// TestAnOldCanaryDoesNotAllowOldEnvelopes is an attack by someone who can write
// to the database and has a backup from before a reseal.
func TestAnOldCanaryDoesNotAllowOldEnvelopes(t *testing.T) {
	t.Parallel()
	keys := ring(t, key1)
	backend := memory.New()
	s := sealed(t, backend, keys, seal.Options{AllowPlaintext: true}) // which leaves another canary than Reseal
	fill(t, s)
	before, err := backend.TemporaryKey(t.Context(), canary)
	require.NoError(t, err)
	require.NoError(t, second(s.Reseal(t.Context(), seal.ResealOptions{})))
	old := string(version1(t, keys, store.TokenRecords, "a", alice, "plain 3"))

	for name, attack := range map[string]func(t *testing.T, backend *memory.Store){
		"the record alone": func(*testing.T, *memory.Store) {},
		"without a canary": func(t *testing.T, backend *memory.Store) {
			require.NoError(t, backend.DeleteTemporaryKey(t.Context(), canary))
		},
		"with the canary of the backup": func(t *testing.T, backend *memory.Store) {
			_, err := backend.RotateTemporaryKey(t.Context(), canary, before.Secret)
			require.NoError(t, err)
		},
	} {
		plant(t, backend, old)
		attack(t, backend)
		s := sealed(t, backend, keys)
		_, err := s.NamedKey(t.Context(), "a")
		requireOperational(t, err, seal.ErrOutdated, name)
		_, err = s.GetToken(t.Context(), "a")
		requireOperational(t, err, seal.ErrOutdated, name)
		_, err = s.Reseal(t.Context(), seal.ResealOptions{})
		requireOperational(t, err, seal.ErrOutdated, name)
		_, err = s.TemporaryKey(t.Context(), alice)
		require.NoError(t, err, "%s: what is as it was", name)
	}
}

// TestStoresOfAnEarlierReleaseAreRejectedUnlessAllowed checks that the error
// says what to do, and that no canary is written.
func TestStoresOfAnEarlierReleaseAreRejectedUnlessAllowed(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	fillVersion1(t, backend, ring(t, key1))
	for _, options := range []seal.Options{{}, {AllowPlaintext: true}} {
		_, err := seal.New(t.Context(), backend, ring(t, key1), options)
		requireOperational(t, err, seal.ErrOutdated)
		require.ErrorContains(t, err, "AllowOutdated")
		require.NoError(t, store.CheckSeal(t.Context(), backend), "a canary was written")
	}
	requireFilled(t, sealed(t, backend, ring(t, key1), seal.Options{AllowOutdated: true}))
}
