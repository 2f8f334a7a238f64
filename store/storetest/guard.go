package storetest

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var guardChecks = []check{
	{"a token of an active subject is created", guardCreates},
	{"nothing is written for any other subject", guardRefuses},
	{"id and name are unique", guardUnique},
	{"an invalid record is refused whatever the subject is", guardInvalid},
	{"no other requirement is accepted", guardRequirements},
	{"concurrent creators of one name: one wins", guardConcurrently},
	{"a subject that is blocked concurrently gets no more tokens", guardWhileBlocking},
	{"a listing after the subject was blocked has every token", guardAfterBlocking},
}

// requireGuarded requires the status that the store returns for the token's
// subject.
func requireGuarded(t *testing.T, s store.Store, want store.Status, token store.Token) {
	t.Helper()
	got, err := s.CreateToken(t.Context(), token, store.HolderActive)
	require.NoError(t, err)
	require.Equal(t, want, got, "what the subject of the token %q is", token.ID)
}

func guardCreates(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"), newIdentity(provider))
	ofAlice, ofProvider := fullToken("a"), newToken("b")
	ofProvider.Subject = provider
	requireGuarded(t, s, store.HolderActive, ofAlice)
	requireGuarded(t, s, store.HolderActive, ofProvider)
	requireTokens(t, []store.Token{ofAlice, ofProvider}, listAll(t, s, store.Query{}))
	require.Equal(t, store.HolderActive, namedKey(t, s, "a").Holder)
}

func guardRefuses(t *testing.T, open func() store.Store) {
	s := open()
	blocked := newUser("bob")
	blocked.Blocked = true
	createIdentities(t, s, newUser("alice"), blocked)
	createTokens(t, s, newToken("taken"))
	before := contentOf(t, s, subjects...)
	for subject, want := range map[caveat.Subject]store.Status{
		bob:                   store.HolderBlocked,
		provider:              store.HolderMissing, // has the id of alice
		caveat.User("nobody"): store.HolderMissing,
	} {
		for _, id := range []string{"new", "taken"} {
			token := newToken(id)
			token.Subject = subject
			requireGuarded(t, s, want, token)
		}
	}
	require.Equal(t, before, contentOf(t, s, subjects...), "something was written")

	updateIdentity(t, s, bob, func(i *store.Identity) { i.Blocked = false })
	updateIdentity(t, s, alice, func(i *store.Identity) { i.Blocked = true })
	token := newToken("new")
	requireGuarded(t, s, store.HolderBlocked, token)
	token.Subject = bob
	requireGuarded(t, s, store.HolderActive, token)
	requireToken(t, token, getToken(t, s, "new"))
}

func guardUnique(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"), newUser("bob"))
	requireGuarded(t, s, store.HolderActive, newToken("a"))
	before := contentOf(t, s, subjects...)
	create := func(token store.Token) error {
		holder, err := s.CreateToken(t.Context(), token, store.HolderActive)
		require.Zero(t, holder, "there is an error, and so no answer")
		return err
	}
	sameID, sameName := newToken("a"), newToken("b")
	sameID.Name, sameName.Name = "free", "name of a"
	requireID(t, create(newToken("a")), errors.IDAlreadyExists)
	requireID(t, create(sameID), errors.IDAlreadyExists)
	requireOccupied(t, create(sameName), "name")
	require.Equal(t, before, contentOf(t, s, subjects...), "a refused record was written")
	sameName.Subject = bob
	requireGuarded(t, s, store.HolderActive, sameName)
}

func guardInvalid(t *testing.T, open func() store.Store) {
	s := open()
	blocked := newUser("bob")
	blocked.Blocked = true
	createIdentities(t, s, newUser("alice"), blocked)
	for _, subject := range []caveat.Subject{alice, bob, provider, caveat.Group("g"), caveat.Nobody(), {}} {
		token := newToken("a")
		token.Subject, token.Secret = subject, store.Secret{}
		_, err := s.CreateToken(t.Context(), token, store.HolderActive)
		requireID(t, err, errors.IDBadData, "of %s", subject)
	}
	require.Empty(t, listAll(t, s, store.Query{}))
}

func guardRequirements(t *testing.T, open func() store.Store) {
	s := open()
	blocked := newUser("bob")
	blocked.Blocked = true
	createIdentities(t, s, newUser("alice"), blocked)
	for _, subject := range []caveat.Subject{alice, bob, provider} {
		for _, status := range []store.Status{store.HolderBlocked, store.HolderMissing, store.HolderMissing + 1, 255} {
			token := newToken("a")
			token.Subject = subject
			_, err := s.CreateToken(t.Context(), token, status)
			requireID(t, err, errors.IDBadData, "of %s, required to be %d", subject, status)
		}
	}
	require.Empty(t, listAll(t, s, store.Query{}))
}

func guardConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	for round := range 5 {
		const callers = 6
		token := func(i int) store.Token {
			token := newToken(fmt.Sprint("token ", round, " ", i))
			token.Name = fmt.Sprint("name ", round)
			return token
		}
		errs := race(callers, func(i int) error {
			holder, err := s.CreateToken(t.Context(), token(i), store.HolderActive)
			if err == nil && holder != store.HolderActive {
				return fmt.Errorf("the subject is taken for %v", holder)
			}
			return err
		})
		requireOneWinner(t, errs, func(err error) { requireOccupied(t, err, "name") })
		for i, err := range errs {
			if err == nil {
				requireToken(t, token(i), getToken(t, s, token(i).ID))
			}
		}
	}
}

func guardWhileBlocking(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"), newUser("bob"))
	requireGuarded(t, s, store.HolderActive, newToken("early"))
	const callers, each = 4, 10
	holders := make([][each]store.Status, callers)
	name := func(i, j int) string { return fmt.Sprint("token ", i, " ", j) }
	requireAllNil(t, race(callers+1, func(i int) (err error) {
		if i == callers {
			return s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
				i.Blocked = true
				return nil
			})
		}
		for j := range each {
			token := newToken(name(i, j))
			if j%2 == 1 {
				token.Subject = bob
			}
			if holders[i][j], err = s.CreateToken(t.Context(), token, store.HolderActive); err != nil {
				return err
			}
		}
		return nil
	}))
	for i := range callers {
		for j, holder := range holders[i] {
			_, err := s.GetToken(t.Context(), name(i, j))
			if holder == store.HolderActive {
				require.NoError(t, err, "a token is said to be created and is not there")
				continue
			}
			require.Equal(t, store.HolderBlocked, holder)
			require.Zero(t, j%2, "bob is not blocked")
			requireID(t, err, errors.IDNotFound, "a token is said not to be created and is there")
		}
	}
	requireGuarded(t, s, store.HolderBlocked, newToken("late"))
}

// guardAfterBlocking creates tokens continuously, and lists them once the
// subject is blocked or deleted. No token may be created after that listing.
func guardAfterBlocking(t *testing.T, open func() store.Store) {
	s := open()
	for round := range 12 {
		createIdentities(t, s, newUser("alice"))
		listed := make(chan []string, 1)
		var created atomic.Int64
		requireAllNil(t, race(4, func(i int) error {
			if i == 0 {
				for created.Load() == 0 {
					runtime.Gosched()
				}
				err := stopUser(t.Context(), s, round%2 == 0)
				page, _, listErr := s.ListTokenIDs(t.Context(), store.Query{Subject: alice, Limit: store.MaxPage})
				listed <- page
				return errors.Join(err, listErr)
			}
			for n := range 150 {
				holder, err := s.CreateToken(t.Context(), newToken(fmt.Sprint("token ", round, " ", i, " ", n)), store.HolderActive)
				if created.Add(1); err != nil || holder != store.HolderActive {
					return err
				}
			}
			return nil
		}))
		known := make(map[string]bool)
		for _, id := range await(t, listed, "the tokens are listed") {
			known[id] = true
		}
		for _, id := range listAllIDs(t, s, store.Query{Subject: alice}) {
			require.True(t, known[id], "%s came up after the subject was blocked or deleted and its tokens listed", id)
			require.NoError(t, s.DeleteToken(t.Context(), id))
		}
		_ = s.DeleteIdentity(t.Context(), alice)
	}
}

// stopUser blocks alice or deletes her identity.
func stopUser(ctx context.Context, s store.Store, block bool) error {
	if !block {
		return s.DeleteIdentity(ctx, alice)
	}
	return s.UpdateIdentity(ctx, alice, func(i *store.Identity) error {
		i.Blocked = true
		return nil
	})
}
