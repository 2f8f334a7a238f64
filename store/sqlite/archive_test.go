package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

func TestImportSwapsNames(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t), sqlite.Options{Synchronous: sqlite.Off})
	a, b, alice, bob := newToken("a"), newToken("b"), newUser("alice"), newUser("bob")
	records := []store.Record{{Token: &a}, {Token: &b}, {Identity: &alice}, {Identity: &bob}}
	require.NoError(t, s.Import(t.Context(), records))
	a.Name, b.Name = b.Name, a.Name
	alice.Username, bob.Username = bob.Username, alice.Username
	require.NoError(t, s.Import(t.Context(), records))

	token, err := s.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "name of b", token.Name)
	require.Equal(t, "b", listAll(t, s, store.Query{Subject: a.Subject, Name: "name of a"})[0].ID)
	i, err := s.GetIdentityByUsername(t.Context(), "alice")
	require.NoError(t, err)
	require.Equal(t, bob.Subject, i.Subject)

	taken := newToken("c")
	taken.Name = a.Name
	before := contents(t, s)
	require.ErrorIs(t, s.Import(t.Context(), []store.Record{{Token: &b}, {Token: &taken}}), errors.IDBadValueIdentifierOccupied)
	require.Equal(t, before, contents(t, s), "a name was taken away for an import that failed")
}

func TestImportTakesTheLastOfEqualKeys(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t), sqlite.Options{Synchronous: sqlite.Off})
	first, last := newToken("a"), newToken("a")
	last.Name, last.UsageCount = "last", 1
	require.NoError(t, s.Import(t.Context(), []store.Record{{Token: &first}, {Token: &last}}))
	token, err := s.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "last", token.Name)
	require.EqualValues(t, 1, token.UsageCount)
}
