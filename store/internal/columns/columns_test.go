package columns

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	for n := range 4 {
		var tails []store.Tail
		for i := range n {
			tails = append(tails, store.TailOf([]byte{byte(i)}))
		}
		got, err := ParseTails(Tails(tails))
		require.NoError(t, err)
		require.Equal(t, tails, got)
	}
	_, err := ParseTails(make([]byte, 33))
	require.ErrorContains(t, err, "33 bytes")
	for _, text := range []string{"secret", "", "\xff\x00"} {
		require.True(t, ParseSecret(Secret(store.NewSecret(text))).Equal(store.NewSecret(text)), "%q", text)
	}
	s, err := ParseSubject("prv-p1")
	require.NoError(t, err)
	require.Equal(t, caveat.Provider("p1"), s)
	_, err = ParseSubject("robot-1")
	require.Error(t, err)
	require.NotErrorIs(t, err, errors.IDBadData, "a damaged row is no mistake of the caller")
}

func TestKeysThatNoRecordHas(t *testing.T) {
	t.Parallel()
	require.True(t, IsKey("a/ b"))
	require.True(t, IsSubject("usr-a"))
	for _, text := range []string{"", "\x00", "\xff"} {
		require.False(t, IsKey(text), "%q", text)
		require.False(t, IsSubject("usr-"+text), "%q", text)
	}
	require.False(t, IsSubject("grp-g"))
	require.False(t, IsSubject("robot"))
	require.False(t, IsHolder(caveat.Nobody()))
}

func TestStatus(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	require.Equal(t, store.HolderMissing, Status(nil))
	require.Equal(t, store.HolderBlocked, Status(&yes))
	require.Equal(t, store.HolderActive, Status(&no))
}

func TestOfRecordsWithOneKeyTheLastCounts(t *testing.T) {
	t.Parallel()
	user := store.Identity{Subject: caveat.User("u")}
	provider := store.Identity{Subject: caveat.Provider("u")}
	renamed := user
	renamed.FullName = "U"
	temporary := store.Temporary{Subject: user.Subject, Secret: store.NewSecret("s"), Generation: 1}
	token := store.Token{ID: "t", Name: "n", Version: 2, Subject: user.Subject, Type: "act", Secret: store.NewSecret("s")}
	b, err := NewBatch([]store.Record{{Identity: &user}, {Identity: &provider}, {Identity: &renamed}, {Temporary: &temporary}, {Token: &token}})
	require.NoError(t, err)
	require.Equal(t, Batch{
		map[string]*store.Identity{"usr-u": &renamed, "prv-u": &provider},
		map[string]*store.Temporary{"usr-u": &temporary},
		map[string]*store.Token{"t": &token},
	}, b)
	_, err = NewBatch([]store.Record{{Identity: &user}, {}})
	require.ErrorIs(t, err, errors.IDBadData)
}

func TestRecordsOfAPage(t *testing.T) {
	t.Parallel()
	page := []store.Identity{{Subject: caveat.User("a")}, {Subject: caveat.User("b")}}
	records, next := Records(page, true, IdentityRecord)
	require.Equal(t, []store.Record{{Identity: &page[0]}, {Identity: &page[1]}}, records)
	require.Equal(t, "usr-b", next)
	_, next = Records(page, false, IdentityRecord)
	require.Empty(t, next)

	token, temporary := []store.Token{{ID: "t"}}, []store.Temporary{{Subject: caveat.User("a")}}
	records, next = Records(token, true, TokenRecord)
	require.Equal(t, []store.Record{{Token: &token[0]}}, records)
	require.Equal(t, "t", next)
	records, next = Records(temporary, true, TemporaryRecord)
	require.Equal(t, []store.Record{{Temporary: &temporary[0]}}, records)
	require.Equal(t, "usr-a", next)
}
