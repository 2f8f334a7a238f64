package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var keyChecks = []check{
	{"a named key agrees with the record", namedKeyOfRecord},
	{"a named key follows updates of the token", namedKeyFollowsToken},
	{"keys follow the holder's identity immediately", keysFollowHolder},
	{"a holder of the same id but another type is another", holderTypesApart},
	{"a missing token has no named key", namedKeyNotFound},
	{"every later look-up returns the update", keysAreFresh},
}

func namedKeyOfRecord(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newIdentity(alice))
	full, plain := fullToken("full"), newToken("plain")
	createTokens(t, s, full, plain)

	key := namedKey(t, s, "full")
	require.Equal(t, store.Key{
		Secret:       full.Secret,
		Subject:      alice,
		Revoked:      true,
		RevokedTails: full.RevokedTails,
		Tightened:    full.Tightened,
		Bait:         full.Bait,
		Holder:       store.HolderActive,
	}, key)

	key = namedKey(t, s, "plain")
	require.Empty(t, key.RevokedTails)
	require.Empty(t, key.Tightened)
	key.RevokedTails, key.Tightened = nil, nil
	require.Equal(t, store.Key{Secret: plain.Secret, Subject: alice, Holder: store.HolderActive}, key)
}

func namedKeyFollowsToken(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	require.False(t, namedKey(t, s, "a").Revoked)

	updateToken(t, s, "a", func(token *store.Token) { token.Revoked = true })
	require.True(t, namedKey(t, s, "a").Revoked)
	require.False(t, namedKey(t, s, "b").Revoked, "another token was revoked")

	updateToken(t, s, "a", func(token *store.Token) { token.Revoked = false })
	require.False(t, namedKey(t, s, "a").Revoked)

	tails := []store.Tail{store.TailOf([]byte("x")), store.TailOf([]byte("y"))}
	updateToken(t, s, "a", func(token *store.Token) { token.RevokedTails = tails[:1] })
	require.Equal(t, tails[:1], namedKey(t, s, "a").RevokedTails)
	updateToken(t, s, "a", func(token *store.Token) { token.RevokedTails = append(token.RevokedTails, tails[1]) })
	require.Equal(t, tails, namedKey(t, s, "a").RevokedTails)
	updateToken(t, s, "a", func(token *store.Token) { token.RevokedTails = nil })
	require.Empty(t, namedKey(t, s, "a").RevokedTails)

	tightened := fullToken("a").Tightened
	updateToken(t, s, "a", func(token *store.Token) { token.Tightened = tightened[:1] })
	require.Equal(t, tightened[:1], namedKey(t, s, "a").Tightened)
	updateToken(t, s, "a", func(token *store.Token) { token.Tightened, token.Bait = tightened, store.BaitAlarm })
	require.Equal(t, tightened, namedKey(t, s, "a").Tightened)
	require.Equal(t, store.BaitAlarm, namedKey(t, s, "a").Bait)
	updateToken(t, s, "a", func(token *store.Token) { token.Tightened, token.Bait = nil, 0 })
	require.Empty(t, namedKey(t, s, "a").Tightened)
	require.Zero(t, namedKey(t, s, "a").Bait)
	require.Empty(t, namedKey(t, s, "b").Tightened, "another token was tightened")

	updateToken(t, s, "a", func(token *store.Token) { token.Secret = store.NewSecret("another") })
	require.Equal(t, "another", namedKey(t, s, "a").Secret.Reveal())
}

func keysFollowHolder(t *testing.T, open func() store.Store) {
	s := open()
	for _, subject := range []caveat.Subject{alice, provider} {
		id := "token of " + subject.String()
		token := newToken(id)
		token.Subject = subject
		createTokens(t, s, token)
		ensured, err := s.EnsureTemporaryKey(t.Context(), subject, store.NewSecret("temporary"))
		require.NoError(t, err)
		require.Equal(t, store.HolderMissing, ensured.Holder)

		want := func(status store.Status, when string) {
			t.Helper()
			require.Equal(t, status, namedKey(t, s, id).Holder, "named key, %s", when)
			require.Equal(t, status, temporaryKey(t, s, subject).Holder, "temporary key, %s", when)
			ensured, err := s.EnsureTemporaryKey(t.Context(), subject, store.NewSecret("other"))
			require.NoError(t, err)
			require.Equal(t, status, ensured.Holder, "ensured key, %s", when)
		}
		block := func(blocked bool) {
			t.Helper()
			updateIdentity(t, s, subject, func(i *store.Identity) { i.Blocked = blocked })
		}
		want(store.HolderMissing, "before there is an identity")
		createIdentities(t, s, newIdentity(subject))
		want(store.HolderActive, "created")
		block(true)
		want(store.HolderBlocked, "blocked")
		block(false)
		want(store.HolderActive, "not blocked any more")
		require.NoError(t, s.DeleteIdentity(t.Context(), subject))
		want(store.HolderMissing, "deleted")
		blocked := newIdentity(subject)
		blocked.Blocked = true
		createIdentities(t, s, blocked)
		want(store.HolderBlocked, "created as blocked")
	}
}

func holderTypesApart(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newIdentity(provider)) // has the id of alice
	createTokens(t, s, newToken("a"))
	_, err := s.EnsureTemporaryKey(t.Context(), alice, store.NewSecret("temporary"))
	require.NoError(t, err)
	require.Equal(t, store.HolderMissing, namedKey(t, s, "a").Holder)
	require.Equal(t, store.HolderMissing, temporaryKey(t, s, alice).Holder)
}

func namedKeyNotFound(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newIdentity(alice))
	createTokens(t, s, newToken("a"), newToken("deleted"))
	require.NoError(t, s.DeleteToken(t.Context(), "deleted"))
	for _, id := range []string{"unknown", "deleted", "", "A", "a ", "name of a", alice.ID} {
		_, err := s.NamedKey(t.Context(), id)
		requireID(t, err, errors.IDNotFound, "id %q", id)
	}
}

// keysAreFresh also looks keys up before each write, to detect stale caches.
func keysAreFresh(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	for i := range 20 {
		revoked := i%2 == 0
		updateToken(t, s, "a", func(token *store.Token) { token.Revoked = revoked })
		requireAllNil(t, race(4, func(int) error {
			key, err := s.NamedKey(t.Context(), "a")
			if err == nil && key.Revoked != revoked {
				return errors.New("the key is that before the update")
			}
			return err
		}))
	}
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	_, err := s.NamedKey(t.Context(), "a")
	requireID(t, err, errors.IDNotFound)
	again := newToken("a")
	again.Secret = store.NewSecret("of the second token with that id")
	createTokens(t, s, again)
	require.True(t, again.Secret.Equal(namedKey(t, s, "a").Secret))
}
