package remote_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/store"
)

// A caveat that the owner added decides each use, also with answers from the
// cache, on parts of a request that the token itself does not depend on.
func TestAddedCaveatsDecideEachUse(t *testing.T) {
	t.Parallel()
	o := macaroontest.NewRemote(t)
	c := connect(t, o.Origin, remote.WithClock(o.Clock.Now))
	token := o.Token()
	campus := caveat.MustParse("ip = 10.0.0.0/8")
	require.NoError(t, o.Authority.Tighten(t.Context(), token.ID(), campus, caveat.REST))
	verify := func(address string, i caveat.Interface) (macaroon.Auth, error) {
		return c.VerifyAccess(t.Context(), token.String(), caveat.Request{IP: netip.MustParseAddr(address), Interface: i})
	}
	_, err := verify("192.0.2.1", caveat.REST)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	_, err = verify("10.0.0.9", caveat.REST)
	require.NoError(t, err, "the first refusal, of another request, was used")
	for range 3 {
		auth, err := verify("10.0.0.1", caveat.REST)
		require.NoError(t, err)
		require.Equal(t, []caveat.Caveat{campus, caveat.REST}, auth.Caveats())
		_, err = verify("192.0.2.1", caveat.REST)
		require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
		_, err = verify("10.0.0.2", caveat.Oneclient)
		require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
		_, err = verify("10.0.0.2", caveat.REST)
		require.NoError(t, err, "the refusal of another request was used")
	}
	const path = "/tokens/verify_access_token"
	before := len(o.Requests(path))
	_, err = verify("10.0.0.1", caveat.REST)
	require.NoError(t, err)
	require.Len(t, o.Requests(path), before, "nothing is cached")

	// What the service itself decides.
	other := o.TokenNamed("other")
	require.NoError(t, o.Authority.Tighten(t.Context(), other.ID(), caveat.MustParse("api = ozw/get/user.*.*:*"), caveat.Until(o.Clock.Now().Add(time.Minute))))
	auth, err := c.VerifyAccess(t.Context(), other.String(), caveat.Request{})
	require.NoError(t, err)
	gri := caveat.GRI{Type: "user", ID: "a", Aspect: "instance", Scope: "private"}
	require.NoError(t, auth.Authorize(caveat.OzWorker, caveat.Get, gri))
	err = auth.Authorize(caveat.OzWorker, caveat.Delete, gri)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	require.ErrorContains(t, err, "added by the owner")
	o.Clock.Advance(2 * time.Minute)
	_, err = c.VerifyAccess(t.Context(), other.String(), caveat.Request{})
	require.True(t, errors.Expired(err), "%v", err)
}

func TestTightenFamilyAndBaitOverTheAPI(t *testing.T) {
	t.Parallel()
	o, c, alice, bob, _ := newAccounts(t)
	laptop := o.Token()
	campus := caveat.MustParse("ip = 10.0.0.0/8")
	require.NoError(t, alice.Tighten(t.Context(), laptop.ID(), campus))
	require.NoError(t, alice.Tighten(t.Context(), laptop.ID(), caveat.REST, campus))
	n, err := alice.Get(t.Context(), laptop.ID())
	require.NoError(t, err)
	added := o.Clock.Now().UTC()
	require.Equal(t, []caveat.Addition{{Text: "ip = 10.0.0.0/8", Added: added}, {Text: "interface = rest", Added: added}}, n.Tightened)
	content, err := c.Examine(t.Context(), laptop)
	require.NoError(t, err)
	require.Equal(t, n.Tightened, content.Additions)
	require.NoError(t, alice.Loosen(t.Context(), laptop.ID(), campus))
	err = alice.Loosen(t.Context(), laptop.ID(), campus)
	require.ErrorIs(t, err, errors.IDBadValueCaveat)
	require.ErrorContains(t, err, "the owner has not added it to this token")
	require.ErrorIs(t, alice.Tighten(t.Context(), laptop.ID()), errors.IDBadValueEmpty)
	requireRefused(t, alice.Tighten(t.Context(), "absent", campus), errors.IDForbidden, http.StatusForbidden)
	requireRefused(t, bob.Tighten(t.Context(), "absent", campus), errors.IDNotFound, http.StatusNotFound)
	require.NoError(t, alice.Loosen(t.Context(), laptop.ID(), caveat.REST))

	minter := c.As(remote.ByToken(remote.StaticToken(laptop)))
	child, err := minter.IssueNamed(t.Context(), "child", macaroon.Grant{})
	require.NoError(t, err)
	n, err = alice.Get(t.Context(), child.ID())
	require.NoError(t, err)
	require.Equal(t, laptop.ID(), n.Parent)
	family, err := alice.Family(t.Context(), laptop.ID())
	require.NoError(t, err)
	require.Equal(t, laptop.ID(), family.ID)
	require.Equal(t, o.Alice, family.Subject)
	require.Len(t, family.Children, 1)
	require.Equal(t, "child", family.Children[0].Name)
	require.NoError(t, alice.RevokeFamily(t.Context(), laptop.ID()))
	revoked, err := alice.IsRevoked(t.Context(), child.ID())
	require.NoError(t, err)
	require.True(t, revoked)
	require.NoError(t, alice.DeleteFamily(t.Context(), laptop.ID()))
	_, err = bob.Get(t.Context(), child.ID())
	requireRefused(t, err, errors.IDNotFound, http.StatusNotFound)
	require.ErrorIs(t, alice.DeleteFamily(t.Context(), ""), errors.IDNotFound)

	canary, err := alice.IssueNamed(t.Context(), "canary", macaroon.Grant{Bait: store.BaitRevokesFamily})
	require.NoError(t, err)
	n, err = alice.Get(t.Context(), canary.ID())
	require.NoError(t, err)
	require.Equal(t, store.BaitRevokesFamily, n.Bait)
	require.NoError(t, alice.Update(t.Context(), canary.ID(), macaroon.Change{Bait: new(store.BaitAlarm)}))
	_, err = c.VerifyAccess(t.Context(), canary.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenRevoked)
	require.NoError(t, alice.Update(t.Context(), canary.ID(), macaroon.Change{Bait: new(store.Bait(0))}))
	_, err = c.VerifyAccess(remote.Fresh(t.Context()), canary.String(), caveat.Request{})
	require.NoError(t, err)
}

// answer is the behavior of an Onezone that answers with the body.
func answer(body string) macaroontest.Behavior {
	return macaroontest.Behavior{Path: "/tokens/verify_access_token", Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
}

// An answer whose added caveats cannot be read vouches for nothing.
func TestAddedCaveatsThatCannotBeReadAreNotLeftOut(t *testing.T) {
	t.Parallel()
	o := macaroontest.NewRemote(t)
	for i, members := range []string{
		`"serverCaveats":[{"type":"moon"}],"serverCaveatsAdded":[5]`, `"serverCaveats":["x"],"serverCaveatsAdded":[5]`,
		`"serverCaveats":[{"type":"data.readonly"}]`, `"serverCaveats":{}`,
	} {
		o.Behave(answer(`{"subject":{"type":"user","id":"` + o.Alice.ID + `"},"ttl":null,` + members + `}`))
		c := connect(t, o.Origin, remote.WithClock(o.Clock.Now))
		_, err := c.VerifyAccess(t.Context(), o.TokenNamed(fmt.Sprint("token ", i)).String(), caveat.Request{})
		require.Error(t, err, members)
		_, refused := errors.AsType[*errors.Error](err)
		require.False(t, refused, members)
	}
	o.Behave(answer(`{"subject":{"type":"user","id":"` + o.Alice.ID + `"},"ttl":null,"serverCaveats":[{"type":"unknown","text":"moon = full"}],"serverCaveatsAdded":[5]}`))
	c := connect(t, o.Origin, remote.WithClock(o.Clock.Now))
	_, err := c.VerifyAccess(t.Context(), o.TokenNamed("unknown").String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
}
