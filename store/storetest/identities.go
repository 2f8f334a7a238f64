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

var identityChecks = []check{
	{"every field is kept", identityKept},
	{"the subject is unique", subjectUnique},
	{"the user name is unique", usernameUnique},
	{"many identities may have no user name", usernameEmpty},
	{"a user is found by the exact user name", usernameExact},
	{"rights are added and removed", changeRights},
	{"missing records are not found", identityNotFound},
	{"an invalid record is refused", invalidIdentityRefused},
	{"delete removes the record and frees the user name", deleteIdentity},
	{"tokens and temporary secret outlive the identity", tokensOutliveIdentity},
	{"concurrent creators of one subject: one wins", createSubjectConcurrently},
	{"concurrent creators of one user name: one wins", createUsernameConcurrently},
}

func getByUsername(t *testing.T, s store.Store, username string) store.Identity {
	t.Helper()
	i, err := s.GetIdentityByUsername(t.Context(), username)
	require.NoError(t, err, "get the user named %q", username)
	return i
}

func requireNoUser(t *testing.T, s store.Store, username string) {
	t.Helper()
	_, err := s.GetIdentityByUsername(t.Context(), username)
	requireID(t, err, errors.IDNotFound, "user name %q", username)
}

func identityKept(t *testing.T, open func() store.Store) {
	s := open()
	full := newUser("żółw 🐢")
	full.FullName, full.Blocked = `O'Neill "Ż" \ 🐎`, true
	full.Rights = []string{"oz_groups_view", "oz_tokens_manage"}
	minimal := store.Identity{Subject: alice}
	ofProvider := newIdentity(provider)
	past, future := newIdentity(caveat.User("past")), newIdentity(caveat.User("future"))
	past.Created, future.Created = math.MinInt64, math.MaxInt64
	all := []store.Identity{full, minimal, ofProvider, past, future}
	createIdentities(t, s, all...)
	for _, want := range all {
		require.Equal(t, want, getIdentity(t, s, want.Subject))
		updateIdentity(t, s, want.Subject, func(i *store.Identity) {
			require.Equal(t, want, *i, "what an update sees")
		})
		require.Equal(t, want, getIdentity(t, s, want.Subject), "after an update that changes nothing")
	}
	require.Equal(t, full, getByUsername(t, s, full.Username))
}

func subjectUnique(t *testing.T, open func() store.Store) {
	s := open()
	first := newUser("alice")
	createIdentities(t, s, first)
	requireID(t, s.CreateIdentity(t.Context(), first), errors.IDAlreadyExists, "the same record again")
	other := newIdentity(alice)
	other.Username = "other"
	requireID(t, s.CreateIdentity(t.Context(), other), errors.IDAlreadyExists, "another user name")
	require.Equal(t, first, getIdentity(t, s, alice))
	requireNoUser(t, s, "other")
	createIdentities(t, s, newIdentity(provider), newIdentity(caveat.User("Alice")), newUser("other"))
	require.Equal(t, first, getIdentity(t, s, alice))
	require.Equal(t, newIdentity(provider), getIdentity(t, s, provider))
}

func usernameUnique(t *testing.T, open func() store.Store) {
	s := open()
	first, second := newUser("alice"), newIdentity(bob)
	second.Username = "alice"
	createIdentities(t, s, first)
	requireOccupied(t, s.CreateIdentity(t.Context(), second), "username")
	_, err := s.GetIdentity(t.Context(), bob)
	requireID(t, err, errors.IDNotFound, "a refused record was written")
	require.Equal(t, first, getByUsername(t, s, "alice"))
	second.Username = "ALICE"
	createIdentities(t, s, second)
	require.Equal(t, second, getByUsername(t, s, "ALICE"))
}

func usernameEmpty(t *testing.T, open func() store.Store) {
	s := open()
	for i := range 5 {
		createIdentities(t, s, newIdentity(caveat.User(fmt.Sprint("user", i))), newIdentity(caveat.Provider(fmt.Sprint("user", i))))
	}
	requireNoUser(t, s, "")
	createIdentities(t, s, newUser("alice"), newUser("bob"))
	for _, subject := range []caveat.Subject{alice, bob} {
		updateIdentity(t, s, subject, func(i *store.Identity) { i.Username = "" })
	}
	requireNoUser(t, s, "")
	requireNoUser(t, s, "alice")
}

func usernameExact(t *testing.T, open func() store.Store) {
	s := open()
	named := newUser("alice")
	named.Username = "Alice_1"
	createIdentities(t, s, named, newIdentity(provider))
	require.Equal(t, named, getByUsername(t, s, "Alice_1"))
	for _, other := range []string{"alice_1", "ALICE_1", "Alice_1 ", " Alice_1", "Alice_", "Alice%", "Alice11", "alice", named.FullName, alice.String()} {
		requireNoUser(t, s, other)
	}
}

func identityNotFound(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newIdentity(alice))
	for _, subject := range []caveat.Subject{
		bob, provider, caveat.Group("alice"), caveat.Nobody(), {}, caveat.User(""), caveat.User("Alice"), {Type: 99, ID: "alice"},
	} {
		_, err := s.GetIdentity(t.Context(), subject)
		requireID(t, err, errors.IDNotFound, "get %s", subject)
		requireID(t, s.DeleteIdentity(t.Context(), subject), errors.IDNotFound, "delete %s", subject)
		err = s.UpdateIdentity(t.Context(), subject, func(*store.Identity) error {
			t.Errorf("change was called for %s, which does not exist", subject)
			return nil
		})
		requireID(t, err, errors.IDNotFound, "update %s", subject)
	}
	require.Equal(t, newIdentity(alice), getIdentity(t, s, alice))
}

func changeRights(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	for _, rights := range [][]string{{"oz_tokens_manage"}, {"oz_groups_view", "oz_tokens_manage"}, {"oz_groups_view"}, {}, nil} {
		updateIdentity(t, s, alice, func(i *store.Identity) { i.Rights = rights })
		require.Equal(t, append([]string(nil), rights...), getIdentity(t, s, alice).Rights, "empty lists are read as nil")
		exported := exportAll(t, s, store.IdentityRecords, 0)
		require.Len(t, exported, 1)
		require.NoError(t, s.Import(t.Context(), exported))
		require.Equal(t, append([]string(nil), rights...), getIdentity(t, s, alice).Rights, "after an import")
	}
}

func invalidIdentityRefused(t *testing.T, open func() store.Store) {
	s := open()
	for what, spoil := range map[string]func(*store.Identity){
		"a group":                   func(i *store.Identity) { i.Subject = caveat.Group("g") },
		"nobody":                    func(i *store.Identity) { i.Subject = caveat.Nobody() },
		"no subject":                func(i *store.Identity) { i.Subject = caveat.Subject{} },
		"no id":                     func(i *store.Identity) { i.Subject.ID = "" },
		"a provider with user name": func(i *store.Identity) { i.Subject, i.Username = provider, "name" },
		"user name too long":        func(i *store.Identity) { i.Username = strings.Repeat("x", 1025) },
		"rights not sorted":         func(i *store.Identity) { i.Rights = []string{"b", "a"} },
		"a right twice":             func(i *store.Identity) { i.Rights = []string{"a", "a"} },
		"a right with a space":      func(i *store.Identity) { i.Rights = []string{"a b"} },
		"an empty right":            func(i *store.Identity) { i.Rights = []string{""} },
		"full name too long":        func(i *store.Identity) { i.FullName = strings.Repeat("x", 1025) },
	} {
		i := newIdentity(alice)
		spoil(&i)
		requireID(t, s.CreateIdentity(t.Context(), i), errors.IDBadData, what)
		_, err := s.GetIdentity(t.Context(), i.Subject)
		requireID(t, err, errors.IDNotFound, "%s: the record was written", what)
	}
	requireNoUser(t, s, "name")
}

func deleteIdentity(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"), newUser("bob"))
	require.NoError(t, s.DeleteIdentity(t.Context(), alice))
	_, err := s.GetIdentity(t.Context(), alice)
	requireID(t, err, errors.IDNotFound)
	requireNoUser(t, s, "alice")
	requireID(t, s.DeleteIdentity(t.Context(), alice), errors.IDNotFound, "deleted already")
	require.Equal(t, newUser("bob"), getIdentity(t, s, bob))

	taker := newIdentity(caveat.User("carol"))
	taker.Username = "alice"
	createIdentities(t, s, taker, newIdentity(alice))
	require.Equal(t, newIdentity(alice), getIdentity(t, s, alice), "something of the deleted record is left")
	require.Equal(t, taker, getByUsername(t, s, "alice"))
}

func tokensOutliveIdentity(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	createTokens(t, s, fullToken("a"))
	rotateTo(t, s, alice, "temporary")
	require.NoError(t, s.DeleteIdentity(t.Context(), alice))
	requireToken(t, fullToken("a"), getToken(t, s, "a"))
	requireTokens(t, []store.Token{fullToken("a")}, listAll(t, s, store.Query{Subject: alice}))
	require.Equal(t, store.HolderMissing, namedKey(t, s, "a").Holder)
	require.Equal(t, temporaryOf(alice, "temporary", 1), temporaryKey(t, s, alice))
	updateToken(t, s, "a", func(token *store.Token) { token.Revoked = false })
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
}

func createSubjectConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	for round := range 10 {
		subject := caveat.User(fmt.Sprint("user", round))
		const callers = 8
		made := make([]store.Identity, callers)
		for i := range made {
			made[i] = newIdentity(subject)
			made[i].Username = fmt.Sprint("name", round, " ", i)
		}
		errs := race(callers, func(i int) error { return s.CreateIdentity(t.Context(), made[i]) })
		requireOneWinner(t, errs, func(err error) { requireID(t, err, errors.IDAlreadyExists) })
		for i, err := range errs {
			if err == nil {
				require.Equal(t, made[i], getIdentity(t, s, subject))
			} else {
				requireNoUser(t, s, made[i].Username)
			}
		}
	}
}

func createUsernameConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	for round := range 10 {
		name := fmt.Sprint("name", round)
		user := func(i int) caveat.Subject { return caveat.User(fmt.Sprint("user", round, " ", i)) }
		errs := race(8, func(i int) error {
			identity := newIdentity(user(i))
			identity.Username = name
			return s.CreateIdentity(t.Context(), identity)
		})
		requireOneWinner(t, errs, func(err error) { requireOccupied(t, err, "username") })
		for i, err := range errs {
			if err == nil {
				require.Equal(t, user(i), getByUsername(t, s, name).Subject)
				continue
			}
			_, err := s.GetIdentity(t.Context(), user(i))
			requireID(t, err, errors.IDNotFound, "a loser was written")
		}
	}
}
