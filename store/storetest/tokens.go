package storetest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var tokenChecks = []check{
	{"the id is unique", idUnique},
	{"the name is unique among the tokens of the subject", nameUnique},
	{"concurrent creators of one id: one wins", createIDConcurrently},
	{"concurrent creators of one name: one wins", createNameConcurrently},
	{"missing records are not found", tokenNotFound},
	{"delete removes the record and frees id and name", deleteToken},
	{"concurrent deletes: one wins", deleteConcurrently},
	{"an invalid record is refused", invalidTokenRefused},
}

var tokenRecordChecks = []check{
	{"every field is kept", fieldsKept},
	{"numbers of every size are kept", numbersKept},
	{"an empty list and nil differ where it matters", emptyListsKept},
	{"custom metadata is kept as an equal object", customKept},
	{"secrets of any bytes are kept", secretsKept},
	{"long and many texts are kept", longTextsKept},
}

func idUnique(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, fullToken("a"))
	before := contentOf(t, s)

	requireID(t, createToken(t.Context(), s, fullToken("a")), errors.IDAlreadyExists, "the same record again")
	other := newToken("a")
	other.Name = "free"
	requireID(t, createToken(t.Context(), s, other), errors.IDAlreadyExists, "another name")
	other.Subject = bob
	requireID(t, createToken(t.Context(), s, other), errors.IDAlreadyExists, "another subject")
	require.Equal(t, before, contentOf(t, s), "a refused record was written")

	free := newToken("b")
	free.Name = "free"
	createTokens(t, s, free)
}

func nameUnique(t *testing.T, open func() store.Store) {
	s := open()
	first := newToken("a")
	first.Name = "name"
	createTokens(t, s, first)
	second := newToken("b")
	second.Name = "name"
	requireOccupied(t, createToken(t.Context(), s, second), "name")
	requireTokens(t, []store.Token{first}, listAll(t, s, store.Query{}))
	_, err := s.NamedKey(t.Context(), "b")
	requireID(t, err, errors.IDNotFound)

	second.Name = "Name"
	third := newToken("c")
	third.Subject, third.Name = bob, "name"
	fourth := newToken("d")
	fourth.Subject, fourth.Name = provider, "name" // has the id of alice
	createTokens(t, s, second, third, fourth)
	require.Len(t, listAll(t, s, store.Query{}), 4)
}

func createIDConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	for round := range 10 {
		id := fmt.Sprint("token", round)
		const callers = 8
		tokens := make([]store.Token, callers)
		for i := range tokens {
			tokens[i] = newToken(id)
			tokens[i].Name = fmt.Sprint("name", round, " ", i)
		}
		errs := race(callers, func(i int) error { return createToken(t.Context(), s, tokens[i]) })
		requireOneWinner(t, errs, func(err error) { requireID(t, err, errors.IDAlreadyExists) })
		for i, err := range errs {
			if err == nil {
				requireToken(t, tokens[i], getToken(t, s, id), "the record is not that of the winner")
				continue
			}
			require.Empty(t, listAll(t, s, store.Query{Subject: alice, Name: tokens[i].Name}), "a loser holds its name")
		}
		require.Len(t, listAll(t, s, store.Query{}), round+1)
	}
}

func createNameConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	for round := range 10 {
		const callers = 8
		errs := race(callers, func(i int) error {
			token := newToken(fmt.Sprint("token", round, " ", i))
			token.Name = fmt.Sprint("name", round)
			return createToken(t.Context(), s, token)
		})
		requireOneWinner(t, errs, func(err error) { requireOccupied(t, err, "name") })
		for i, err := range errs {
			_, got := s.GetToken(t.Context(), fmt.Sprint("token", round, " ", i))
			if err == nil {
				require.NoError(t, got)
			} else {
				requireID(t, got, errors.IDNotFound, "a loser was written")
			}
		}
	}
}

func tokenNotFound(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	for _, id := range []string{"unknown", "", "A", " a", "name of a"} {
		_, err := s.GetToken(t.Context(), id)
		requireID(t, err, errors.IDNotFound, "get %q", id)
		requireID(t, s.DeleteToken(t.Context(), id), errors.IDNotFound, "delete %q", id)
		err = s.UpdateToken(t.Context(), id, func(*store.Token) error {
			t.Errorf("change was called for %q, which does not exist", id)
			return nil
		})
		requireID(t, err, errors.IDNotFound, "update %q", id)
	}
	requireTokens(t, []store.Token{newToken("a")}, listAll(t, s, store.Query{}))
}

func deleteToken(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, fullToken("a"), newToken("b"))
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	_, err := s.GetToken(t.Context(), "a")
	requireID(t, err, errors.IDNotFound)
	requireID(t, s.DeleteToken(t.Context(), "a"), errors.IDNotFound, "deleted already")
	requireTokens(t, []store.Token{newToken("b")}, listAll(t, s, store.Query{}))
	requireTokens(t, []store.Token{newToken("b")}, listAll(t, s, store.Query{Subject: alice}))
	require.Empty(t, listAll(t, s, store.Query{Subject: alice, Name: "name of a"}))

	again := newToken("c")
	again.Name = "name of a"
	createTokens(t, s, again)
	plain := newToken("a")
	plain.Name = "another"
	createTokens(t, s, plain)
	requireToken(t, plain, getToken(t, s, "a"), "something of the deleted record is left")
}

func deleteConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	for round := range 10 {
		id := fmt.Sprint("token", round)
		createTokens(t, s, newToken(id))
		errs := race(6, func(int) error { return s.DeleteToken(t.Context(), id) })
		requireOneWinner(t, errs, func(err error) { requireID(t, err, errors.IDNotFound) })
	}
	require.Empty(t, listAll(t, s, store.Query{}))
}

func invalidTokenRefused(t *testing.T, open func() store.Store) {
	s := open()
	for what, spoil := range map[string]func(*store.Token){
		"no id":            func(t *store.Token) { t.ID = "" },
		"no name":          func(t *store.Token) { t.Name = "" },
		"version 3":        func(t *store.Token) { t.Version = 3 },
		"no version":       func(t *store.Token) { t.Version = 0 },
		"no type":          func(t *store.Token) { t.Type = "" },
		"no secret":        func(t *store.Token) { t.Secret = store.Secret{} },
		"no subject":       func(t *store.Token) { t.Subject = caveat.Subject{} },
		"of a group":       func(t *store.Token) { t.Subject = caveat.Group("g") },
		"of nobody":        func(t *store.Token) { t.Subject = caveat.Nobody() },
		"negative count":   func(t *store.Token) { t.UsageCount = -1 },
		"negative limit":   func(t *store.Token) { t.UsageLimit = -1 },
		"empty caveat":     func(t *store.Token) { t.Caveats = []string{""} },
		"custom list":      func(t *store.Token) { t.Custom = json.RawMessage(`[1]`) },
		"no JSON":          func(t *store.Token) { t.Custom = json.RawMessage(`{`) },
		"empty custom":     func(t *store.Token) { t.Custom = json.RawMessage{} },
		"id too long":      func(t *store.Token) { t.ID = strings.Repeat("x", 1025) },
		"name too long":    func(t *store.Token) { t.Name = strings.Repeat("x", 1025) },
		"subject too long": func(t *store.Token) { t.Subject.ID = strings.Repeat("x", 1025) },
		"parent too long":  func(t *store.Token) { t.Parent = strings.Repeat("x", 1025) },
		"unknown bait":     func(t *store.Token) { t.Bait = store.BaitRevokesFamily + 1 },
		"empty tightening": func(t *store.Token) { t.Tightened = []store.OwnerCaveat{{Added: 1}} },
	} {
		token := newToken("a")
		spoil(&token)
		requireID(t, createToken(t.Context(), s, token), errors.IDBadData, "%s", what)
		require.Empty(t, listAll(t, s, store.Query{}), "%s: the record was written", what)
	}
	createTokens(t, s, newToken("a"))
}

// requireKept requires that every reading method of the store returns the
// records unchanged.
func requireKept(t *testing.T, s store.Store, tokens ...store.Token) {
	t.Helper()
	createTokens(t, s, tokens...)
	for _, token := range tokens {
		requireToken(t, token, getToken(t, s, token.ID), "get %q", token.ID)
		named := listAll(t, s, store.Query{Subject: token.Subject, Name: token.Name})
		requireTokens(t, []store.Token{token}, named, "list by name %q", token.Name)
		require.True(t, token.Secret.Equal(namedKey(t, s, token.ID).Secret), "the secret of %q", token.ID)
		updateToken(t, s, token.ID, func(seen *store.Token) {
			requireToken(t, token, *seen, "what an update of %q sees", token.ID)
		})
		requireToken(t, token, getToken(t, s, token.ID), "%q after an update that changes nothing", token.ID)
	}
	for _, listed := range listAll(t, s, store.Query{}) {
		requireToken(t, getToken(t, s, listed.ID), listed, "list %q", listed.ID)
	}
}

func fieldsKept(t *testing.T, open func() store.Store) {
	full := fullToken("full")
	full.Name = "zażółć gęślą jaźń 🐎 \"quoted\" 'single'"
	full.Caveats = append(full.Caveats, "interface = rest", "interface = rest", "data.path = L3NwYWNlL8W8")
	first := newToken("version 1")
	first.Version = 1
	ofProvider := newToken("of a provider")
	ofProvider.Subject = provider
	requireKept(t, open(), full, newToken("plain"), first, ofProvider)
}

func numbersKept(t *testing.T, open func() store.Store) {
	var tokens []store.Token
	for _, n := range []int64{0, 1, 1<<31 + 1, 1<<53 + 1, math.MaxInt64 - 1, math.MaxInt64} {
		token := newToken(fmt.Sprint("number ", n))
		token.Created, token.UsageLimit, token.UsageCount = n, n, n
		token.Tightened = []store.OwnerCaveat{{Text: "time < 1", Added: n}}
		tokens = append(tokens, token)
	}
	for _, n := range []int64{-1, -1<<53 - 1, math.MinInt64} {
		token := newToken(fmt.Sprint("number ", n))
		token.Created = n
		token.Tightened = []store.OwnerCaveat{{Text: "time < 1", Added: n}}
		tokens = append(tokens, token)
	}
	requireKept(t, open(), tokens...)
}

func emptyListsKept(t *testing.T, open func() store.Store) {
	none, empty := newToken("none"), newToken("empty")
	empty.Caveats, empty.RevokedTails = []string{}, []store.Tail{}
	empty.Privileges, empty.Custom = []string{}, json.RawMessage(`{}`)
	empty.Tightened = []store.OwnerCaveat{}
	requireKept(t, open(), none, empty)
}

func customKept(t *testing.T, open func() store.Store) {
	var tokens []store.Token
	for i, custom := range []string{
		"{}",
		"  {\n\t\"a\" : [ 1 , 2.5 , -3 ] ,\r\n \"b\":{ \"c\" : null, \"d\": true } }  ",
		`{"zażółć":"\u017c\u00f3\u0142w 🐢","emoji":"\ud83d\ude00","ż":"ż"}`,
		`{"quotes":"\"'\\","slash":"\/","control":"\u0001\n\t"}`,
		`{"a zero rune":"\u0000"}`,
		`{"large":9007199254740993,"larger":123456789012345678901234567890}`,
		`{"":"empty key"," ":"space"}`,
		`{"long":"` + strings.Repeat("x", 1<<17) + `"}`,
		`{"deep":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		token := newToken(fmt.Sprint("custom", i))
		token.Custom = json.RawMessage(custom)
		tokens = append(tokens, token)
	}
	requireKept(t, open(), tokens...)
}

var anyBytes = []string{
	"x", "caf\u00e9 \U0001F40E", "\x00", "a\x00b", "\xff\xfe not UTF-8 \xc3", `'"\`, " with spaces ", "\r\n",
	strings.Repeat("long ", 2000),
}

func secretsKept(t *testing.T, open func() store.Store) {
	s := open()
	var tokens []store.Token
	for i, text := range anyBytes {
		token := newToken(fmt.Sprint("secret", i))
		token.Secret = store.NewSecret(text)
		tokens = append(tokens, token)

		user := caveat.User(fmt.Sprint("user", i))
		identity := newIdentity(user)
		identity.Password = store.NewSecret(text)
		createIdentities(t, s, identity)
		require.Equal(t, identity, getIdentity(t, s, user))
		ensure(t, s, user, text)
		require.Equal(t, text, temporaryKey(t, s, user).Secret.Reveal())
		rotateTo(t, s, user, text+"2")
		require.Equal(t, text+"2", temporaryKey(t, s, user).Secret.Reveal())
	}
	requireKept(t, s, tokens...)
}

func longTextsKept(t *testing.T, open func() store.Store) {
	s := open()
	long := strings.Repeat("é", 512) // 1024 bytes, the limit
	token := newToken(long)
	token.Name, token.Type, token.Subject, token.Parent = long, long, caveat.User(long), long
	for i := range 300 {
		token.Caveats = append(token.Caveats, fmt.Sprint("time < ", i))
		token.RevokedTails = append(token.RevokedTails, store.TailOf([]byte{byte(i), byte(i >> 8)}))
		token.Privileges = append(token.Privileges, fmt.Sprintf("privilege_%03d", i))
	}
	token.Caveats = append(token.Caveats, "data.path = "+strings.Repeat("L3NwYWNl|", 10_000))
	token.Tightened = []store.OwnerCaveat{{Text: token.Caveats[300], Added: 1}, {Text: " '\"\\{,}  \n", Added: 2}}
	other := newToken(long[2:] + "ab") // differs in the last bytes only
	other.Name, other.Subject = other.ID, caveat.User(other.ID)
	requireKept(t, s, token, other)

	identity := newIdentity(token.Subject)
	identity.Username, identity.FullName = long, long
	createIdentities(t, s, identity)
	require.Equal(t, identity, getIdentity(t, s, token.Subject))
	ensure(t, s, token.Subject, "secret")
	require.EqualValues(t, 1, temporaryKey(t, s, token.Subject).Generation)
	require.Equal(t, store.HolderActive, namedKey(t, s, long).Holder)
}
