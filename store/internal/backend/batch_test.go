package backend

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

func TestLastRecordWithTheSameKeyWins(t *testing.T) {
	t.Parallel()
	user := store.Identity{Subject: caveat.User("u")}
	provider := store.Identity{Subject: caveat.Provider("u")}
	renamed := user
	renamed.FullName, renamed.Username = "U", "u"
	temporary := store.Temporary{Subject: user.Subject, Secret: store.NewSecret("s"), Generation: 1}
	token := store.Token{ID: "t", Name: "n", Version: 2, Subject: user.Subject, Type: "act", Secret: store.NewSecret("s")}
	use := store.Use{TokenID: "t", At: 60, Count: 1}
	b, err := NewBatch([]store.Record{{Identity: &user}, {Identity: &provider}, {Identity: &renamed}, {Temporary: &temporary}, {Token: &token}, {Use: &use}})
	require.NoError(t, err)
	require.Equal(t, Batch{
		map[caveat.Subject]*store.Identity{user.Subject: &renamed, provider.Subject: &provider},
		map[caveat.Subject]*store.Temporary{user.Subject: &temporary},
		map[string]*store.Token{"t": &token},
		map[string]*store.Use{"t": &use},
		map[string]caveat.Subject{"u": user.Subject},
	}, b)
	require.NotSame(t, &token, b.Tokens["t"], "the caller may change the records")
}

func TestNamesInABatchAreUnique(t *testing.T) {
	t.Parallel()
	one := store.Token{ID: "1", Name: "n", Subject: caveat.User("u")}
	two := store.Token{ID: "2", Name: "n", Subject: caveat.User("u")}
	other := store.Token{ID: "3", Name: "n", Subject: caveat.User("another")}
	a := store.Identity{Subject: caveat.User("a"), Username: "n"}
	b := store.Identity{Subject: caveat.User("b"), Username: "n"}
	_, err := NewBatch([]store.Record{{Token: &one}, {Token: &other}, {Identity: &a}})
	require.NoError(t, err, "a name is one among the tokens of a subject")
	_, err = NewBatch([]store.Record{{Token: &one}, {Token: &two}})
	require.ErrorIs(t, err, errors.IDBadValueIdentifierOccupied)
	require.ErrorContains(t, err, "name")
	_, err = NewBatch([]store.Record{{Identity: &a}, {Identity: &b}})
	require.ErrorIs(t, err, errors.IDBadValueIdentifierOccupied)
}
