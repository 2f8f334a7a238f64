package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var useChecks = []check{
	{"a use is found by the id of its token", useFound},
	{"the later use is kept and the counts are added", useMerged},
	{"uses of one call are merged", useMergedInCall},
	{"a count has a maximum", useCountMax},
	{"a use of an unknown token is dropped", useUnknown},
	{"a use is deleted with its token", useDeleted},
	{"an invalid use rejects the whole call", useInvalid},
	{"any id may be asked for", useAnyID},
	{"concurrent writers lose no use", useConcurrently},
	{"a use of a token that is deleted concurrently does not stay", useWhileDeleting},
	{"a use changes no record and is not reported", useSilent},
	{"an import replaces the use", useImportReplaces},
	{"an import drops the use of an unknown token", useImportUnknown},
	{"an import of a token keeps its use", useImportOfToken},
}

// minute is the time of the uses in the suite.
const minute = 1_700_000_040

// newUse returns a use in which every field is set.
func newUse(id string) store.Use {
	return store.Use{TokenID: id, At: minute, Address: "192.0.2.0/24", Service: "opw-lyon", Interface: "rest", Count: 3}
}

func recordUses(t *testing.T, s store.Store, uses ...store.Use) {
	t.Helper()
	require.NoError(t, s.RecordUses(t.Context(), uses), "record uses")
}

func lastUses(t *testing.T, s store.Store, ids ...string) []store.Use {
	t.Helper()
	uses, err := s.LastUses(t.Context(), ids)
	require.NoError(t, err, "look up uses")
	require.Len(t, uses, len(ids), "one use for each id")
	return uses
}

func useFound(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"), newToken("c"))
	sparse := store.Use{TokenID: "c", At: 60, Count: 1}
	require.Equal(t, []store.Use{{}, {}}, lastUses(t, s, "a", "unknown"))
	recordUses(t, s, newUse("a"), sparse)
	require.Equal(t, []store.Use{sparse, {}, newUse("a"), {}, sparse}, lastUses(t, s, "c", "b", "a", "unknown", "c"))
	require.Empty(t, lastUses(t, s))
	recordUses(t, s)
	require.Equal(t, []store.Use{newUse("a")}, lastUses(t, s, "a"))
}

func useMerged(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	later := store.Use{TokenID: "a", At: minute + 60, Address: "2001:db8::/48", Count: 1}
	recordUses(t, s, newUse("a"))
	recordUses(t, s, later)
	want := later
	want.Count = 4
	require.Equal(t, []store.Use{want}, lastUses(t, s, "a"), "the fields are those of the later use")

	recordUses(t, s, newUse("a"))
	want.Count = 7
	require.Equal(t, []store.Use{want}, lastUses(t, s, "a"), "an earlier use only counts")

	same := newUse("a")
	same.At = later.At
	recordUses(t, s, same)
	same.Count = 10
	require.Equal(t, []store.Use{same}, lastUses(t, s, "a"), "of two uses in the same minute, the last one recorded is kept")
}

func useMergedInCall(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	first, second := newUse("a"), newUse("a")
	first.At, first.Service = minute+60, "oz_worker-onezone"
	recordUses(t, s, first, newUse("b"), second)
	first.Count = 6
	require.Equal(t, []store.Use{first, newUse("b")}, lastUses(t, s, "a", "b"))
}

func useCountMax(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	use := newUse("a")
	use.Count = store.MaxUseCount - 1
	recordUses(t, s, use)
	require.Equal(t, []store.Use{use}, lastUses(t, s, "a"), "a large count is kept exactly")
	recordUses(t, s, newUse("a"))
	use.Count = store.MaxUseCount
	require.Equal(t, []store.Use{use}, lastUses(t, s, "a"))
	recordUses(t, s, use)
	require.Equal(t, []store.Use{use}, lastUses(t, s, "a"))
}

func useUnknown(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	recordUses(t, s, newUse("unknown"), newUse("a"))
	require.Equal(t, []store.Use{{}, newUse("a")}, lastUses(t, s, "unknown", "a"))
	createTokens(t, s, newToken("unknown"))
	require.Equal(t, []store.Use{{}}, lastUses(t, s, "unknown"), "the new token was not used")
	require.Len(t, exportAll(t, s, store.UseRecords, 0), 1)
}

func useDeleted(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	recordUses(t, s, newUse("a"), newUse("b"))
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	require.Equal(t, []store.Use{{}, newUse("b")}, lastUses(t, s, "a", "b"))
	createTokens(t, s, newToken("a"))
	require.Equal(t, []store.Use{{}}, lastUses(t, s, "a"), "the new token was not used")
	require.Len(t, exportAll(t, s, store.UseRecords, 0), 1)
}

func useInvalid(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	for name, change := range map[string]func(*store.Use){
		"no token":              func(u *store.Use) { u.TokenID = "" },
		"a NUL in the token":    func(u *store.Use) { u.TokenID = "a\x00" },
		"no time":               func(u *store.Use) { u.At = 0 },
		"a negative time":       func(u *store.Use) { u.At = -60 },
		"not a whole minute":    func(u *store.Use) { u.At++ },
		"the year 10000":        func(u *store.Use) { u.At = 253402300800 },
		"no count":              func(u *store.Use) { u.Count = 0 },
		"too large a count":     func(u *store.Use) { u.Count = store.MaxUseCount + 1 },
		"invalid UTF-8":         func(u *store.Use) { u.Address = "\xff" },
		"a NUL in a text":       func(u *store.Use) { u.Service = "\x00" },
		"too long an address":   func(u *store.Use) { u.Address = strings.Repeat("a", 1025) },
		"too long a service":    func(u *store.Use) { u.Service = strings.Repeat("a", 1025) },
		"too long an interface": func(u *store.Use) { u.Interface = strings.Repeat("a", 1025) },
	} {
		invalid := newUse("a")
		change(&invalid)
		requireID(t, s.RecordUses(t.Context(), []store.Use{newUse("a"), invalid}), errors.IDBadData, name)
		requireID(t, s.Import(t.Context(), []store.Record{{Use: &invalid}}), errors.IDBadData, name)
	}
	require.Equal(t, []store.Use{{}}, lastUses(t, s, "a"), "a use of a rejected call was recorded")
}

func useAnyID(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	recordUses(t, s, newUse("a"))
	require.Equal(t, []store.Use{{}, {}, {}, {}, newUse("a"), {}},
		lastUses(t, s, "", "a\x00", "\xff", strings.Repeat("a", 1<<16), "a", "A"))
}

func useConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	const callers, each = 5, 8
	requireAllNil(t, race(callers, func(i int) error {
		for n := range each {
			one, other := newUse("a"), newUse("b")
			one.At, one.Service = minute+60*int64(n*callers+i), fmt.Sprint("opw-", i)
			uses := []store.Use{one, other}
			if i%2 == 1 {
				uses = []store.Use{other, one}
			}
			if err := s.RecordUses(t.Context(), uses); err != nil {
				return err
			}
		}
		return nil
	}))
	want := newUse("a")
	want.At, want.Service, want.Count = minute+60*(callers*each-1), fmt.Sprint("opw-", callers-1), 3*callers*each
	other := newUse("b")
	other.Count = want.Count
	require.Equal(t, []store.Use{want, other}, lastUses(t, s, "a", "b"))
}

func useWhileDeleting(t *testing.T, open func() store.Store) {
	s := open()
	for range 20 {
		createTokens(t, s, newToken("a"))
		requireAllNil(t, race(3, func(i int) error {
			if i == 0 {
				return s.DeleteToken(t.Context(), "a")
			}
			return s.RecordUses(t.Context(), []store.Use{newUse("a")})
		}))
		require.Equal(t, []store.Use{{}}, lastUses(t, s, "a"))
		require.Empty(t, exportAll(t, s, store.UseRecords, 0))
	}
}

func useSilent(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	createTokens(t, s, fullToken("a"), newToken("b"))
	before := namedKey(t, s, "a")
	if !hasFeed(t, s) {
		recordUses(t, s, newUse("a"))
		requireToken(t, fullToken("a"), getToken(t, s, "a"))
		return
	}
	f := watch(t, s)
	recordUses(t, s, newUse("a"))
	updateToken(t, s, "b", func(token *store.Token) { token.Revoked = true })
	for change := range f.changes {
		require.NotEqual(t, store.Change{Kind: store.TokenChanged, TokenID: "a"}, change, "a use was reported")
		if change.TokenID == "b" {
			break
		}
	}
	f.cancel()
	requireToken(t, fullToken("a"), getToken(t, s, "a"))
	require.Equal(t, before, namedKey(t, s, "a"))
}

func useImportReplaces(t *testing.T, open func() store.Store) {
	s := open()
	token, use := newToken("new"), newUse("new")
	createTokens(t, s, newToken("a"), newToken("b"))
	recordUses(t, s, newUse("a"), newUse("b"))
	earlier := store.Use{TokenID: "a", At: 60, Count: 2}
	require.NoError(t, s.Import(t.Context(), []store.Record{
		{Use: &use}, {Token: &token}, {Use: new(newUse("a"))}, {Use: &earlier},
	}))
	require.Equal(t, []store.Use{earlier, newUse("b"), use}, lastUses(t, s, "a", "b", "new"))
	recordUses(t, s, newUse("a"))
	want := newUse("a")
	want.Count = 5
	require.Equal(t, []store.Use{want}, lastUses(t, s, "a"), "an imported use is merged with")
	require.NoError(t, s.DeleteToken(t.Context(), "new"))
	require.Equal(t, []store.Use{{}}, lastUses(t, s, "new"), "an imported use is deleted with its token")
}

func useImportUnknown(t *testing.T, open func() store.Store) {
	s := open()
	use := newUse("unknown")
	require.NoError(t, s.Import(t.Context(), []store.Record{{Use: &use}}))
	require.Equal(t, []store.Use{{}}, lastUses(t, s, "unknown"))
	createTokens(t, s, newToken("unknown"))
	require.Equal(t, []store.Use{{}}, lastUses(t, s, "unknown"))
	require.Empty(t, exportAll(t, s, store.UseRecords, 0))
}

func useImportOfToken(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	recordUses(t, s, newUse("a"), newUse("b"))
	same, moved := fullToken("a"), newToken("b")
	moved.Subject = bob
	require.NoError(t, s.Import(t.Context(), []store.Record{{Token: &same}, {Token: &moved}}))
	require.Equal(t, []store.Use{newUse("a"), newUse("b")}, lastUses(t, s, "a", "b"))
}
