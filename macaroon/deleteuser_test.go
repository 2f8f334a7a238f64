package macaroon_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// interrupted is a store that calls a function before or after it writes a
// token or a temporary secret, to simulate a concurrent call.
type interrupted struct {
	*memory.Store
	before, after func()
}

func (s *interrupted) around(write func()) {
	before, after := s.before, s.after
	s.before, s.after = nil, nil // once
	if before != nil {
		before()
	}
	write()
	if after != nil {
		after()
	}
}

func (s *interrupted) CreateToken(ctx context.Context, t store.Token, require store.Status) (holder store.Status, err error) {
	s.around(func() { holder, err = s.Store.CreateToken(ctx, t, require) })
	return holder, err
}

func (s *interrupted) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (key store.Key, err error) {
	s.around(func() { key, err = s.Store.EnsureTemporaryKey(ctx, subject, secret) })
	return key, err
}

// ofAnApplication is the directory of an application that may contain alice.
type ofAnApplication struct{ active atomic.Bool }

func (d *ofAnApplication) Holder(context.Context, caveat.Subject) (store.Status, error) {
	if d.active.Load() {
		return store.HolderActive, nil
	}
	return store.HolderMissing, nil
}

// issuing are the ways to issue a token of alice.
func issuing(z *zone) map[string]func(ctx context.Context) (macaroon.Token, error) {
	limited := []caveat.Caveat{caveat.Services{{Type: caveat.OzWorker, ID: caveat.OnezoneID}}}
	return map[string]func(ctx context.Context) (macaroon.Token, error){
		"named": func(ctx context.Context) (macaroon.Token, error) {
			return z.IssueNamed(ctx, "name", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		},
		"named, for a service": func(ctx context.Context) (macaroon.Token, error) {
			return z.IssueNamed(ctx, "name", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: limited})
		},
		"temporary": func(ctx context.Context) (macaroon.Token, error) {
			return z.Issue(ctx, macaroon.Grant{
				Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(z.clock().Add(time.Hour))},
			})
		},
	}
}

// TestNoTokenOutlivesTheDeletionOfItsUser deletes the user just before and just
// after a token is written, and creates it again with the same id.
func TestNoTokenOutlivesTheDeletionOfItsUser(t *testing.T) {
	t.Parallel()
	for way := range issuing(nil) {
		for _, moment := range []string{"before", "after"} {
			for _, kept := range []string{"in the store", "in a directory"} {
				t.Run(way+" "+moment+" "+kept, func(t *testing.T) {
					t.Parallel()
					z, s, d := newZone(t), &interrupted{}, new(ofAnApplication)
					s.Store = z.store
					d.active.Store(true)
					options := []macaroon.Option{macaroon.WithClock(z.clock)}
					if kept == "in a directory" {
						options = append(options, macaroon.WithDirectory(d))
					}
					var err error
					z.Authority, err = macaroon.NewAuthority(s, options...)
					require.NoError(t, err)
					remove := func() {
						d.active.Store(false)
						if kept == "in a directory" {
							require.NoError(t, z.Forget(t.Context(), alice))
						} else {
							require.NoError(t, z.DeleteUser(t.Context(), alice))
						}
					}
					if s.before = remove; moment == "after" {
						s.before, s.after = nil, remove
					}
					token, refused := issuing(z)[way](t.Context())

					d.active.Store(true)
					if kept == "in the store" {
						_, err = z.CreateUser(t.Context(), macaroon.NewUser{ID: alice.ID})
						require.NoError(t, err)
					}
					if refused == nil {
						require.Equal(t, "after", moment, "a token was issued to a user who is not there")
						require.Error(t, z.verify(token), "it works for the next user with that id")
					} else {
						requireID(t, errors.IDTokenSubjectInvalid, refused)
					}
					n, err := z.store.CountTokens(t.Context(), alice)
					require.NoError(t, err)
					require.Zero(t, n, "a token is left")
				})
			}
		}
	}
}

// TestANewUserHasNoTokensOfAFormerOne removes only the identity from the store.
func TestANewUserHasNoTokensOfAFormerOne(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	named, temporary := z.access(t), z.temporary(t, alice, macaroon.AccessToken())
	require.NoError(t, z.store.DeleteIdentity(t.Context(), alice))
	_, err := z.CreateUser(t.Context(), macaroon.NewUser{ID: alice.ID})
	require.NoError(t, err)
	requireID(t, errors.IDTokenInvalid, z.verify(named))
	requireID(t, errors.IDTokenInvalid, z.verify(temporary))
	require.NoError(t, z.verify(z.access(t)), "the new user is not blocked")

	_, err = z.CreateUser(t.Context(), macaroon.NewUser{ID: alice.ID})
	requireID(t, errors.IDAlreadyExists, err)
	require.NoError(t, z.verify(z.temporary(t, alice, macaroon.AccessToken())), "a refused creation removes nothing")
}

// TestADeletionThatFailsHalfwayLeavesABlockedUser also shows that the deletion
// can be repeated.
func TestADeletionThatFailsHalfwayLeavesABlockedUser(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	named, temporary := z.access(t), z.temporary(t, alice, macaroon.AccessToken())
	f := &failing{Store: z.store, remove: func(int) error { return errGone }}
	a, err := macaroon.NewAuthority(f)
	require.NoError(t, err)
	require.ErrorIs(t, a.DeleteUser(t.Context(), alice), errGone)
	requireID(t, errors.IDUserBlocked, z.verify(named))
	requireID(t, errors.IDUserBlocked, z.verify(temporary))
	require.NoError(t, z.DeleteUser(t.Context(), alice))
	requireID(t, errors.IDTokenInvalid, z.verify(named))
	requireID(t, errors.IDTokenInvalid, z.verify(temporary))
	requireID(t, errors.IDNotFound, z.DeleteUser(t.Context(), alice))
}

// TestAUserWhoseActivationFailsIsRemoved also shows that the creation can be
// repeated.
func TestAUserWhoseActivationFailsIsRemoved(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	f := &failing{Store: z.store} // fails to delete temporary secrets
	a, err := macaroon.NewAuthority(f)
	require.NoError(t, err)
	_, err = a.CreateUser(t.Context(), macaroon.NewUser{ID: "u-new"})
	require.ErrorIs(t, err, errGone)
	_, err = z.CreateUser(t.Context(), macaroon.NewUser{ID: "u-new"})
	require.NoError(t, err)
	require.NoError(t, z.verify(z.named(t, caveat.User("u-new"), macaroon.AccessToken())))
}

// TestATokenIsRemovedAfterTheCallerHasCanceled cancels the request while a user
// of a directory is deleted.
func TestATokenIsRemovedAfterTheCallerHasCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	d := new(ofAnApplication)
	d.active.Store(true)
	s := &interrupted{Store: memory.New(), after: func() {
		d.active.Store(false)
		cancel()
	}}
	a, err := macaroon.NewAuthority(s, macaroon.WithDirectory(d))
	require.NoError(t, err)
	_, err = a.IssueNamed(ctx, "name", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	requireID(t, errors.IDTokenSubjectInvalid, err)
	n, err := s.CountTokens(t.Context(), alice)
	require.NoError(t, err)
	require.Zero(t, n)
}
