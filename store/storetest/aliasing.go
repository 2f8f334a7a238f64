package storetest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var aliasingChecks = []check{
	{"a created record is a copy", createCopies},
	{"a record from GetToken is a copy", getCopies},
	{"listed records are copies", listCopies},
	{"the record given to change is a copy", changeCopiesIn},
	{"the record from change is a copy", changeCopiesOut},
	{"exported records are copies", exportCopies},
	{"imported records are copies", importCopies},
	{"the rights of an identity are a copy", rightsAreCopies},
}

// scribble overwrites all memory that the record refers to, including that
// between the length and capacity of its lists.
func scribble(t *store.Token) {
	for i := range t.Caveats {
		t.Caveats[i] = "overwritten"
	}
	_ = append(t.Caveats, "overwritten")
	for i := range t.RevokedTails {
		t.RevokedTails[i] = store.TailOf([]byte("overwritten"))
	}
	_ = append(t.RevokedTails, store.TailOf([]byte("overwritten")))
	for i := range t.Custom {
		t.Custom[i] = ' '
	}
	_ = append(t.Custom, '!')
	for i := range t.Privileges {
		t.Privileges[i] = "overwritten"
	}
	_ = append(t.Privileges, "overwritten")
	for i := range t.Tightened {
		t.Tightened[i] = store.OwnerCaveat{Text: "overwritten"}
	}
	_ = append(t.Tightened, store.OwnerCaveat{Text: "overwritten"})
}

// requireUntouched requires that the store's record of fullToken("a") is
// unchanged.
func requireUntouched(t *testing.T, s store.Store, about string) {
	t.Helper()
	requireToken(t, fullToken("a"), getToken(t, s, "a"), about)
	require.Equal(t, fullToken("a").RevokedTails, namedKey(t, s, "a").RevokedTails, about)
	require.Equal(t, fullToken("a").Tightened, namedKey(t, s, "a").Tightened, about)
	requireTokens(t, []store.Token{fullToken("a")}, listAll(t, s, store.Query{}), about)
}

// roomy returns the record with lists whose capacity exceeds their length.
func roomy(t store.Token) store.Token {
	t.Caveats = slices.Grow(t.Caveats, 8)
	t.RevokedTails = slices.Grow(t.RevokedTails, 8)
	t.Custom = slices.Grow(t.Custom, 8)
	t.Privileges = slices.Grow(t.Privileges, 8)
	t.Tightened = slices.Grow(t.Tightened, 8)
	return t
}

func createCopies(t *testing.T, open func() store.Store) {
	s := open()
	mine := roomy(fullToken("a"))
	createTokens(t, s, mine)
	requireToken(t, fullToken("a"), mine, "the caller's record was changed")
	scribble(&mine)
	requireUntouched(t, s, "the store kept the caller's memory")
}

func getCopies(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, fullToken("a"))
	for range 2 {
		got := getToken(t, s, "a")
		scribble(&got)
		requireUntouched(t, s, "the store gave out its own memory")
	}
}

func listCopies(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, fullToken("a"))
	for _, q := range []store.Query{{}, {Subject: alice}, {Subject: alice, Name: "name of a"}} {
		page := listAll(t, s, q)
		require.Len(t, page, 1)
		scribble(&page[0])
		requireUntouched(t, s, "the store gave out its own memory")
	}
}

func changeCopiesIn(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, fullToken("a"))
	before := getToken(t, s, "a")
	var kept store.Token
	updateToken(t, s, "a", func(token *store.Token) {
		kept = *token
		_ = append(token.Caveats, "overwritten")
	})
	scribble(&kept)
	requireUntouched(t, s, "change was given the store's own memory")
	stop := errors.New("stop")
	require.ErrorIs(t, s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
		scribble(token)
		return stop
	}), stop)
	requireUntouched(t, s, "change was given the store's own memory")
	requireToken(t, fullToken("a"), before, "change was given memory of another caller")
}

func changeCopiesOut(t *testing.T, open func() store.Store) {
	s := open()
	bare := newToken("a")
	bare.Parent = fullToken("a").Parent // it cannot be changed
	createTokens(t, s, bare)
	mine := roomy(fullToken("a"))
	updateToken(t, s, "a", func(token *store.Token) { *token = mine })
	scribble(&mine)
	requireUntouched(t, s, "the store kept memory of change")
}

func exportCopies(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, fullToken("a"))
	createIdentities(t, s, newUser("alice"))
	ensure(t, s, alice, "temporary")
	want := contentOf(t, s, subjects...)
	for _, kind := range kinds {
		for _, r := range exportAll(t, s, kind, 0) {
			overwrite(r)
		}
	}
	requireUntouched(t, s, "the store gave out its own memory")
	require.Equal(t, want, contentOf(t, s, subjects...), "the store gave out its own memory")
}

func importCopies(t *testing.T, open func() store.Store) {
	s := open()
	identity, token := newUser("alice"), roomy(fullToken("a"))
	records := []store.Record{
		{Identity: &identity},
		{Temporary: &store.Temporary{Subject: alice, Secret: store.NewSecret("temporary"), Generation: 3}},
		{Token: &token},
	}
	require.NoError(t, s.Import(t.Context(), records))
	want := contentOf(t, s, subjects...)
	for _, r := range records {
		overwrite(r)
	}
	requireUntouched(t, s, "the store kept the caller's memory")
	require.Equal(t, want, contentOf(t, s, subjects...), "the store kept the caller's memory")
}

func rightsAreCopies(t *testing.T, open func() store.Store) {
	s := open()
	want := newUser("alice")
	want.Rights = []string{"oz_groups_view", "oz_tokens_manage"}
	spoil := func(i store.Identity) {
		for at := range i.Rights {
			i.Rights[at] = "overwritten"
		}
	}
	mine := want.Clone()
	createIdentities(t, s, mine)
	check := func(about string) {
		t.Helper()
		require.Equal(t, want, getIdentity(t, s, alice), about)
	}
	spoil(mine)
	check("the store kept the caller's memory")
	spoil(getIdentity(t, s, alice))
	spoil(getByUsername(t, s, want.Username))
	check("the store gave out its own memory")
	stop := errors.New("stop")
	require.ErrorIs(t, s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
		spoil(*i)
		return stop
	}), stop)
	check("change was given the store's own memory")
	mine = want.Clone()
	updateIdentity(t, s, alice, func(i *store.Identity) { *i = mine })
	spoil(mine)
	check("the store kept memory of change")
	for _, r := range exportAll(t, s, store.IdentityRecords, 0) {
		spoil(*r.Identity)
	}
	check("the export gave out the store's own memory")
	mine = want.Clone()
	require.NoError(t, s.Import(t.Context(), []store.Record{{Identity: &mine}}))
	spoil(mine)
	check("the import kept the caller's memory")
}

// overwrite scribbles over a record of any kind.
func overwrite(r store.Record) {
	switch {
	case r.Identity != nil:
		*r.Identity = store.Identity{FullName: "overwritten"}
	case r.Temporary != nil:
		*r.Temporary = store.Temporary{Generation: 99}
	case r.Token != nil:
		scribble(r.Token)
		*r.Token = store.Token{Name: "overwritten"}
	}
}
