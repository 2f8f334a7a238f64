package macaroon_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// newUsedZone returns a zone that records uses.
func newUsedZone(t testing.TB, l macaroon.LastUse, options ...macaroon.Option) *zone {
	t.Helper()
	z := newZone(t, append(options, macaroon.WithLastUse(l))...)
	t.Cleanup(func() { _ = z.Close(context.Background()) })
	return z
}

// uses returns the last uses of the tokens.
func (z *zone) uses(t testing.TB, tokens ...macaroon.Token) []store.Use {
	t.Helper()
	ids := make([]string, len(tokens))
	for i, token := range tokens {
		ids[i] = token.ID()
	}
	uses, err := z.LastUses(context.Background(), ids...)
	require.NoError(t, err)
	return uses
}

func TestUsesAreKeptWithTimeAddressServiceAndInterface(t *testing.T) {
	t.Parallel()
	z := newUsedZone(t, macaroon.LastUse{Address: macaroon.AddressWhole})
	token, unused := z.access(t), z.access(t)
	for range 3 {
		_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{
			IP: netip.MustParseAddr("192.0.2.7"), Interface: caveat.GraphSync, Service: caveat.Service{Type: caveat.OpWorker, ID: "p-krakow"},
		})
		requireID(t, errors.IDTokenServiceForbidden, err)
	}
	for range 3 {
		_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{IP: netip.MustParseAddr("192.0.2.7"), Interface: caveat.GraphSync})
		require.NoError(t, err)
	}
	require.Equal(t, []store.Use{{}}, z.uses(t, token), "uses are written later")
	require.NoError(t, z.Close(t.Context()))
	want := store.Use{
		TokenID: token.ID(), At: start.Unix() / 60 * 60, Address: "192.0.2.7", Service: "ozw-onezone", Interface: "graphsync", Count: 3,
	}
	require.Equal(t, []store.Use{{}, want}, z.uses(t, unused, token))
}

// A use is a successful verification of a named token.
func TestOnlySuccessfulVerificationsOfNamedTokensAreUses(t *testing.T) {
	t.Parallel()
	z := newUsedZone(t, macaroon.LastUse{})
	token, revoked, expired := z.access(t), z.access(t), z.access(t)
	ofBlocked, identity := z.named(t, bob, macaroon.AccessToken()), z.named(t, provider, macaroon.IdentityToken())
	require.NoError(t, z.Revoke(t.Context(), revoked.ID()))
	z.block(t, bob, true)
	for range 3 { // the second time it is recognized
		requireID(t, errors.IDTokenInvalid, z.verify(forged(t, token)))
		requireID(t, errors.IDTokenRevoked, z.verify(revoked))
		requireID(t, errors.IDTokenCaveatUnverified, z.verify(confine(t, expired, caveat.Until(start.Add(-time.Second)))))
		requireID(t, errors.IDUserBlocked, z.verify(ofBlocked))
		requireID(t, errors.IDNotAnAccessToken, z.verify(identity))
		_, err := z.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
		requireID(t, errors.IDNotAnIdentityToken, err)
		require.NoError(t, z.verify(z.temporary(t, alice, macaroon.AccessToken())))
	}
	require.NoError(t, z.Close(t.Context()))
	require.Equal(t, make([]store.Use, 5), z.uses(t, token, revoked, expired, ofBlocked, identity))
	require.Zero(t, z.UseStats())
}

// Tokens that prove who takes part in a request are used, too.
func TestTokensOfPartiesAreUsed(t *testing.T) {
	t.Parallel()
	z := newUsedZone(t, macaroon.LastUse{})
	token, consumer := z.access(t), z.named(t, bob, macaroon.IdentityToken())
	_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{ConsumerToken: caveat.PartyToken(consumer.String())})
	require.NoError(t, err)
	require.NoError(t, z.Close(t.Context()))
	for _, use := range z.uses(t, token, consumer) {
		require.EqualValues(t, 1, use.Count)
	}
}

func TestCopiesOfATokenCountAsTheToken(t *testing.T) {
	t.Parallel()
	z := newUsedZone(t, macaroon.LastUse{})
	token := z.access(t)
	for i := range 4 {
		require.NoError(t, z.verify(confine(t, token, caveat.Until(start.Add(time.Duration(i+1)*time.Hour)))))
	}
	require.NoError(t, z.Close(t.Context()))
	require.EqualValues(t, 4, z.uses(t, token)[0].Count)
}

func TestTheCountsOfTwoReplicasAreAddedAndTheLaterUseIsKept(t *testing.T) {
	t.Parallel()
	one := newUsedZone(t, macaroon.LastUse{})
	two, err := macaroon.NewAuthority(one.store, macaroon.WithLastUse(macaroon.LastUse{}),
		macaroon.WithClock(func() time.Time { return start.Add(time.Hour) }))
	require.NoError(t, err)
	token := one.access(t)
	for range 5 {
		require.NoError(t, one.verify(token))
		_, err := two.VerifyAccess(t.Context(), token.String(), caveat.Request{IP: netip.MustParseAddr("2001:db8::1")})
		require.NoError(t, err)
	}
	require.NoError(t, two.Close(t.Context()))
	require.NoError(t, one.Close(t.Context()), "the earlier uses are written last")
	use := one.uses(t, token)[0]
	require.EqualValues(t, 10, use.Count)
	require.Equal(t, start.Add(time.Hour).Unix()/60*60, use.At)
	require.Equal(t, "2001:db8::/48", use.Address)
}

// stuckUses is a store that does not answer when uses are recorded.
type stuckUses struct {
	*memory.Store
	called chan struct{}
}

func (s stuckUses) RecordUses(ctx context.Context, _ []store.Use) error {
	select {
	case s.called <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestAStoreThatHangsStopsNoVerification(t *testing.T) {
	t.Parallel()
	s := stuckUses{memory.New(), make(chan struct{}, 1)}
	require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{Subject: alice}))
	a, err := macaroon.NewAuthority(s, macaroon.WithLastUse(macaroon.LastUse{Interval: time.Second}))
	require.NoError(t, err)
	token, err := a.IssueNamed(t.Context(), "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	require.NoError(t, err)
	verify := func() {
		_, err := a.VerifyAccess(t.Context(), token.String(), caveat.Request{})
		require.NoError(t, err)
	}
	verify()
	select {
	case <-s.called:
	case <-time.After(20 * time.Second):
		require.FailNow(t, "the writer did not write")
	}
	for range 1000 {
		verify()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err = a.Close(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "writing the last uses of tokens")
	require.Zero(t, a.UseStats().Written)
}

func TestCloseWritesTheUsesAndEndsTheRecording(t *testing.T) {
	t.Parallel()
	z := newUsedZone(t, macaroon.LastUse{})
	token := z.access(t)
	require.NoError(t, z.verify(token))
	for range 2 {
		require.NoError(t, z.Close(t.Context()))
		require.EqualValues(t, 1, z.uses(t, token)[0].Count)
		require.NoError(t, z.verify(token))
	}
	require.Equal(t, macaroon.UseStats{Recorded: 1, Written: 1, Dropped: 2, Rows: 1}, z.UseStats())
	require.NoError(t, newZone(t).Close(t.Context()), "without WithLastUse there is nothing to do")
}

func TestUsesAreNotRecordedByDefault(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	require.NoError(t, z.verify(token))
	require.NoError(t, z.Close(t.Context()))
	require.Equal(t, []store.Use{{}}, z.uses(t, token))
	require.Zero(t, z.UseStats())
}

func TestLastUseIsValidated(t *testing.T) {
	t.Parallel()
	for id, l := range map[errors.ID]macaroon.LastUse{
		errors.IDBadData:        {Address: macaroon.AddressNone + 1},
		errors.IDBadValueTooLow: {Interval: time.Second - 1},
	} {
		a, err := macaroon.NewAuthority(memory.New(), macaroon.WithLastUse(l))
		requireID(t, id, err)
		require.Nil(t, a)
	}
	for _, l := range []macaroon.LastUse{{Interval: -time.Minute}, {MaxTokens: -1}} {
		_, err := macaroon.NewAuthority(memory.New(), macaroon.WithLastUse(l))
		requireID(t, errors.IDBadValueTooLow, err)
	}
}

// Tokens are unused since a time if they were created before and not used from
// then on.
func TestUnusedTokensAreListed(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	var tokens []macaroon.Token
	for range 40 { // one each hour
		tokens = append(tokens, z.access(t))
		z.advance(time.Hour)
	}
	since := start.Add(25*time.Hour + 30*time.Second) // in a minute in which token 3 was used
	record := func(i int, at time.Time) {
		use := store.Use{TokenID: tokens[i].ID(), At: at.Unix() / 60 * 60, Count: 1}
		require.NoError(t, z.store.RecordUses(t.Context(), []store.Use{use}))
	}
	record(1, start.Add(2*time.Hour))
	record(2, since.Add(time.Hour))
	record(3, since)
	record(4, since.Add(-time.Minute))
	record(39, start.Add(40*time.Hour))
	var want []string
	for i := range 26 { // token 25 was created half a minute before
		if i != 2 && i != 3 {
			want = append(want, tokens[i].ID())
		}
	}
	for _, limit := range []int{0, 1, 5, 25, 26, 27, 39, 40} {
		for _, subject := range []caveat.Subject{alice, {}} {
			require.Equal(t, want, z.unused(t, store.Query{Subject: subject, Limit: limit}, since), "limit %d", limit)
		}
	}
	require.Empty(t, z.unused(t, store.Query{Subject: bob}, since))
	require.Empty(t, z.unused(t, store.Query{}, start))
	require.Empty(t, z.unused(t, store.Query{}, time.Time{}))
	require.Equal(t, want[:1], z.unused(t, store.Query{}, start.Add(time.Second)))
	n, err := z.Get(t.Context(), tokens[0].ID())
	require.NoError(t, err)
	require.Equal(t, want[:1], z.unused(t, store.Query{Subject: alice, Name: n.Name}, since))
	require.Empty(t, z.unused(t, store.Query{Subject: alice, Name: n.Name}, start))
}

// unused returns all ids of a listing of unused tokens.
func (z *zone) unused(t *testing.T, q store.Query, since time.Time) (all []string) {
	t.Helper()
	for range 100 {
		page, next, err := z.ListUnusedIDs(t.Context(), q, since)
		require.NoError(t, err)
		all = append(all, page...)
		if next.IsZero() {
			return all
		}
		q.After = next
	}
	require.FailNow(t, "the listing does not end")
	return nil
}

func TestListingUnusedTokensReturnsErrorsOfTheStore(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	require.NoError(t, z.store.Close())
	_, _, err := z.ListUnusedIDs(t.Context(), store.Query{}, start)
	require.ErrorIs(t, err, store.ErrClosed)
	_, err = z.LastUses(t.Context(), "a")
	require.ErrorIs(t, err, store.ErrClosed)
	require.ErrorContains(t, err, "looking up the last uses of tokens")
}

func ExampleWithLastUse() {
	ctx := context.Background()
	authority, alice := newAuthority(macaroon.WithLastUse(macaroon.LastUse{Address: macaroon.AddressNetwork}))
	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	if err != nil {
		panic(err)
	}
	_, err = authority.VerifyAccess(ctx, token.String(), caveat.Request{
		IP: netip.MustParseAddr("192.0.2.7"), Interface: caveat.REST,
	})
	fmt.Println(err)

	// Uses are written once a minute, and at the end.
	if err := authority.Close(ctx); err != nil {
		panic(err)
	}
	uses, err := authority.LastUses(ctx, token.ID())
	if err != nil {
		panic(err)
	}
	use := uses[0]
	fmt.Println(time.Unix(use.At, 0).UTC(), use.Address, use.Service, use.Interface, use.Count)
	// Output:
	// <nil>
	// 2023-11-14 22:13:00 +0000 UTC 192.0.2.0/24 ozw-onezone rest 1
}
