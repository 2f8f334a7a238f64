package storetest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var archiveChecks = []check{
	{"an export has every record once, page by page", exportPages},
	{"remaining records are exported once while others are created and deleted", exportWhileChanging},
	{"an import into a new store gives the same content", importInto},
	{"imported records work in all methods", importLives},
	{"an import replaces records with the same key", importReplaces},
	{"an import of nothing does nothing", importNothing},
	{"an invalid record rejects the whole import", importInvalid},
	{"an occupied name rejects the whole import", importOccupied},
	{"records may swap names", importSwaps},
	{"of records with the same key the last one counts", importTwice},
	{"the last generation cannot be exceeded", importLastGeneration},
	{"a scrub keeps every record", scrubKeeps},
}

var kinds = []store.RecordKind{store.IdentityRecords, store.TemporaryRecords, store.TokenRecords, store.UseRecords}

// exportAll returns all records of an export. It fails the test if the pages do
// not end.
func exportAll(t *testing.T, s store.Archive, kind store.RecordKind, limit int) []store.Record {
	t.Helper()
	var all []store.Record
	after := ""
	for range 1000 {
		page, next, err := s.Export(t.Context(), kind, after, limit)
		require.NoError(t, err, "export kind %d after %q", kind, after)
		if limit > 0 {
			require.LessOrEqual(t, len(page), limit, "the page is larger than asked for")
		}
		all = append(all, page...)
		if next == "" {
			return all
		}
		after = next
	}
	require.FailNow(t, "the export does not end", "kind %d", kind)
	return nil
}

// keyOf returns the key of the record. It fails the test unless the record has
// exactly this kind.
func keyOf(t *testing.T, kind store.RecordKind, r store.Record) string {
	t.Helper()
	require.Equal(t, kind == store.IdentityRecords, r.Identity != nil, "kind %d", kind)
	require.Equal(t, kind == store.TemporaryRecords, r.Temporary != nil, "kind %d", kind)
	require.Equal(t, kind == store.TokenRecords, r.Token != nil, "kind %d", kind)
	require.Equal(t, kind == store.UseRecords, r.Use != nil, "kind %d", kind)
	switch kind {
	case store.IdentityRecords:
		return r.Identity.Subject.String()
	case store.TemporaryRecords:
		return r.Temporary.Subject.String()
	case store.UseRecords:
		return r.Use.TokenID
	}
	return r.Token.ID
}

// fill writes ten records of each kind.
func fill(t *testing.T, s store.Store) []caveat.Subject {
	t.Helper()
	var filled []caveat.Subject
	for i := range 10 {
		subject := caveat.User(fmt.Sprint("user ", i))
		if i%3 == 0 {
			subject = caveat.Provider(fmt.Sprint("user ", i))
		}
		filled = append(filled, subject)
		identity := newIdentity(subject)
		identity.Blocked = i%4 == 1
		if subject.Type == caveat.SubjectUser && i%2 == 0 {
			identity.Username = subject.ID
		}
		createIdentities(t, s, identity)
		for n := range i + 1 {
			rotateTo(t, s, subject, fmt.Sprint("secret ", i, " ", n))
		}
		token := fullToken(fmt.Sprint("token ", i))
		token.Subject, token.Created = subject, int64(i/3-1)
		if i%2 == 0 {
			token.Privileges, token.Custom, token.Caveats = nil, nil, nil
		}
		createTokens(t, s, token)
		use := newUse(token.ID)
		use.At += 60 * int64(i)
		recordUses(t, s, use)
	}
	return filled
}

func exportPages(t *testing.T, open func() store.Store) {
	s := open()
	for _, kind := range kinds {
		require.Empty(t, exportAll(t, s, kind, 10), "a new store is not empty")
	}
	filled := fill(t, s)
	for _, kind := range kinds {
		for _, limit := range []int{1, 2, 3, 5, 10, 11, 1000} {
			seen := make(map[string]bool)
			for _, r := range exportAll(t, s, kind, limit) {
				key := keyOf(t, kind, r)
				require.False(t, seen[key], "%s was exported twice", key)
				seen[key] = true
			}
			require.Len(t, seen, len(filled), "kind %d with limit %d", kind, limit)
		}
	}
	for _, r := range exportAll(t, s, store.IdentityRecords, 4) {
		require.Equal(t, getIdentity(t, s, r.Identity.Subject), *r.Identity)
	}
	for _, r := range exportAll(t, s, store.TemporaryRecords, 4) {
		key := temporaryKey(t, s, r.Temporary.Subject)
		require.Equal(t, store.Temporary{Subject: key.Subject, Secret: key.Secret, Generation: key.Generation}, *r.Temporary)
	}
	for _, r := range exportAll(t, s, store.TokenRecords, 4) {
		requireToken(t, getToken(t, s, r.Token.ID), *r.Token)
	}
	for _, r := range exportAll(t, s, store.UseRecords, 4) {
		require.Equal(t, lastUses(t, s, r.Use.TokenID), []store.Use{*r.Use})
	}
}

func exportWhileChanging(t *testing.T, open func() store.Store) {
	s := open()
	fill(t, s)
	for _, kind := range kinds {
		stay := make(map[string]int)
		for _, r := range exportAll(t, s, kind, 100) {
			stay[keyOf(t, kind, r)] = 0
		}
		after := ""
		for turn := 0; ; turn++ {
			require.Less(t, turn, 100, "the export does not end")
			page, next, err := s.Export(t.Context(), kind, after, 2)
			require.NoError(t, err)
			for _, r := range page {
				stay[keyOf(t, kind, r)]++
			}
			if next == "" {
				break
			}
			after = next
			// Delete the record that the position names, and create others.
			last := page[len(page)-1]
			extra := caveat.User(fmt.Sprint("extra ", kind, " ", turn))
			switch {
			case last.Identity != nil:
				require.NoError(t, s.DeleteIdentity(t.Context(), last.Identity.Subject))
				createIdentities(t, s, newIdentity(extra))
			case last.Temporary != nil:
				require.NoError(t, s.DeleteTemporaryKey(t.Context(), last.Temporary.Subject))
				ensure(t, s, extra, "temporary")
			case last.Use != nil:
				require.NoError(t, s.DeleteToken(t.Context(), last.Use.TokenID))
				createTokens(t, s, newToken(extra.ID))
				recordUses(t, s, newUse(extra.ID))
			default:
				require.NoError(t, s.DeleteToken(t.Context(), last.Token.ID))
				createTokens(t, s, newToken(extra.ID))
			}
		}
		for key, times := range stay {
			require.LessOrEqual(t, times, 1, "%s was exported so many times", key)
			if !strings.Contains(key, "extra") {
				require.Equal(t, 1, times, "%s was exported so many times", key)
			}
		}
	}
}

// copyAll copies all records from one archive to another.
func copyAll(t *testing.T, from, to store.Archive) {
	t.Helper()
	for _, kind := range kinds {
		require.NoError(t, to.Import(t.Context(), exportAll(t, from, kind, 3)), "import kind %d", kind)
	}
}

func importInto(t *testing.T, open func() store.Store) {
	from, to := open(), open()
	filled := fill(t, from)
	require.Equal(t, content{}, contentOf(t, to, filled...), "open gave the same store twice")
	copyAll(t, from, to)
	want := contentOf(t, from, filled...)
	require.Equal(t, want, contentOf(t, to, filled...))
	copyAll(t, from, to)
	require.Equal(t, want, contentOf(t, to, filled...), "the second time")
	for _, token := range want.Tokens {
		require.Equal(t, namedKey(t, from, token.ID), namedKey(t, to, token.ID))
	}
}

func importLives(t *testing.T, open func() store.Store) {
	s := open()
	identity, token := newUser("alice"), fullToken("a")
	require.NoError(t, s.Import(t.Context(), []store.Record{
		{Identity: &identity},
		{Temporary: &store.Temporary{Subject: alice, Secret: store.NewSecret("temporary"), Generation: 41}},
		{Token: &token},
	}))
	require.EqualValues(t, 42, rotateTo(t, s, alice, "next"))
	require.Equal(t, identity, getByUsername(t, s, "alice"))
	requireTokens(t, []store.Token{token}, listAll(t, s, store.Query{Subject: alice, Name: token.Name}))
	requireTokens(t, []store.Token{token}, listAll(t, s, store.Query{Subject: alice}))
	require.Equal(t, store.HolderActive, namedKey(t, s, "a").Holder)

	requireID(t, s.CreateIdentity(t.Context(), identity), errors.IDAlreadyExists)
	requireID(t, createToken(t.Context(), s, token), errors.IDAlreadyExists)
	sameName := newToken("b")
	sameName.Name = token.Name
	requireOccupied(t, createToken(t.Context(), s, sameName), "name")
	sameUsername := newIdentity(bob)
	sameUsername.Username = "alice"
	requireOccupied(t, s.CreateIdentity(t.Context(), sameUsername), "username")
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	createTokens(t, s, sameName)
}

func importReplaces(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	createTokens(t, s, fullToken("a"), newToken("b"))
	for range 5 {
		rotateTo(t, s, alice, "old")
	}
	identity, token := newIdentity(alice), newToken("a")
	identity.Username, identity.Created = "renamed", 7
	token.Name, token.Created, token.Subject = "renamed", 7, bob
	require.NoError(t, s.Import(t.Context(), []store.Record{
		{Identity: &identity},
		{Temporary: &store.Temporary{Subject: alice, Secret: store.NewSecret("new"), Generation: 2}},
		{Token: &token},
	}))
	require.Equal(t, identity, getIdentity(t, s, alice))
	require.Equal(t, identity, getByUsername(t, s, "renamed"))
	requireNoUser(t, s, "alice")
	key := temporaryKey(t, s, alice)
	require.EqualValues(t, 2, key.Generation, "records are written as they are")
	require.Equal(t, "new", key.Secret.Reveal())
	requireTokens(t, []store.Token{token, newToken("b")}, listAll(t, s, store.Query{}))
	requireTokens(t, []store.Token{token}, listAll(t, s, store.Query{Subject: bob}))
	requireTokens(t, []store.Token{newToken("b")}, listAll(t, s, store.Query{Subject: alice}))
	require.Equal(t, bob, namedKey(t, s, "a").Subject)

	old := newToken("c") // takes the name that has become free
	old.Name = "name of a"
	createTokens(t, s, old)
}

func importNothing(t *testing.T, open func() store.Store) {
	s := open()
	filled := fill(t, s)
	before := contentOf(t, s, filled...)
	require.NoError(t, s.Import(t.Context(), nil))
	require.Equal(t, before, contentOf(t, s, filled...))
}

func importInvalid(t *testing.T, open func() store.Store) {
	s := open()
	filled := fill(t, s)
	before := contentOf(t, s, append(filled, alice, bob)...)
	badIdentity, badToken := newIdentity(caveat.Group("g")), newToken("b")
	badToken.Secret = store.Secret{}
	both := newToken("c")
	secret := store.NewSecret("secret")
	for what, bad := range map[string]store.Record{
		"nothing":         {},
		"two in one":      {Token: &both, Temporary: &store.Temporary{Subject: bob, Secret: secret, Generation: 1}},
		"identity":        {Identity: &badIdentity},
		"token":           {Token: &badToken},
		"no secret":       {Temporary: &store.Temporary{Subject: bob, Generation: 1}},
		"generation zero": {Temporary: &store.Temporary{Subject: bob, Secret: secret}},
		"of a group":      {Temporary: &store.Temporary{Subject: caveat.Group("g"), Secret: secret, Generation: 1}},
	} {
		records := goodRecords()
		for _, records := range [][]store.Record{append(records, bad), append([]store.Record{bad}, records...)} {
			requireID(t, s.Import(t.Context(), records), errors.IDBadData, what)
			require.Equal(t, before, contentOf(t, s, append(filled, alice, bob)...), "%s: some records were written", what)
		}
	}
	require.NoError(t, s.Import(t.Context(), goodRecords()))
}

// goodRecords returns records that can be imported into a filled store. Some
// are new, and some change existing records.
func goodRecords() []store.Record {
	identity, token, replaced := newUser("alice"), newToken("a"), fullToken("token 1")
	replaced.UsageCount = 77
	replaced.Subject = caveat.User("user 1")
	return []store.Record{
		{Identity: &identity},
		{Temporary: &store.Temporary{Subject: alice, Secret: store.NewSecret("temporary"), Generation: 3}},
		{Token: &token},
		{Token: &replaced},
	}
}

func importOccupied(t *testing.T, open func() store.Store) {
	s := open()
	filled := fill(t, s)
	before := contentOf(t, s, append(filled, alice, bob)...)
	identity := newIdentity(bob)
	identity.Username = "user 2"
	token := newToken("b")
	token.Subject, token.Name = caveat.User("user 2"), "name of token 2"
	twin, twinUser := newToken("b"), newIdentity(bob)
	twin.Name, twinUser.Username = "name of a", "alice" // as in goodRecords
	for _, c := range []struct {
		bad store.Record
		key string
	}{
		{store.Record{Identity: &identity}, "username"},
		{store.Record{Token: &token}, "name"},
		{store.Record{Identity: &twinUser}, "username"},
		{store.Record{Token: &twin}, "name"},
	} {
		records := goodRecords()
		for _, records := range [][]store.Record{append(records, c.bad), append([]store.Record{c.bad}, records...)} {
			requireOccupied(t, s.Import(t.Context(), records), c.key)
			require.Equal(t, before, contentOf(t, s, append(filled, alice, bob)...), "some records were written")
		}
	}
}

func importSwaps(t *testing.T, open func() store.Store) {
	s := open()
	records := func(first, second string) []store.Record {
		a, b, x, y := newToken("a"), newToken("b"), newUser("alice"), newUser("bob")
		a.Name, b.Name, x.Username, y.Username = first, second, first, second
		return []store.Record{{Token: &a}, {Token: &b}, {Identity: &x}, {Identity: &y}}
	}
	require.NoError(t, s.Import(t.Context(), records("one", "two")))
	for round := range 6 {
		first, second := "two", "one"
		if round%2 == 1 {
			first, second = second, first
		}
		require.NoError(t, s.Import(t.Context(), records(first, second)))
		for name, want := range map[string]struct {
			id   string
			user caveat.Subject
		}{first: {"a", alice}, second: {"b", bob}} {
			require.Equal(t, []string{want.id}, ids(listAll(t, s, store.Query{Subject: alice, Name: name})))
			require.Equal(t, want.user, getByUsername(t, s, name).Subject)
		}
	}

	late, swapped := newToken("c"), records("two", "one")
	late.Name = "one"
	before := contentOf(t, s, alice, bob)
	requireOccupied(t, s.Import(t.Context(), append(swapped, store.Record{Token: &late})), "name")
	require.Equal(t, before, contentOf(t, s, alice, bob), "a name was taken away for an import that failed")
}

func importTwice(t *testing.T, open func() store.Store) {
	s := open()
	first, last, user, renamed := newToken("a"), newToken("a"), newUser("alice"), newUser("alice")
	last.Name, last.UsageCount, renamed.Username = "last", 1, "renamed"
	require.NoError(t, s.Import(t.Context(), []store.Record{
		{Token: &first}, {Identity: &user},
		{Temporary: &store.Temporary{Subject: alice, Secret: store.NewSecret("first"), Generation: 1}},
		{Token: &last}, {Identity: &renamed},
		{Temporary: &store.Temporary{Subject: alice, Secret: store.NewSecret("last"), Generation: 2}},
	}))
	requireTokens(t, []store.Token{last}, listAll(t, s, store.Query{}))
	require.Equal(t, renamed, getByUsername(t, s, "renamed"))
	requireNoUser(t, s, "alice")
	key := temporaryKey(t, s, alice)
	require.Equal(t, "last", key.Secret.Reveal())
	require.EqualValues(t, 2, key.Generation)
}

func importLastGeneration(t *testing.T, open func() store.Store) {
	s := open()
	last := store.Temporary{Subject: alice, Secret: store.NewSecret("last"), Generation: math.MaxInt64}
	require.NoError(t, s.Import(t.Context(), []store.Record{{Temporary: &last}}))
	_, err := s.RotateTemporaryKey(t.Context(), alice, store.NewSecret("beyond"))
	require.Error(t, err)
	e, catalogued := errors.AsType[*errors.Error](err)
	require.False(t, catalogued, "the environment is reported as %v", e)
	key := temporaryKey(t, s, alice)
	require.Equal(t, "last", key.Secret.Reveal())
	require.EqualValues(t, int64(math.MaxInt64), key.Generation)
}

func scrubKeeps(t *testing.T, open func() store.Store) {
	s := open()
	require.NoError(t, s.Scrub(t.Context()), "there is nothing in the store")
	createIdentities(t, s, newUser("alice"), newUser("bob"))
	createTokens(t, s, fullToken("a"), newToken("b"))
	rotateTo(t, s, alice, "overwritten")
	rotateTo(t, s, alice, "temporary")
	require.NoError(t, s.DeleteToken(t.Context(), "b"))
	before := contentOf(t, s, subjects...)
	for range 2 {
		require.NoError(t, s.Scrub(t.Context()))
		require.Equal(t, before, contentOf(t, s, subjects...))
	}
}
