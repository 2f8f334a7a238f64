package macaroon_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// bait issues a canary of Alice.
func (z *zone) bait(t *testing.T, g macaroon.Grant) macaroon.Token {
	t.Helper()
	g.Subject, g.Type = alice, macaroon.AccessToken()
	token, err := z.IssueNamed(t.Context(), fmt.Sprint("canary ", time.Now().UnixNano()), g)
	require.NoError(t, err)
	return token
}

// kinds returns the kinds of the events about the token.
func (z *zone) kinds(id string) (kinds []macaroon.EventKind) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, e := range z.events {
		if e.TokenID == id {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func (z *zone) isRevoked(t *testing.T, token macaroon.Token) bool {
	t.Helper()
	n, err := z.Get(t.Context(), token.ID())
	require.NoError(t, err)
	return n.Revoked
}

// eventually polls until the condition holds.
func eventually(t *testing.T, holds func() bool, what string) {
	t.Helper()
	require.Eventually(t, holds, 20*time.Second, time.Millisecond, what)
}

func TestACanaryAnswersAsARevokedToken(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	canary, revoked := z.bait(t, macaroon.Grant{Bait: store.BaitAlarm}), z.access(t)
	require.NoError(t, z.Revoke(t.Context(), revoked.ID()))
	for what, confine := range map[string]func(macaroon.Token) macaroon.Token{
		"the token":            func(token macaroon.Token) macaroon.Token { return token },
		"an expired copy":      func(token macaroon.Token) macaroon.Token { return confineText(t, token, "time < 5") },
		"a copy for elsewhere": func(token macaroon.Token) macaroon.Token { return confineText(t, token, "ip = 1.2.3.4") },
		"an unknown caveat":    func(token macaroon.Token) macaroon.Token { return confineText(t, token, "of nobody") },
	} {
		before := len(z.events)
		got, want := z.verify(confine(canary)), z.verify(confine(revoked))
		requireID(t, errors.IDTokenRevoked, want)
		require.Equal(t, want, got, what)
		require.Len(t, z.events, before+2, what)
		z.advance(time.Minute)
		require.Equal(t, macaroon.BaitUsed, z.events[before].Kind, what)
		require.Equal(t, alice, z.events[before].Subject)
		require.Equal(t, canary.ID(), z.events[before].TokenID)
	}
	// Other uses of it.
	for what, use := range map[string]func() error{
		"identity": func() error {
			return second(z.VerifyIdentity(t.Context(), canary.String(), caveat.Request{}))
		},
		"revocation of a copy": func() error { return z.RevokeConfined(t.Context(), canary) },
	} {
		requireID(t, errors.IDTokenRevoked, use())
		require.Equal(t, macaroon.BaitUsed, z.lastEvent(t).Kind, what)
		z.advance(time.Minute)
	}
}

func TestOnlyAGenuineCanaryRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	canary := z.bait(t, macaroon.Grant{Bait: store.BaitRevokesFamily})
	for _, token := range []macaroon.Token{forged(t, canary), confineText(t, forged(t, canary), "ip = 1.2.3.4")} {
		requireID(t, errors.IDTokenInvalid, z.verify(token))
		require.Equal(t, macaroon.Refused, z.lastEvent(t).Kind)
	}
	require.NotContains(t, z.kinds(canary.ID()), macaroon.BaitUsed)
	require.False(t, z.isRevoked(t, canary))
}

func TestATokenBecomesACanaryLaterAndAnOrdinaryOneAgain(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	for range 3 {
		require.NoError(t, z.verify(token)) // recognized
	}
	require.NoError(t, z.Update(t.Context(), token.ID(), macaroon.Change{Bait: new(store.BaitAlarm)}))
	require.Equal(t, macaroon.Updated, z.lastEvent(t).Kind)
	requireID(t, errors.IDTokenRevoked, z.verify(token))
	require.Equal(t, macaroon.BaitUsed, z.lastEvent(t).Kind)
	requireID(t, errors.IDTokenRevoked, z.verify(token))
	require.Equal(t, macaroon.Refused, z.lastEvent(t).Kind, "a second alarm in a minute")
	require.NoError(t, z.Update(t.Context(), token.ID(), macaroon.Change{Bait: new(store.Bait(0))}))
	require.NoError(t, z.verify(token))
	requireID(t, errors.IDBadData, z.Update(t.Context(), token.ID(), macaroon.Change{Bait: new(store.BaitRevokesFamily + 1)}))

	confined := z.proof(t, "ip = 1.2.3.4")
	g := macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Bait: store.BaitAlarm, Parent: confined}
	requireID(t, errors.IDForbidden, second(z.IssueNamed(t.Context(), "canary", g)))
	g.Parent, g.Caveats = nil, []caveat.Caveat{caveat.Until(start.Add(time.Hour))}
	requireID(t, errors.IDBadData, second(z.Issue(t.Context(), g)))
}

// The family of a canary is that of its first parent of the same subject.
func TestACanaryRevokesItsFamily(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	admin := z.named(t, bob, macaroon.AccessToken())
	top := z.child(t, alice, admin)
	parent := z.child(t, alice, top)
	sibling, forBob := z.child(t, alice, parent), z.child(t, bob, parent)
	stranger := z.access(t)
	canary := z.bait(t, macaroon.Grant{Bait: store.BaitRevokesFamily, Parent: z.authOf(t, parent)})
	requireID(t, errors.IDTokenRevoked, z.verify(canary))
	for _, token := range []macaroon.Token{top, parent, sibling, forBob, canary} {
		eventually(t, func() bool { return z.isRevoked(t, token) }, "a relative is valid")
	}
	require.False(t, z.isRevoked(t, admin), "a token of another subject above")
	require.False(t, z.isRevoked(t, stranger))
	// A revoked canary raises alarms, too.
	z.advance(time.Minute)
	requireID(t, errors.IDTokenRevoked, z.verify(canary))
	require.Equal(t, macaroon.BaitUsed, z.lastEvent(t).Kind)
}

func TestACanaryUnderLoadRaisesOneAlarm(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	parent := z.access(t)
	canary := z.bait(t, macaroon.Grant{Bait: store.BaitRevokesFamily, Parent: z.authOf(t, parent)})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 50 {
				requireID(t, errors.IDTokenRevoked, z.verify(canary))
			}
		})
	}
	wg.Wait()
	eventually(t, func() bool { return z.isRevoked(t, parent) && z.isRevoked(t, canary) }, "the family is valid")
	count := map[macaroon.EventKind]int{}
	for _, kind := range append(z.kinds(canary.ID()), z.kinds(parent.ID())...) {
		count[kind]++
	}
	require.Equal(t, 1, count[macaroon.BaitUsed])
	require.Equal(t, 2, count[macaroon.Revoked], "one revocation of the family")
	require.Equal(t, 32*50-1, count[macaroon.Refused])
}

// brokenOnce is a store whose first update fails.
type brokenOnce struct {
	store.Store
	once sync.Once
}

var errBroken = errors.New("the store is broken")

func (b *brokenOnce) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) (err error) {
	b.once.Do(func() { err = errBroken })
	if err != nil {
		return err
	}
	return b.Store.UpdateToken(ctx, id, change)
}

func TestTheNextUseRevokesTheFamilyAfterAFailure(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	canary := z.bait(t, macaroon.Grant{Bait: store.BaitRevokesFamily})
	a, err := macaroon.NewAuthority(&brokenOnce{Store: z.store}, macaroon.WithClock(z.clock), macaroon.WithObserver(z.observe))
	require.NoError(t, err)
	use := func() {
		requireID(t, errors.IDTokenRevoked, second(a.VerifyAccess(t.Context(), canary.String(), caveat.Request{})))
	}
	use()
	eventually(t, func() bool { return errors.Is(z.lastEvent(t).Err, errBroken) }, "the failure is not reported")
	require.Equal(t, macaroon.BaitUsed, z.lastEvent(t).Kind)
	require.False(t, z.isRevoked(t, canary))
	use()
	eventually(t, func() bool { return z.isRevoked(t, canary) }, "the next use revokes nothing")
}
