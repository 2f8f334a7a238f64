package redis

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

func fullToken() store.Token {
	return store.Token{
		ID: "id", Name: "name", Version: 1, Subject: caveat.Provider("p"), Type: "ujg:g",
		Caveats: []string{"time < 1", "ip = 1.2.3.4"}, Secret: store.NewSecret("secret \x00\xff"), Created: -5,
		Revoked: true, RevokedTails: []store.Tail{store.TailOf([]byte("x"))}, Custom: json.RawMessage(`{"a":1}`),
		Privileges: []string{"p"}, UsageLimit: math.MaxInt64, UsageCount: 3,
		Parent: "parent", Tightened: []store.OwnerCaveat{{Text: "time < 2", Added: -1}, {Text: "asn = 1", Added: 7}}, Bait: store.BaitAlarm,
	}
}

// plainToken returns a token without anything that its owner added.
func plainToken() store.Token {
	t := fullToken()
	t.Parent, t.Tightened, t.Bait = "", nil, 0
	return t
}

// Earlier releases read tokens without additions, and reject others.
func TestOnlyOwnedTokensHaveANewFormat(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, format, encodeToken(plainToken())[revisionSize])
	for what, add := range map[string]func(*store.Token){
		"parent":    func(t *store.Token) { t.Parent = "p" },
		"tightened": func(t *store.Token) { t.Tightened = []store.OwnerCaveat{{Text: "asn = 1"}} },
		"bait":      func(t *store.Token) { t.Bait = store.BaitAlarm },
	} {
		token := plainToken()
		add(&token)
		value := encodeToken(token)
		require.EqualValues(t, ownedFormat, value[revisionSize], what)
		got, err := decodeToken(token.ID, value)
		require.NoError(t, err, what)
		require.Equal(t, token, got, what)
	}
	for _, bait := range []int64{-1, int64(store.BaitRevokesFamily) + 1} {
		w := newWriterOf(ownedFormat)
		w.flag(false)
		w.text("secret")
		w.text("usr-u")
		w.number(0)
		w.number(0)
		w.number(bait)
		w.text("")
		_, err := decodeKey(w.value())
		require.ErrorIs(t, err, errFormat)
	}
}

func TestValuesHaveUniqueRevisions(t *testing.T) {
	t.Parallel()
	one, two := encodeToken(fullToken()), encodeToken(fullToken())
	require.Len(t, revision(one), revisionSize)
	require.NotEqual(t, revision(one), revision(two))
	require.Equal(t, one[revisionSize:], two[revisionSize:])
	require.Empty(t, revision(""))
}

// A truncated value or one of another format is an error, never a panic or
// another record.
func TestDamagedValuesAreRejected(t *testing.T) {
	t.Parallel()
	values := map[string]func(string) error{
		encodeToken(fullToken()):  func(v string) error { _, err := decodeToken("id", v); return err },
		encodeToken(plainToken()): func(v string) error { _, err := decodeToken("id", v); return err },
		encodeIdentity(store.Identity{Username: "u", FullName: "f", Password: store.NewSecret("p")}): func(v string) error {
			_, err := decodeIdentity(caveat.User("u"), v)
			return err
		},
		encodeTemporary(store.Temporary{Secret: store.NewSecret("s"), Generation: 3}): func(v string) error {
			_, err := decodeTemporary(caveat.User("u"), v)
			return err
		},
		encodePointer(caveat.User("u")): func(v string) error { _, err := decodePointer(v); return err },
	}
	for value, decode := range values {
		require.NoError(t, decode(value))
		for n := 1; n < len(value); n++ {
			require.ErrorIs(t, decode(value[:n]), errFormat, "%d bytes of %d", n, len(value))
		}
		other := []byte(value)
		other[revisionSize] = ownedFormat + 1
		require.ErrorIs(t, decode(string(other)), errFormat)
	}
}

func TestListMembersSortAsListings(t *testing.T) {
	t.Parallel()
	want := []store.Cursor{
		{Created: math.MinInt64, ID: "a"}, {Created: -1, ID: "z"}, {Created: 0, ID: "a"}, {Created: 0, ID: "a\x01"}, {Created: 0, ID: "b"},
		{Created: 1, ID: "A"}, {Created: 255, ID: ""}, {Created: 256, ID: ""}, {Created: math.MaxInt64, ID: "\xff"},
	}
	var members []string
	for _, c := range want {
		members = append(members, listMember(c.Created, c.ID))
	}
	require.True(t, slices.IsSorted(members))
	for i, member := range members {
		got, err := parseListMember(member)
		require.NoError(t, err)
		require.Equal(t, want[i], got)
	}
	_, err := parseListMember("short")
	require.ErrorIs(t, err, errFormat)
}

func FuzzValues(f *testing.F) {
	f.Add(encodeToken(fullToken()))
	f.Add(encodeToken(plainToken()))
	f.Add(encodeIdentity(store.Identity{Subject: caveat.User("u"), Username: "u"}))
	f.Add(encodeTemporary(store.Temporary{Secret: store.NewSecret("s"), Generation: 1}))
	f.Add(encodePointer(caveat.User("u")))
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		if decoded, err := decodeToken("id", value); err == nil {
			again, err := decodeToken("id", encodeToken(decoded))
			require.NoError(t, err)
			require.Equal(t, decoded, again)
		}
		_, _ = decodeIdentity(caveat.User("u"), value)
		_, _ = decodeTemporary(caveat.User("u"), value)
		_, _ = decodePointer(value)
		_, _ = decodeStatus(value)
	})
}
