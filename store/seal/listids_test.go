package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// TestRecordsThatDoNotOpenHideNoIDs uses a record that no key opens.
func TestRecordsThatDoNotOpenHideNoIDs(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	fill(t, s)
	require.NoError(t, backend.UpdateToken(t.Context(), "a", func(token *store.Token) error {
		token.Secret = store.NewSecret(token.Secret.Reveal() + "damaged")
		return nil
	}))
	page, _, err := s.ListTokens(t.Context(), store.Query{Subject: alice})
	require.NoError(t, err)
	require.True(t, page[0].Secret.IsZero(), "the record is listed without its secret")
	ids, _, err := s.ListTokenIDs(t.Context(), store.Query{Subject: alice})
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, ids)
	n, err := s.CountTokens(t.Context(), alice)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
