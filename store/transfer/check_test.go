package transfer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

// findings returns what Check yields.
func findings(t *testing.T, s store.Store) (all []string) {
	t.Helper()
	for f, err := range transfer.Check(t.Context(), s) {
		require.NoError(t, err)
		all = append(all, f.String())
	}
	return all
}

func TestCheckFindsOrphans(t *testing.T) {
	t.Parallel()
	s := filled(t, 1500)
	require.Empty(t, findings(t, s))
	for _, id := range []string{"u0", "u1400"} {
		require.NoError(t, s.DeleteIdentity(t.Context(), caveat.User(id)))
	}
	require.ElementsMatch(t, []string{
		`temporary secret "usr-u0": orphan`, `temporary secret "usr-u1400": orphan`, `named token "t0": orphan`, `named token "t1400": orphan`,
	}, findings(t, s))
	for range transfer.Check(t.Context(), s) {
		break
	}
}

func TestCheckFindsUnsealedRecordsAmongSealedOnes(t *testing.T) {
	t.Parallel()
	keys, err := seal.NewStaticKeys(seal.Key{ID: "k", Material: store.NewSecret(strings.Repeat("k", 32))})
	require.NoError(t, err)
	backend := memory.New()
	sealed, err := seal.New(t.Context(), backend, keys, seal.Options{})
	require.NoError(t, err)
	_, err = transfer.Copy(t.Context(), sealed, filled(t, 2), transfer.Options{})
	require.NoError(t, err)
	require.Empty(t, findings(t, backend), "the canary is no orphan")
	planted, err := filled(t, 1).GetToken(t.Context(), "t0")
	require.NoError(t, err)
	require.NoError(t, backend.Import(t.Context(), []store.Record{{Token: &planted}}))
	require.Equal(t, []string{`named token "t0": unsealed`}, findings(t, backend))
}

func TestCheckEndsWithAnError(t *testing.T) {
	t.Parallel()
	last := 0
	for f, err := range transfer.Check(t.Context(), &interrupted{Store: filled(t, 1), failAt: 2}) {
		require.ErrorIs(t, err, errDisk)
		require.Zero(t, f)
		last++
	}
	require.Equal(t, 1, last)
}

func TestProblemsHaveNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "orphan unsealed invalid unknown problem",
		fmt.Sprint(transfer.Orphan, " ", transfer.Unsealed, " ", transfer.Invalid, " ", transfer.Problem(0)))
}
