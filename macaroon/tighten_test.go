package macaroon_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// from returns a request from the address over REST.
func from(address string) caveat.Request {
	return caveat.Request{IP: mustAddr(address), Interface: caveat.REST}
}

// verifyFrom verifies the token in a request from the address over REST.
func (z *zone) verifyFrom(token macaroon.Token, address string) error {
	_, err := z.VerifyAccess(context.Background(), token.String(), from(address))
	return err
}

var (
	campus = caveat.MustParse("ip = 10.0.0.0/8")
	inside = "10.1.2.3"
	abroad = "203.0.113.7"
)

func TestATightenedTokenAndItsCopiesHaveTheAddedCaveats(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]macaroon.Option{"recognized": nil, "not recognized": {macaroon.WithRecognition(0, 0)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := newZone(t, options...)
			token := z.access(t)
			copies := []macaroon.Token{token, confine(t, token, caveat.REST)}
			verifyAll := func(address string) (errs []error) {
				for _, c := range copies {
					for range 3 { // the third is recognized
						errs = append(errs, z.verifyFrom(c, address))
					}
				}
				return errs
			}
			for _, err := range append(verifyAll(inside), verifyAll(abroad)...) {
				require.NoError(t, err)
			}
			require.NoError(t, z.Tighten(t.Context(), token.ID(), campus, caveat.Until(start.Add(time.Hour))))
			for _, err := range verifyAll(inside) {
				require.NoError(t, err)
			}
			for _, err := range verifyAll(abroad) {
				requireID(t, errors.IDTokenCaveatUnverified, err)
			}
			z.advance(2 * time.Hour)
			for _, err := range verifyAll(inside) {
				require.True(t, errors.Expired(err), "%v", err)
			}
			require.NoError(t, z.Loosen(t.Context(), token.ID(), caveat.Until(start.Add(time.Hour))))
			require.NoError(t, z.verifyFrom(token, inside))
			requireID(t, errors.IDTokenCaveatUnverified, z.verifyFrom(token, abroad))
			require.NoError(t, z.Loosen(t.Context(), token.ID(), campus))
			for _, err := range verifyAll(abroad) {
				require.NoError(t, err)
			}
		})
	}
}

func TestARefusalNamesTheAddedCaveatAndTheDay(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t, caveat.Until(start.Add(time.Hour)))
	z.advance(time.Minute)
	require.NoError(t, z.Tighten(t.Context(), token.ID(), campus))
	err := z.verifyFrom(token, abroad)
	requireID(t, errors.IDTokenCaveatUnverified, err)
	require.ErrorContains(t, err, "because of a caveat added by the owner on 2020-09-13: ")
	e := z.lastEvent(t)
	require.Equal(t, macaroon.Refused, e.Kind)
	require.Equal(t, 1, e.CaveatIndex)
	require.Equal(t, caveat.TypeIP, e.CaveatType)

	z.advance(time.Hour)
	err = z.verifyFrom(token, inside)
	require.NotContains(t, err.Error(), "owner", "the caveat of the token itself")
}

// A service holds a client to added caveats that the verification itself does
// not decide.
func TestAddedCaveatsLimitWhatTheProofAllows(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	require.NoError(t, z.Tighten(t.Context(), token.ID(),
		caveat.MustParse("api = ozw/get/user.*.*:*"), caveat.MustParse("data.readonly"), caveat.Until(start.Add(time.Hour))))
	_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{})
	requireID(t, errors.IDTokenCaveatUnverified, err)
	auth, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{DataAccess: true})
	require.NoError(t, err)
	err = auth.Authorize(caveat.OzWorker, caveat.Delete, caveat.GRI{Type: "user", ID: "a", Aspect: "instance", Scope: "private"})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	require.ErrorContains(t, err, "added by the owner on 2020-09-13")
	err = auth.CheckFile(caveat.File{Path: "/space/file"}, caveat.Write)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	require.ErrorContains(t, err, "added by the owner on 2020-09-13")
	until, ok := auth.Expiry()
	require.True(t, ok)
	require.Equal(t, start.Add(time.Hour).Unix(), until)
	require.Len(t, auth.Additions(), 3)

	// What the client gets is confined by them.
	other := z.access(t)
	inherited, err := z.Inherit(other, &auth)
	require.NoError(t, err)
	require.Equal(t, []string{"api = ozw/get/user.*.*:*", "data.readonly", caveat.Until(start.Add(time.Hour)).String()}, inherited.Caveats())
}

func TestTheRecordKeepsWhatWasAddedAndWhen(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	require.NoError(t, z.Tighten(t.Context(), token.ID(), campus))
	z.advance(time.Hour)
	require.NoError(t, z.Tighten(t.Context(), token.ID(), caveat.REST, campus))
	n, err := z.Get(t.Context(), token.ID())
	require.NoError(t, err)
	require.Equal(t, []caveat.Addition{
		{Text: "ip = 10.0.0.0/8", Added: start.UTC()}, {Text: "interface = rest", Added: start.Add(time.Hour).UTC()},
	}, n.Tightened)
	require.Equal(t, token.String(), n.Token.String(), "the text changed")
	require.Empty(t, n.Caveats())
	_, ok := n.Expiry()
	require.False(t, ok)
	require.NoError(t, z.Tighten(t.Context(), token.ID(), caveat.Until(start.Add(2*time.Hour))))
	n, err = z.Get(t.Context(), token.ID())
	require.NoError(t, err)
	until, ok := n.Expiry()
	require.True(t, ok)
	require.Equal(t, start.Add(2*time.Hour).Unix(), until)
	before := len(z.events)
	require.NoError(t, z.Tighten(t.Context(), token.ID(), campus))
	require.Len(t, z.events, before, "nothing changed")
}

func TestTightenRejectsBadInput(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMaxCaveats(3), macaroon.WithQuotas(macaroon.Quotas{Record: 2000}), macaroon.WithInviters(openHouse{}))
	token := z.access(t)
	invite := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{})
	requireID(t, errors.IDNotFound, z.Tighten(t.Context(), "unknown", campus))
	requireID(t, errors.IDNotFound, z.Loosen(t.Context(), "unknown", campus))
	requireID(t, errors.IDBadValueEmpty, z.Tighten(t.Context(), token.ID()))
	requireID(t, errors.IDBadValueEmpty, z.Loosen(t.Context(), token.ID()))
	requireID(t, errors.IDBadValueCaveat, z.Tighten(t.Context(), token.ID(), nil))
	requireID(t, errors.IDBadValueCaveat, z.Tighten(t.Context(), token.ID(), caveat.Time{ValidUntil: -1}))
	err := z.Tighten(t.Context(), invite.ID(), caveat.REST, caveat.MustParse("api = all/all/*.*.*:*"))
	requireID(t, errors.IDBadValueCaveat, err)
	require.ErrorContains(t, err, "invite tokens do not support")
	requireID(t, errors.IDBadValueCaveat, z.Loosen(t.Context(), token.ID(), campus))
	require.NoError(t, z.Tighten(t.Context(), token.ID(), campus, caveat.REST, caveat.Until(start)))
	requireID(t, errors.IDLimitReached, z.Tighten(t.Context(), token.ID(), caveat.Oneclient))
	err = z.Tighten(t.Context(), invite.ID(), caveat.MustParse("ip = "+strings.Repeat("10.0.0.1|", 250)+"10.0.0.1"))
	requireID(t, errors.IDLimitReached, err)
	n, err := z.Get(t.Context(), invite.ID())
	require.NoError(t, err)
	require.Empty(t, n.Tightened, "a rejected change was written")
}

// An update replaces the whole list, and a client with caveats can only narrow.
func TestUpdateOfAddedCaveatsByAConfinedClient(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token, confined, free := z.access(t), z.proof(t, "ip = 1.2.3.4"), z.proof(t)
	update := func(client *macaroon.Auth, cs ...caveat.Caveat) error {
		return z.Update(t.Context(), token.ID(), macaroon.Change{Tightened: append([]caveat.Caveat{}, cs...), Client: client})
	}
	texts := func() (texts []string) {
		n, err := z.Get(t.Context(), token.ID())
		require.NoError(t, err)
		for _, c := range n.Tightened {
			texts = append(texts, c.Text)
		}
		return texts
	}
	require.NoError(t, update(confined, campus))
	require.NoError(t, update(confined, campus, caveat.REST))
	for _, client := range []*macaroon.Auth{confined, {}} {
		requireID(t, errors.IDForbidden, update(client, caveat.REST))
		requireID(t, errors.IDForbidden, update(client))
		requireID(t, errors.IDForbidden, update(client, caveat.REST, caveat.Oneclient))
		requireID(t, errors.IDForbidden, z.Update(t.Context(), token.ID(), macaroon.Change{Bait: new(store.BaitAlarm), Client: client}))
	}
	require.Equal(t, []string{"ip = 10.0.0.0/8", "interface = rest"}, texts())
	// A tightened token is one with caveats, too.
	require.NoError(t, z.Tighten(t.Context(), free.TokenID, caveat.MustParse("ip = 0.0.0.0/0")))
	n, err := z.Get(t.Context(), free.TokenID)
	require.NoError(t, err)
	tightened, err := z.VerifyAccess(t.Context(), n.Token.String(), from(inside))
	require.NoError(t, err)
	requireID(t, errors.IDForbidden, update(&tightened))
	require.NoError(t, update(free, caveat.REST))
	require.Equal(t, []string{"interface = rest"}, texts())
	require.NoError(t, update(nil))
	require.Empty(t, texts())
}

// Once Tighten has returned, no verification that starts later accepts the
// token from elsewhere.
func TestTightenRacesVerifications(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for range 10 {
		token := z.access(t)
		var tightened atomic.Bool
		var wg sync.WaitGroup
		late := make([]int, 4)
		for i := range late {
			wg.Go(func() {
				for range 200 {
					before := tightened.Load()
					if err := z.verifyFrom(token, abroad); before && err == nil {
						late[i]++
					}
				}
			})
		}
		require.NoError(t, z.Tighten(t.Context(), token.ID(), campus))
		tightened.Store(true)
		wg.Wait()
		require.Equal(t, make([]int, 4), late, "accepted after Tighten had returned")
	}
}

// Concurrent changes lose nothing.
func TestConcurrentTightenKeepsAll(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { _ = z.Tighten(t.Context(), token.ID(), caveat.MustParse(fmt.Sprint("asn = ", i+1))) })
	}
	wg.Wait()
	n, err := z.Get(t.Context(), token.ID())
	require.NoError(t, err)
	require.Len(t, n.Tightened, 20)
}

// An explanation names added caveats, and agrees with the verification.
func TestExplainNamesAddedCaveats(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t, caveat.REST)
	require.NoError(t, z.Tighten(t.Context(), token.ID(), campus))
	for _, address := range []string{inside, abroad} {
		want := z.verifyFrom(token, address)
		e, err := z.Explain(t.Context(), token.String(), macaroon.Trial{Attempt: caveat.Attempt{Request: from(address)}})
		require.NoError(t, err)
		require.Equal(t, want, e.Err)
		require.Len(t, e.Caveats, 2)
		require.Zero(t, e.Caveats[0].Added)
		require.Equal(t, start.UTC(), e.Caveats[1].Added)
		require.Equal(t, want, e.Caveats[1].Err)
	}
	before := len(z.events)
	require.NoError(t, z.Update(t.Context(), token.ID(), macaroon.Change{Bait: new(store.BaitAlarm)}))
	e, err := z.Explain(t.Context(), token.String(), macaroon.Trial{Attempt: caveat.Attempt{Request: from(inside)}})
	require.NoError(t, err)
	requireID(t, errors.IDTokenRevoked, e.Err)
	require.Len(t, z.events, before+1, "an explanation is no use of a canary")
}

func TestOnlyTheHolderOfATokenLearnsItsAdditions(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	require.NoError(t, z.Tighten(t.Context(), token.ID(), campus))
	for _, c := range []struct {
		token macaroon.Token
		n     int
	}{
		{token, 1}, {confine(t, token, caveat.REST), 1}, {forged(t, token), 0}, {z.access(t), 0}, {macaroon.Token{}, 0},
		{z.temporary(t, alice, macaroon.AccessToken()), 0}, {mint(t, macaroon.Spec{ID: "unknown"}), 0},
	} {
		additions, err := z.Additions(t.Context(), c.token)
		require.NoError(t, err)
		require.Len(t, additions, c.n)
	}
}
