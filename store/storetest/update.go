package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var updateChecks = []check{
	{"every field that may change changes", updateFields},
	{"change receives the current record", updateSees},
	{"an error of change is returned unchanged and writes nothing", updateError},
	{"a nil change is refused", updateNothing},
	{"id subject creation time and parent never change", updateKeyRefused},
	{"an invalid outcome is refused", updateInvalidRefused},
	{"rename frees the old name and takes the new", rename},
	{"a taken name is refused", renameRefused},
	{"two tokens can swap names through a third name", renameSwap},
	{"concurrent renames to one name: one wins", renameConcurrently},
	{"2 concurrent writers lose nothing", func(t *testing.T, open func() store.Store) { updateConcurrently(t, open(), 2) }},
	{"10 concurrent writers lose nothing", func(t *testing.T, open func() store.Store) { updateConcurrently(t, open(), 10) }},
	{"a usage limit admits exactly the limit", usageLimit},
	{"a deleted token does not come back", updateWhileDeleted},
}

func updateFields(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	want := fullToken("a")
	want.Name, want.Version, want.Secret = "Nowa nazwa", 1, store.NewSecret("another")
	want.Parent = "" // it cannot be changed
	updateToken(t, s, "a", func(token *store.Token) { *token = want })
	requireToken(t, want, getToken(t, s, "a"))
	requireTokens(t, []store.Token{want}, listAll(t, s, store.Query{Subject: alice, Name: want.Name}))

	want = newToken("a")
	updateToken(t, s, "a", func(token *store.Token) { *token = want })
	requireToken(t, want, getToken(t, s, "a"), "fields that are empty again")
	requireToken(t, newToken("b"), getToken(t, s, "b"), "another token changed")
}

func updateNothing(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	createIdentities(t, s, newUser("alice"))
	require.ErrorIs(t, s.UpdateToken(t.Context(), "a", nil), errors.IDBadData)
	require.ErrorIs(t, s.UpdateIdentity(t.Context(), alice, nil), errors.IDBadData)
}

func updateSees(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, fullToken("a"))
	want := fullToken("a")
	for i := range 3 {
		updateToken(t, s, "a", func(token *store.Token) {
			requireToken(t, want, *token)
			token.Caveats = append(token.Caveats, fmt.Sprint("asn = ", i))
			token.UsageCount++
		})
		want.Caveats = append(want.Caveats, fmt.Sprint("asn = ", i))
		want.UsageCount++
	}
	requireToken(t, want, getToken(t, s, "a"))
}

func updateError(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, fullToken("a"))
	for _, stop := range []error{errors.New("stop"), errors.TokenRevoked(), errors.NotFound(), fmt.Errorf("stop: %w", errors.New("why"))} {
		err := s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
			token.Name, token.Revoked, token.UsageCount = "changed", false, 100
			scribble(token)
			return stop
		})
		require.True(t, err == stop, "want the very error %v, got %v", stop, err)
		requireToken(t, fullToken("a"), getToken(t, s, "a"), "a failed update was written")
		require.True(t, namedKey(t, s, "a").Revoked, "a failed update was written")
		require.Empty(t, listAll(t, s, store.Query{Subject: alice, Name: "changed"}), "a failed update was written")
	}
	free := newToken("b")
	free.Name = "changed"
	createTokens(t, s, free)
}

func updateKeyRefused(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	for what, spoil := range map[string]func(*store.Token){
		"id":      func(t *store.Token) { t.ID = "b" },
		"subject": func(t *store.Token) { t.Subject = bob },
		"created": func(t *store.Token) { t.Created++ },
		"parent":  func(t *store.Token) { t.Parent = "b" },
	} {
		err := s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
			token.Revoked = true
			spoil(token)
			return nil
		})
		requireID(t, err, errors.IDBadData, what)
		requireTokens(t, []store.Token{newToken("a")}, listAll(t, s, store.Query{}), what)
	}
}

func updateInvalidRefused(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	for what, spoil := range map[string]func(*store.Token){
		"name":       func(t *store.Token) { t.Name = "" },
		"secret":     func(t *store.Token) { t.Secret = store.Secret{} },
		"version":    func(t *store.Token) { t.Version = 3 },
		"custom":     func(t *store.Token) { t.Custom = json.RawMessage(`null`) },
		"usageCount": func(t *store.Token) { t.UsageCount = -1 },
	} {
		err := s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
			token.Revoked = true
			spoil(token)
			return nil
		})
		requireID(t, err, errors.IDBadData, what)
		requireTokens(t, []store.Token{newToken("a")}, listAll(t, s, store.Query{}), what)
	}
}

func rename(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	updateToken(t, s, "a", func(token *store.Token) { token.Name = "new" })
	want := newToken("a")
	want.Name = "new"
	requireTokens(t, []store.Token{want}, listAll(t, s, store.Query{Subject: alice, Name: "new"}))
	require.Empty(t, listAll(t, s, store.Query{Subject: alice, Name: "name of a"}), "the old name still leads to the token")

	taker := newToken("c")
	taker.Name = "name of a"
	createTokens(t, s, taker)
	late := newToken("d")
	late.Name = "new"
	requireOccupied(t, createToken(t.Context(), s, late), "name")

	updateToken(t, s, "a", func(token *store.Token) { token.Name = "new" })
	updateToken(t, s, "a", func(token *store.Token) { token.Name = "NEW" })
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	createTokens(t, s, late)
	updateToken(t, s, "b", func(token *store.Token) { token.Name = "NEW" })
}

func renameRefused(t *testing.T, open func() store.Store) {
	s := open()
	ofBob := newToken("of bob")
	ofBob.Subject, ofBob.Name = bob, "name of b"
	createTokens(t, s, newToken("a"), newToken("b"), ofBob)
	before := contentOf(t, s)
	err := s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
		token.Name, token.Revoked = "name of b", true
		return nil
	})
	requireOccupied(t, err, "name")
	require.Equal(t, before, contentOf(t, s), "a refused rename was written")

	require.NoError(t, s.DeleteToken(t.Context(), "b"))
	updateToken(t, s, "a", func(token *store.Token) { token.Name = "name of b" })
}

func renameSwap(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	for _, step := range []struct{ id, name string }{{"a", "third"}, {"b", "name of a"}, {"a", "name of b"}} {
		updateToken(t, s, step.id, func(token *store.Token) { token.Name = step.name })
	}
	a, b := newToken("a"), newToken("b")
	a.Name, b.Name = b.Name, a.Name
	requireTokens(t, []store.Token{a, b}, listAll(t, s, store.Query{}))
	requireTokens(t, []store.Token{a}, listAll(t, s, store.Query{Subject: alice, Name: "name of b"}))
	requireTokens(t, []store.Token{b}, listAll(t, s, store.Query{Subject: alice, Name: "name of a"}))
	require.Empty(t, listAll(t, s, store.Query{Subject: alice, Name: "third"}))
}

func renameConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	const callers = 8
	for i := range callers {
		createTokens(t, s, newToken(fmt.Sprint("token", i)))
	}
	for round := range 5 {
		name := fmt.Sprint("name", round)
		errs := race(callers, func(i int) error {
			return s.UpdateToken(t.Context(), fmt.Sprint("token", i), func(token *store.Token) error {
				token.Name = name
				linger()
				return nil
			})
		})
		requireOneWinner(t, errs, func(err error) { requireOccupied(t, err, "name") })
		require.Len(t, listAll(t, s, store.Query{Subject: alice, Name: name}), 1)
	}
}

func updateConcurrently(t *testing.T, s store.Store, writers int) {
	const each = 30
	createTokens(t, s, newToken("a"))
	for n := range each {
		requireAllNil(t, race(writers, func(i int) error {
			return s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
				token.UsageCount++
				token.RevokedTails = append(token.RevokedTails, store.TailOf([]byte{byte(i), byte(n)}))
				linger()
				return nil
			})
		}))
	}
	got := getToken(t, s, "a")
	require.EqualValues(t, writers*each, got.UsageCount, "updates were lost")
	distinct := make(map[store.Tail]bool)
	for _, tail := range got.RevokedTails {
		distinct[tail] = true
	}
	require.Len(t, got.RevokedTails, writers*each, "updates were lost")
	require.Len(t, distinct, writers*each, "updates were lost")
}

func usageLimit(t *testing.T, open func() store.Store) {
	s := open()
	const limit, consumers = 10, 30
	token := newToken("invite")
	token.UsageLimit = limit
	createTokens(t, s, token)
	usedUp := errors.New("used up")
	var admitted atomic.Int64
	requireAllNil(t, race(consumers, func(int) error {
		err := s.UpdateToken(t.Context(), "invite", func(token *store.Token) error {
			if token.UsageCount >= token.UsageLimit {
				return usedUp
			}
			token.UsageCount++
			linger()
			return nil
		})
		if errors.Is(err, usedUp) {
			return nil
		}
		if err == nil {
			admitted.Add(1)
		}
		return err
	}))
	require.EqualValues(t, limit, admitted.Load(), "so many consumers were admitted")
	require.EqualValues(t, limit, getToken(t, s, "invite").UsageCount)
}

func updateWhileDeleted(t *testing.T, open func() store.Store) {
	s := open()
	for round := range 10 {
		id := fmt.Sprint("token", round)
		createTokens(t, s, newToken(id))
		started, deleted := make(chan struct{}), make(chan struct{})
		var once sync.Once
		requireAllNil(t, race(2, func(i int) error {
			if i == 0 {
				defer close(deleted)
				<-started
				return s.DeleteToken(t.Context(), id)
			}
			return updateUntil(t.Context(), s, id, deleted, func() { once.Do(func() { close(started) }) })
		}))
		_, err := s.GetToken(t.Context(), id)
		requireID(t, err, errors.IDNotFound)
		_, err = s.NamedKey(t.Context(), id)
		requireID(t, err, errors.IDNotFound)
	}
	require.Empty(t, listAll(t, s, store.Query{}))
}

// updateUntil updates the token repeatedly until it is deleted.
func updateUntil(ctx context.Context, s store.Store, id string, deleted <-chan struct{}, began func()) error {
	for {
		err := s.UpdateToken(ctx, id, func(token *store.Token) error {
			began()
			token.UsageCount++
			return nil
		})
		if err != nil && !errors.Is(err, errors.IDNotFound) {
			began() // so that the test does not wait forever
			return err
		}
		select {
		case <-deleted:
			return nil
		default:
		}
	}
}
