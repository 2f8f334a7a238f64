package macaroon_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// sessions maps each session to its user.
type sessions map[string]caveat.Subject

func (s sessions) BelongsTo(_ context.Context, session string, user caveat.Subject) (bool, error) {
	if session == "broken" {
		return false, context.DeadlineExceeded
	}
	return s[session] == user && session != "", nil
}

// Of several errors, the first one in the table of VerifyAccess is returned.
func TestTheOrderOfTheChecks(t *testing.T) {
	t.Parallel()
	const session = "s1"
	z := newZone(t, macaroon.WithSessions(sessions{session: bob}))
	ctx := t.Context()

	// A token with every error after the signature: its subject differs from
	// that of the record, it is revoked, a caveat fails, and its session is
	// neither that of the request nor one of the subject.
	require.NoError(t, second(z.store.CreateToken(ctx, store.Token{
		ID: "t1", Name: "token", Version: 2, Subject: alice, Type: "act:" + session, Secret: secret, Created: 1,
	}, 0)))
	bad := caveat.Request{Session: caveat.InSession("other"), Service: caveat.Service{Type: caveat.OpWorker, ID: "p9"}}

	faults := []struct {
		name string
		id   errors.ID
		// remedy removes the error.
		remedy func(t *testing.T, token *macaroon.Token, req *caveat.Request)
	}{
		{"signature", errors.IDTokenInvalid, func(t *testing.T, token *macaroon.Token, _ *caveat.Request) {
			*token = confine(t, mint(t, macaroon.Spec{ID: "t1", Subject: bob, Type: macaroon.SessionToken(session)}), caveat.Until(start))
		}},
		{"revoked", errors.IDTokenRevoked, func(t *testing.T, _ *macaroon.Token, _ *caveat.Request) {
			require.NoError(t, z.Restore(ctx, "t1"))
		}},
		{"subject of another record", errors.IDTokenSubjectInvalid, func(t *testing.T, token *macaroon.Token, _ *caveat.Request) {
			*token = confineText(t, mint(t, macaroon.Spec{ID: "t1", Subject: alice, Type: macaroon.SessionToken(session)}), "moon = full", "time < 1600000000")
		}},
		{"unknown caveat", errors.IDTokenCaveatUnknown, func(t *testing.T, token *macaroon.Token, _ *caveat.Request) {
			*token = confine(t, mint(t, macaroon.Spec{ID: "t1", Subject: alice, Type: macaroon.SessionToken(session)}), caveat.Until(start))
		}},
		{"caveat", errors.IDTokenCaveatUnverified, func(_ *testing.T, _ *macaroon.Token, req *caveat.Request) {
			req.Now = start.Add(-time.Second)
		}},
		{"session of the request", errors.IDTokenSessionInvalid, func(_ *testing.T, _ *macaroon.Token, req *caveat.Request) {
			req.Session = caveat.InSession(session)
		}},
		{"blocked subject", errors.IDUserBlocked, func(t *testing.T, _ *macaroon.Token, _ *caveat.Request) {
			z.block(t, alice, false)
		}},
		{"session of the subject", errors.IDTokenSessionInvalid, nil},
	}
	z.block(t, alice, true)
	require.NoError(t, z.Revoke(ctx, "t1"))
	token := forged(t, confineText(t, mint(t, macaroon.Spec{ID: "t1", Subject: bob, Type: macaroon.SessionToken(session)}), "moon = full"))
	req := bad
	for _, f := range faults {
		_, err := z.VerifyAccess(ctx, token.String(), req)
		requireID(t, f.id, err)
		if f.remedy != nil {
			f.remedy(t, &token, &req)
		}
	}
	// The last errors: the session becomes the subject's while the service is
	// still forbidden; without any error, the token is accepted.
	owned := newZone(t, macaroon.WithSessions(sessions{session: alice}))
	require.NoError(t, second(owned.store.CreateToken(ctx, store.Token{
		ID: "t1", Name: "token", Version: 2, Subject: alice, Type: "act:" + session, Secret: secret, Created: 1,
	}, 0)))
	_, err := owned.VerifyAccess(ctx, token.String(), req)
	requireID(t, errors.IDTokenServiceForbidden, err)
	req.Service = caveat.Service{}
	auth, err := owned.VerifyAccess(ctx, token.String(), req)
	require.NoError(t, err)
	assert.Equal(t, alice, auth.Subject)
	assert.Equal(t, session, auth.Session)
	require.NoError(t, owned.store.DeleteIdentity(ctx, alice))
	_, err = owned.VerifyAccess(ctx, token.String(), req)
	requireID(t, errors.IDTokenSubjectInvalid, err)
}

// The rest of the order, for errors that cannot occur together with all earlier
// ones.
func TestTheOrderOfTheLastChecks(t *testing.T) {
	t.Parallel()
	carol := caveat.User("u-carol")
	z := newZone(t, macaroon.WithSessions(sessions{"s1": bob, "s2": provider}))
	ctx := t.Context()
	far := caveat.Service{Type: caveat.OpWorker, ID: "p9"}
	verify := func(id string, s caveat.Subject, typ macaroon.Type, req caveat.Request) error {
		require.NoError(t, second(z.store.CreateToken(ctx, store.Token{
			ID: id, Name: id, Version: 2, Subject: s, Type: typ.String(), Secret: secret, Created: 1,
		}, 0)))
		_, err := z.VerifyAccess(ctx, mint(t, macaroon.Spec{ID: id, Subject: s, Type: typ}).String(), req)
		return err
	}
	req := caveat.Request{Session: caveat.InSession("s1"), Service: far}
	requireID(t, errors.IDTokenSubjectInvalid, verify("t1", carol, macaroon.SessionToken("s1"), req))
	requireID(t, errors.IDTokenSessionInvalid, verify("t2", alice, macaroon.SessionToken("s1"), req))
	requireID(t, errors.IDTokenSessionInvalid, verify("t3", provider, macaroon.SessionToken("s1"), req))
	req.Session = caveat.InSession("s2") // which a provider cannot have, whoever says so
	requireID(t, errors.IDTokenSessionInvalid, verify("t6", provider, macaroon.SessionToken("s2"), req))
	req.Session = caveat.InSession("s1")
	requireID(t, errors.IDTokenServiceForbidden, verify("t4", bob, macaroon.SessionToken("s1"), req))
	req.Session = caveat.Session{}
	requireID(t, errors.IDTokenSessionInvalid, verify("t5", carol, macaroon.SessionToken("s1"), req))
	// An identity is proved to Onezone, whatever the service and session in the
	// request.
	elsewhere := caveat.Request{Service: far, Session: caveat.InSession("s1")}
	_, err := z.VerifyIdentity(ctx, z.access(t).String(), elsewhere)
	requireID(t, errors.IDNotAnIdentityToken, err)
	_, err = z.VerifyIdentity(ctx, z.named(t, provider, macaroon.AccessToken()).String(), elsewhere)
	require.NoError(t, err)

	// The first unsatisfied or unknown caveat.
	unverified, unknown := "time < 5", "moon = full"
	requireID(t, errors.IDTokenCaveatUnverified, z.verify(confineText(t, z.access(t), unverified, unknown)))
	requireID(t, errors.IDTokenCaveatUnknown, z.verify(confineText(t, z.access(t), unknown, unverified)))
	requireID(t, errors.IDTokenCaveatUnknown, z.verify(confineText(t, z.access(t), "api = all/all/*.*.*:*", unknown, unverified)))
}

func TestTheTypeIsCheckedFirst(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	invite := macaroon.InviteToken(macaroon.UserJoinGroup, "g1")
	forgedOf := func(typ macaroon.Type) macaroon.Token { return mint(t, macaroon.Spec{ID: "nothing", Type: typ}) }
	_, err := z.VerifyAccess(ctx, forgedOf(macaroon.IdentityToken()).String(), caveat.Request{})
	requireID(t, errors.IDNotAnAccessToken, err)
	_, err = z.VerifyAccess(ctx, forgedOf(invite).String(), caveat.Request{})
	requireID(t, errors.IDNotAnAccessToken, err)
	_, err = z.VerifyIdentity(ctx, forgedOf(macaroon.SessionToken("s")).String(), caveat.Request{})
	requireID(t, errors.IDNotAnIdentityToken, err)
	_, err = z.VerifyIdentity(ctx, forgedOf(invite).String(), caveat.Request{})
	requireID(t, errors.IDNotAnIdentityToken, err)
	_, err = z.VerifyInvite(ctx, forgedOf(macaroon.AccessToken()).String(), 0, caveat.Request{})
	requireID(t, errors.IDNotAnInviteToken, err)
	_, err = z.VerifyInvite(ctx, forgedOf(invite).String(), macaroon.UserJoinSpace, caveat.Request{})
	requireID(t, errors.IDNotAnInviteToken, err)
	var e *errors.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "userJoinSpace", e.Details["expectedInviteType"])
	_, err = z.VerifyInvite(ctx, forgedOf(invite).String(), macaroon.UserJoinGroup, caveat.Request{})
	requireID(t, errors.IDTokenInvalid, err)
}

// Verifiers of other packages refuse the same tokens as an authority.
func TestCheckClassIsTheCheckOfAVerification(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for _, typ := range []macaroon.Type{
		macaroon.AccessToken(), macaroon.SessionToken("s"), macaroon.IdentityToken(), macaroon.InviteToken(macaroon.UserJoinGroup, "g1"),
	} {
		token := mint(t, macaroon.Spec{ID: "nothing", Type: typ}) // without a record, the next error is tokenInvalid
		for _, expected := range []macaroon.InviteType{0, macaroon.UserJoinGroup, macaroon.UserJoinSpace} {
			for class, verify := range map[macaroon.Class]func() error{
				macaroon.Access:   func() error { _, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{}); return err },
				macaroon.Identity: func() error { _, err := z.VerifyIdentity(t.Context(), token.String(), caveat.Request{}); return err },
				macaroon.Invite: func() error {
					_, err := z.VerifyInvite(t.Context(), token.String(), expected, caveat.Request{})
					return err
				},
			} {
				err, want := candidate(t, token).CheckClass(class, expected), verify()
				if errors.Is(want, errors.IDTokenInvalid) {
					want = nil
				}
				require.Equal(t, want, err, "%v as %v", typ, class)
			}
		}
	}
}

func TestTemporaryGenerations(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	first := z.temporary(t, alice, macaroon.AccessToken())
	require.NoError(t, z.verify(first))
	assert.EqualValues(t, 1, first.Generation())
	require.NoError(t, z.RevokeTemporary(ctx, alice))
	requireID(t, errors.IDTokenRevoked, z.verify(first))
	requireID(t, errors.IDTokenRevoked, z.verify(forged(t, first)))
	second := z.temporary(t, alice, macaroon.AccessToken())
	require.NoError(t, z.verify(second))
	generation, err := z.TemporaryGeneration(ctx, alice)
	require.NoError(t, err)
	assert.EqualValues(t, 2, generation)
	newer := mint(t, macaroon.Spec{ID: "x", Generation: 3})
	requireID(t, errors.IDTokenInvalid, z.verify(newer))

	// A subject that never had a temporary token: the verification creates
	// nothing.
	requireID(t, errors.IDTokenInvalid, z.verify(mint(t, macaroon.Spec{ID: "x", Generation: 1, Subject: caveat.User("stranger")})))
	_, err = z.store.TemporaryKey(ctx, caveat.User("stranger"))
	requireID(t, errors.IDNotFound, err)

	// A future generation, signed with the current secret.
	future := caveat.User("u-future")
	require.NoError(t, z.store.CreateIdentity(ctx, store.Identity{Subject: future}))
	_, err = z.store.EnsureTemporaryKey(ctx, future, secret)
	require.NoError(t, err)
	require.NoError(t, z.verify(mint(t, macaroon.Spec{ID: "x", Generation: 1, Subject: future})))
	requireID(t, errors.IDTokenInvalid, z.verify(mint(t, macaroon.Spec{ID: "x", Generation: 2, Subject: future})))

	// The secret of another subject.
	key, err := z.store.EnsureTemporaryKey(ctx, bob, secret)
	require.NoError(t, err)
	bobs := mint(t, macaroon.Spec{ID: "x", Generation: key.Generation, Subject: alice})
	require.Error(t, z.verify(bobs))

	require.NoError(t, z.Forget(ctx, alice))
	requireID(t, errors.IDTokenInvalid, z.verify(second))
}
