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

// members allows alice to use the worker and panel of p-krakow, only the worker
// of p-worker, only the panel of p-panel, and the panel of onezone.
type members struct{}

func (members) InProvider(_ context.Context, user caveat.Subject, provider string) (bool, error) {
	if provider == "broken" {
		return false, context.DeadlineExceeded
	}
	return user == alice && (provider == "p-krakow" || provider == "p-worker"), nil
}

func (members) InCluster(_ context.Context, user caveat.Subject, cluster string) (bool, error) {
	return user == alice && (cluster == "p-krakow" || cluster == "p-panel" || cluster == "onezone"), nil
}

func TestWhichServicesASubjectMayUse(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMemberships(members{}))
	without := newZone(t)
	tokens := map[caveat.Subject]macaroon.Token{alice: z.access(t), bob: z.named(t, bob, macaroon.AccessToken()), provider: z.named(t, provider, macaroon.AccessToken())}
	for text, may := range map[string][]caveat.Subject{
		"ozw-onezone": {alice, bob, provider}, "ozw-*": {alice, bob, provider},
		"ozp-*": {alice, bob}, "opw-*": {alice, bob}, "opp-*": {alice, bob},
		"ozp-onezone": {alice}, "opw-p-krakow": {alice}, "opp-p-krakow": {alice},
		"opw-p-worker": {alice}, "opp-p-worker": {}, "opw-p-panel": {}, "opp-p-panel": {alice},
		"ozw-other": {}, "ozp-other": {}, "opw-other": {}, "opp-other": {}, "ozw-p-krakow": {}, "ozp-p-krakow": {},
	} {
		service, err := caveat.ParseService(text)
		require.NoError(t, err)
		for subject, token := range tokens {
			_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{Service: service})
			want := false
			for _, s := range may {
				want = want || s == subject
			}
			assert.Equal(t, want, err == nil, "%v with %s: %v", subject, text, err)
			if !want {
				requireID(t, errors.IDTokenServiceForbidden, err)
			}
		}
	}
	_, err := without.VerifyAccess(t.Context(), without.access(t).String(), caveat.Request{Service: caveat.Service{Type: caveat.OpWorker, ID: "p-krakow"}})
	requireID(t, errors.IDTokenServiceForbidden, err)
	_, err = z.VerifyAccess(t.Context(), tokens[alice].String(), caveat.Request{Service: caveat.Service{Type: caveat.OpWorker, ID: "broken"}})
	requireOperational(t, err)
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	identify := func(token macaroon.Token) error {
		_, err := z.VerifyIdentity(ctx, token.String(), caveat.Request{})
		return err
	}
	require.NoError(t, identify(z.named(t, alice, macaroon.IdentityToken())))
	require.NoError(t, identify(z.named(t, provider, macaroon.IdentityToken())))
	require.NoError(t, identify(z.named(t, provider, macaroon.AccessToken())))
	requireID(t, errors.IDNotAnIdentityToken, identify(z.access(t)))
	requireID(t, errors.IDTokenCaveatUnverified, identify(z.access(t, caveat.Until(start))))
	require.NoError(t, identify(z.named(t, provider, macaroon.AccessToken(), caveat.IdentityOnly{})))
	requireID(t, errors.IDTokenCaveatUnverified, identify(z.named(t, alice, macaroon.IdentityToken(), caveat.IdentityOnly{})))
	requireID(t, errors.IDTokenCaveatUnverified, z.verify(z.access(t, caveat.IdentityOnly{})))
	// A caller cannot make the check weaker through the request.
	_, err := z.VerifyAccess(ctx, z.access(t, caveat.IdentityOnly{}).String(), caveat.Request{ProveIdentity: true})
	requireID(t, errors.IDTokenCaveatUnverified, err)
}

// The Auth that is returned with an error proves nothing.
func TestARefusalProvesNothing(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMemberships(members{}))
	ctx := t.Context()
	blocked := z.named(t, bob, macaroon.AccessToken())
	z.block(t, bob, true)
	for name, verify := range map[string]func() (macaroon.Auth, error){
		"failing caveat": func() (macaroon.Auth, error) {
			return z.VerifyAccess(ctx, z.access(t, caveat.REST).String(), caveat.Request{})
		},
		"failing session": func() (macaroon.Auth, error) {
			return z.VerifyAccess(ctx, z.access(t).String(), caveat.Request{Session: caveat.InSession("s")})
		},
		"blocked subject": func() (macaroon.Auth, error) { return z.VerifyAccess(ctx, blocked.String(), caveat.Request{}) },
		"forbidden service": func() (macaroon.Auth, error) {
			return z.VerifyAccess(ctx, z.access(t).String(), caveat.Request{Service: caveat.Service{Type: caveat.OpWorker, ID: "p9"}})
		},
		"broken look-up": func() (macaroon.Auth, error) {
			return z.VerifyAccess(ctx, z.access(t).String(), caveat.Request{Service: caveat.Service{Type: caveat.OpWorker, ID: "broken"}})
		},
		"a user's access token": func() (macaroon.Auth, error) { return z.VerifyIdentity(ctx, z.access(t).String(), caveat.Request{}) },
		"no invitation":         func() (macaroon.Auth, error) { return z.VerifyInvite(ctx, z.access(t).String(), 0, caveat.Request{}) },
		"pure, failing caveat": func() (macaroon.Auth, error) {
			return mint(t, macaroon.Spec{Caveats: []caveat.Caveat{caveat.REST}}).Verify(ctx, secret, caveat.Request{})
		},
		"pure, failing session": func() (macaroon.Auth, error) {
			return mint(t, macaroon.Spec{}).Verify(ctx, secret, caveat.Request{Session: caveat.InSession("s")})
		},
	} {
		auth, err := verify()
		require.Error(t, err, name)
		assert.Zero(t, auth, name)
	}
}

func TestServiceTokens(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	identity := z.named(t, provider, macaroon.IdentityToken())
	for indication, want := range map[caveat.ServiceType]caveat.ServiceType{
		0: caveat.OpWorker, caveat.OpWorker: caveat.OpWorker, caveat.OpPanel: caveat.OpPanel,
	} {
		text := identity.String()
		if indication != 0 {
			var err error
			text, err = identity.IndicatedBy(indication)
			require.NoError(t, err)
		}
		service, err := z.VerifyService(ctx, text, caveat.Request{})
		require.NoError(t, err)
		assert.Equal(t, caveat.Service{Type: want, ID: provider.ID}, service)
	}

	// A version 1 token, which does not contain its subject, keeps the prefix.
	require.NoError(t, second(z.store.CreateToken(ctx, store.Token{
		ID: "old", Name: "old", Version: 1, Subject: provider, Type: "act", Secret: secret, Created: 1,
	}, 0)))
	text, err := mint(t, macaroon.Spec{Version: 1, ID: "old"}).IndicatedBy(caveat.OpPanel)
	require.NoError(t, err)
	service, err := z.VerifyService(ctx, text, caveat.Request{})
	require.NoError(t, err)
	assert.Equal(t, caveat.OpPanel, service.Type)

	for name, c := range map[string]struct {
		token macaroon.Token
		inner errors.ID
	}{
		"a user's identity token":  {z.named(t, alice, macaroon.IdentityToken()), errors.IDTokenInvalid},
		"a user's access token":    {z.access(t), errors.IDNotAnIdentityToken},
		"a forged one":             {forged(t, identity), errors.IDTokenInvalid},
		"one that failed a caveat": {confine(t, identity, caveat.Until(start)), errors.IDTokenCaveatUnverified},
		"a consumer's only":        {confine(t, identity, caveat.Consumers{alice}), errors.IDTokenCaveatUnverified},
	} {
		_, err := z.VerifyService(ctx, c.token.String(), caveat.Request{Consumer: alice})
		requireID(t, errors.IDBadServiceToken, err)
		assert.ErrorIs(t, err, c.inner, name)
	}
}

func TestConsumerTokens(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	consumer, err := z.VerifyConsumer(ctx, z.named(t, alice, macaroon.IdentityToken(), caveat.REST).String(), caveat.Request{Interface: caveat.REST})
	require.NoError(t, err)
	assert.Equal(t, alice, consumer)
	_, err = z.VerifyConsumer(ctx, z.access(t).String(), caveat.Request{})
	requireID(t, errors.IDBadConsumerToken, err)
	assert.ErrorIs(t, err, errors.IDNotAnIdentityToken)
	_, err = z.VerifyConsumer(ctx, z.named(t, alice, macaroon.IdentityToken(), caveat.Consumers{alice}).String(), caveat.Request{Consumer: alice})
	requireID(t, errors.IDBadConsumerToken, err)
}

func TestVersion1TokensTakeTheirSubjectFromTheRecord(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	require.NoError(t, second(z.store.CreateToken(ctx, store.Token{
		ID: "old", Name: "old", Version: 1, Subject: alice, Type: "act", Secret: secret, Created: 1,
	}, 0)))
	token := mint(t, macaroon.Spec{Version: 1, ID: "old"})
	auth, err := z.VerifyAccess(ctx, token.String(), caveat.Request{})
	require.NoError(t, err)
	assert.Equal(t, alice, auth.Subject)
	confined, err := z.Confine(ctx, token, caveat.Until(start))
	require.NoError(t, err)
	requireID(t, errors.IDTokenCaveatUnverified, z.verify(confined))
	z.block(t, alice, true)
	requireID(t, errors.IDUserBlocked, z.verify(token))
}

// directory resolves holders instead of the store.
type directory map[caveat.Subject]store.Status

func (d directory) Holder(_ context.Context, s caveat.Subject) (store.Status, error) {
	if d == nil {
		return 0, context.DeadlineExceeded
	}
	if status, ok := d[s]; ok {
		return status, nil
	}
	return store.HolderMissing, nil
}

func TestADirectoryTakesPrecedenceOverTheStore(t *testing.T) {
	t.Parallel()
	carol := caveat.User("u-carol")
	d := directory{carol: store.HolderActive, provider: store.HolderBlocked}
	z := newZone(t, macaroon.WithDirectory(d))
	token := z.named(t, carol, macaroon.AccessToken())
	require.NoError(t, z.verify(token))
	d[carol] = store.HolderBlocked
	requireID(t, errors.IDUserBlocked, z.verify(token))
	delete(d, carol)
	requireID(t, errors.IDTokenSubjectInvalid, z.verify(token))
	d[carol] = 0 // no answer is no
	requireID(t, errors.IDTokenSubjectInvalid, z.verify(token))
	delete(d, carol)
	_, err := z.IssueNamed(t.Context(), "of Alice", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	requireID(t, errors.IDTokenSubjectInvalid, err)
	_, err = z.IssueNamed(t.Context(), "of a provider", macaroon.Grant{Subject: provider, Type: macaroon.AccessToken()})
	requireID(t, errors.IDTokenSubjectInvalid, err)

	broken := newZone(t, macaroon.WithDirectory(directory(nil)))
	_, err = broken.IssueNamed(t.Context(), "name", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	requireOperational(t, err)
}

// family is both a group checker and a geo resolver.
type family struct{ poland }

func (family) IsMember(_ context.Context, consumer caveat.Subject, group string) (bool, error) {
	return consumer == alice && group == "family", nil
}

func TestDefaultsOfARequest(t *testing.T) {
	t.Parallel()
	v, err := caveat.NewVocabulary(projectKind("42"))
	require.NoError(t, err)
	z := newZone(t, macaroon.WithGroups(family{}), macaroon.WithGeo(family{}), macaroon.WithVocabulary(v))
	project, err := v.New("project", "42")
	require.NoError(t, err)
	token, err := z.IssueNamed(t.Context(), "all of it", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{
		caveat.Until(start.Add(time.Second)), caveat.MustParse("geo.country = PL"), caveat.MustParse("consumer = grp-family"),
		caveat.MustParse("service = ozw-onezone"), project,
	}})
	require.NoError(t, err)
	req := everything()
	req.Now, req.Geo, req.Service, req.Consumer = time.Time{}, nil, caveat.Service{}, alice
	_, err = z.VerifyAccess(t.Context(), token.String(), req)
	require.NoError(t, err)
	z.advance(time.Second)
	_, err = z.VerifyAccess(t.Context(), token.String(), req)
	requireID(t, errors.IDTokenCaveatUnverified, err)

	_, err = z.Confine(t.Context(), token, project)
	require.NoError(t, err)
	requireID(t, errors.IDTokenCaveatUnknown, newZoneOver(t, z.store).verify(confineText(t, z.access(t), project.String())))
}

// newZoneOver returns another authority over the store of a zone.
func newZoneOver(t testing.TB, s store.Store) *zone {
	t.Helper()
	z := &zone{now: start}
	var err error
	z.Authority, err = macaroon.NewAuthority(s, macaroon.WithClock(z.clock))
	require.NoError(t, err)
	return z
}
