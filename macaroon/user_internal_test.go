package macaroon

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha512"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// occupied returns an authority whose hash slots are all in use.
func occupied(t *testing.T, s store.Store) *Authority {
	t.Helper()
	a, err := NewAuthority(s)
	require.NoError(t, err)
	for range cap(a.passwords.slots) {
		a.passwords.slots <- struct{}{}
	}
	return a
}

// Every call that hashes waits for a slot. A log-in with an unknown name hashes
// too, so that its time is that of a wrong password.
func TestEveryLogInUsesAHashSlot(t *testing.T) {
	t.Parallel()
	s := memory.New()
	hashed, err := newHasher().hash(t.Context(), "correct horse", []byte("salt"))
	require.NoError(t, err)
	weak, err := pbkdf2.Key(sha512.New, "correct horse", make([]byte, 32), legacyIterations, 32)
	require.NoError(t, err)
	for name, p := range map[string]store.Secret{"alice": hashed, "old": store.NewSecret(string(make([]byte, 32)) + "." + string(weak))} {
		require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{Subject: caveat.User(name), Username: name, Password: p}))
	}
	a := occupied(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"alice", "old", "nobody"} {
		_, err := a.LogIn(ctx, name, "correct horse")
		require.ErrorIs(t, err, context.Canceled, name)
		var e *errors.Error
		require.False(t, errors.As(err, &e), "%v", err)
	}
	_, err = a.CreateUser(ctx, NewUser{Username: "new", Password: "long enough"})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, a.SetPassword(ctx, caveat.User("alice"), "long enough"), context.Canceled)
	assert.Equal(t, defaultPasswordIterations, newHasher().dummyHash().iterations)
	right, err := newHasher().compare(t.Context(), newHasher().dummyHash(), []string{""})
	require.NoError(t, err)
	assert.Negative(t, right)
}

// meddler changes a password while a hash is upgraded.
type meddler struct {
	store.Store
	meddle func()
}

func (m *meddler) UpdateIdentity(ctx context.Context, s caveat.Subject, change func(*store.Identity) error) error {
	m.meddle()
	return m.Store.UpdateIdentity(ctx, s, change)
}

func TestAnUpgradeDoesNotUndoANewPassword(t *testing.T) {
	t.Parallel()
	alice := caveat.User("alice")
	s := memory.New()
	old := store.Identity{Subject: alice, Username: "alice", Password: store.NewSecret("the old hash")}
	require.NoError(t, s.CreateIdentity(t.Context(), old))
	m := &meddler{Store: s, meddle: func() {
		require.NoError(t, s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
			i.Password = store.NewSecret("another hash")
			return nil
		}))
	}}
	a, err := NewAuthority(m)
	require.NoError(t, err)
	a.upgradePassword(t.Context(), old, "correct horse")
	now, err := s.GetIdentity(t.Context(), alice)
	require.NoError(t, err)
	assert.Equal(t, "another hash", now.Password.Reveal())

	// If the upgrade fails, the log-in still succeeds, because the password is
	// right.
	b, err := NewAuthority(s, WithRandom(strings.NewReader("")))
	require.NoError(t, err)
	b.upgradePassword(t.Context(), now, "correct horse")
	now, err = s.GetIdentity(t.Context(), alice)
	require.NoError(t, err)
	assert.Equal(t, "another hash", now.Password.Reveal())
}

func TestHashSlotsAreReleased(t *testing.T) {
	t.Parallel()
	s := make(semaphore, 1)
	assert.Panics(t, func() { _ = s.do(t.Context(), func() error { panic("bug") }) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, s.do(ctx, func() error { return nil }))
}
