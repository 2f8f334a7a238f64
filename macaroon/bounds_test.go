package macaroon_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// crowded answers every lookup of the application and counts the lookups.
type crowded struct {
	asked int
	err   error
}

func (c *crowded) answer(yes bool) (bool, error) {
	c.asked++
	return yes, c.err
}

func (c *crowded) InCluster(context.Context, caveat.Subject, string) (bool, error) {
	return c.answer(true)
}
func (c *crowded) InProvider(context.Context, caveat.Subject, string) (bool, error) {
	return c.answer(true)
}
func (c *crowded) IsMember(_ context.Context, _ caveat.Subject, group string) (bool, error) {
	return c.answer(group == "mine")
}
func (c *crowded) BelongsTo(context.Context, string, caveat.Subject) (bool, error) {
	return c.answer(true)
}
func (c *crowded) Holder(context.Context, caveat.Subject) (store.Status, error) {
	c.asked++
	return store.HolderActive, c.err
}

// providers returns a caveat for n Oneproviders, numbered from first.
func providers(first, n int) caveat.Services {
	services := make(caveat.Services, n)
	for i := range services {
		services[i] = caveat.Service{Type: caveat.OpWorker, ID: fmt.Sprint(first + i)}
	}
	return services
}

func TestConfiningCannotCauseManyLookups(t *testing.T) {
	t.Parallel()
	c := new(crowded)
	z := newZone(t, macaroon.WithMemberships(c))
	token := z.access(t)
	_, err := z.Confine(t.Context(), token, providers(0, 600), providers(300, 600))
	require.NoError(t, err)
	require.Equal(t, 900, c.asked, "each service once")

	*c = crowded{}
	_, err = z.Confine(t.Context(), token, providers(0, 1000), providers(1000, 1000))
	requireID(t, errors.IDLimitReached, err)
	_, err = z.Confine(t.Context(), token, append(make256(macaroon.DefaultMaxCaveats), providers(0, 1))...)
	requireID(t, errors.IDLimitReached, err)
	_, err = z.Confine(t.Context(), token, providers(0, 1), caveat.Consumers{{}})
	requireID(t, errors.IDBadValueCaveat, err)
	require.Zero(t, c.asked)
}

func TestAHolderCannotCauseManyGroupLookups(t *testing.T) {
	t.Parallel()
	c := new(crowded)
	z := newZone(t, macaroon.WithGroups(c))
	strangers := func(n int) string {
		return "consumer = " + strings.Repeat("grp-x|", n)
	}
	verify := func(texts ...string) error {
		*c = crowded{}
		_, err := z.VerifyAccess(t.Context(), confineText(t, z.access(t), texts...).String(), caveat.Request{Consumer: alice})
		return err
	}
	require.NoError(t, verify(strangers(4000)+"usr-u-alice"))
	require.Zero(t, c.asked, "who is named is in no need of a group")
	require.NoError(t, verify(strangers(4000)+"grp-mine", strangers(90)+"grp-mine"))
	require.Equal(t, 4092, c.asked)
	requireID(t, errors.IDTokenCaveatUnverified, verify(strangers(4000)+"grp-mine", strangers(4000)+"grp-mine"))
	require.Equal(t, 4096, c.asked)
}

// Errors of the application's interfaces must not be mistaken for a verdict on
// the token or the request.
func TestErrorsOfTheApplicationAreOperational(t *testing.T) {
	t.Parallel()
	c := new(crowded)
	for name, option := range map[string]macaroon.Option{
		"directory": macaroon.WithDirectory(c), "memberships": macaroon.WithMemberships(c), "sessions": macaroon.WithSessions(c),
	} {
		z := newZone(t, option)
		c.err = nil
		token := z.named(t, alice, macaroon.AccessToken())
		if name == "sessions" {
			token = z.named(t, alice, macaroon.SessionToken("s"))
		}
		for _, fault := range []error{errors.NotFound(), fmt.Errorf("ldap: %w", errors.TokenRevoked())} {
			c.err = fault
			_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{
				Service: caveat.Service{Type: caveat.OpWorker, ID: "p"}, Session: caveat.AnySession(),
			})
			require.ErrorContains(t, err, fault.Error(), name)
			_, catalogued := errors.AsType[*errors.Error](err)
			require.False(t, catalogued, "%s: %v", name, err)
		}
	}
}

func TestTypesThatNoIdentifierCanHold(t *testing.T) {
	t.Parallel()
	grant := func(typ macaroon.Type) macaroon.Grant {
		return macaroon.Grant{Subject: alice, Type: typ, Caveats: []caveat.Caveat{caveat.Until(start.Add(time.Hour))}}
	}
	z, trusting := newZone(t), newZone(t, macaroon.WithSessions(new(crowded)))
	for _, session := range []string{"a/b", "a b", "\x00"} {
		typ := macaroon.SessionToken(session)
		_, err := z.Issue(t.Context(), grant(typ))
		requireID(t, errors.IDTokenSessionInvalid, err)
		_, err = trusting.Issue(t.Context(), grant(typ))
		requireID(t, errors.IDBadValueTokenType, err)
		_, err = trusting.IssueNamed(t.Context(), "name", grant(typ))
		requireID(t, errors.IDBadValueTokenType, err)
	}
	_, err := z.Issue(t.Context(), grant(macaroon.InviteToken(macaroon.UserJoinGroup, "a/b")))
	requireID(t, errors.IDInviteTokenTargetIDInvalid, err)
}

// stuck is a store whose updates hang once the test demands it.
type stuck struct {
	store.Store
	now bool
}

func (s *stuck) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	if s.now {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.UpdateToken(ctx, id, change)
}

func TestGivingAUseBackTakesNoLongerThanAStoreMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t)
		s := &stuck{Store: z.store}
		a, err := macaroon.NewAuthority(s, macaroon.WithClock(z.clock), macaroon.WithInviters(anybody{}))
		require.NoError(t, err)
		token, err := a.IssueNamed(t.Context(), "invitation", macaroon.Grant{
			Subject: alice, Type: macaroon.InviteToken(macaroon.UserJoinGroup, "g"), UsageLimit: 1,
		})
		require.NoError(t, err)
		refused := errors.New("no")
		began := time.Now()
		err = a.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, func(context.Context, macaroon.Invitation) error {
			s.now = true
			return refused
		})
		require.ErrorIs(t, err, refused)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 10*time.Second, time.Since(began))
	})
}

// anybody lets every inviter invite to every target.
type anybody struct{}

func (anybody) CheckInvitation(context.Context, macaroon.Invitation) error { return nil }

// vanishing deletes a token between its verification and the next read.
type vanishing struct{ store.Store }

func (s vanishing) GetToken(ctx context.Context, id string) (store.Token, error) {
	if err := s.DeleteToken(ctx, id); err != nil {
		return store.Token{}, err
	}
	return s.Store.GetToken(ctx, id)
}

func TestACopyOfATokenThatIsDeletedConcurrentlyIsInvalid(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	a, err := macaroon.NewAuthority(vanishing{z.store}, macaroon.WithClock(z.clock))
	require.NoError(t, err)
	requireID(t, errors.IDTokenInvalid, a.RevokeConfined(t.Context(), z.access(t, caveat.REST)))
}

func TestEventsKeepNoTokensInMemory(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := mint(t, macaroon.Spec{Subject: alice, Type: macaroon.SessionToken("s"), ID: "t1"})
	requireID(t, errors.IDTokenInvalid, z.verify(token))
	e := z.lastEvent(t)
	require.Equal(t, token.ID(), e.TokenID)
	for part, whole := range map[string]string{
		e.TokenID: token.ID(), e.Subject.ID: token.Subject().ID, e.Type.Session(): token.Type().Session(),
	} {
		require.Equal(t, whole, part)
		require.NotSame(t, unsafe.StringData(whole), unsafe.StringData(part), part)
	}
}

func TestIDsAreListedWhateverTheRecordsAreLike(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	require.NoError(t, second(z.store.CreateToken(t.Context(), store.Token{
		ID: "odd", Name: "odd", Type: "zzz", Version: 2, Subject: alice, Secret: secret, Created: start.Unix() + 1,
	}, 0)))
	page, next, err := z.ListIDs(t.Context(), store.Query{Subject: alice, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []string{token.ID()}, page)
	page, next, err = z.ListIDs(t.Context(), store.Query{Subject: alice, After: next})
	require.NoError(t, err)
	require.Equal(t, []string{"odd"}, page)
	require.Zero(t, next)
}
