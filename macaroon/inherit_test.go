package macaroon_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// proof returns the Auth of a token of Alice with the caveats, in a request
// that satisfies them.
func (z *zone) proof(t testing.TB, texts ...string) *macaroon.Auth {
	t.Helper()
	req := everywhere("1.2.3.4")
	req.Consumer = alice
	auth, err := z.VerifyAccess(t.Context(), confineText(t, z.access(t), texts...).String(), req)
	require.NoError(t, err)
	return &auth
}

func TestIssuedTokensInheritTheCaveatsOfTheirParent(t *testing.T) {
	t.Parallel()
	v, err := caveat.NewVocabulary(projectKind("42"))
	require.NoError(t, err)
	z := newZone(t, macaroon.WithVocabulary(v))
	hour := caveat.Until(start.Add(time.Hour))
	// The inherited texts are unchanged, in order, without duplicates, and come
	// after the requested caveats.
	parent := z.proof(t, "ip = 0.0.0.0/0", "project = 42", hour.String(), "ip = 1.2.3.4", "ip = 1.2.3.4", "ip = 1.2.3.4/32")
	g := macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(), Parent: parent,
		Caveats: []caveat.Caveat{caveat.REST, hour, caveat.MustParse("ip = 1.2.3.4/32")},
	}
	want := []string{"interface = rest", hour.String(), "ip = 1.2.3.4/32", "ip = 0.0.0.0/0", "project = 42", "ip = 1.2.3.4"}

	temporary, err := z.Issue(t.Context(), g)
	require.NoError(t, err)
	require.Equal(t, want, temporary.Caveats())
	named, err := z.IssueNamed(t.Context(), "inheriting", g)
	require.NoError(t, err)
	require.Equal(t, want, named.Caveats())
	record, err := z.Get(t.Context(), named.ID())
	require.NoError(t, err)
	require.Equal(t, named.String(), record.Token.String(), "the record keeps the inherited caveats")
	for _, token := range []macaroon.Token{temporary, named} {
		req := everywhere("1.2.3.4")
		req.Interface = caveat.REST
		_, err = z.VerifyAccess(t.Context(), token.String(), req)
		require.NoError(t, err)
	}
	legacy, err := z.IssueLegacy(t.Context(), alice, z.proof(t, "ip = 1.2.3.4"))
	require.NoError(t, err)
	require.Equal(t, []string{caveat.Until(start.Add(macaroon.LegacyTTL)).String(), "ip = 1.2.3.4"}, legacy.Caveats())

	// A token that already carries all of them is returned unchanged.
	same, err := z.Inherit(named, parent)
	require.NoError(t, err)
	require.Equal(t, named.String(), same.String())
	same, err = z.Inherit(named, nil)
	require.NoError(t, err)
	require.Equal(t, named.String(), same.String())
}

func TestChecksIgnoreInheritedCaveats(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMaxCaveats(3), macaroon.WithMemberships(members{}))
	day := caveat.Until(start.Add(24 * time.Hour))
	year := caveat.Until(start.Add(365 * 24 * time.Hour))
	soon := fmt.Sprintf("time < %d", start.Unix()+60)
	for name, c := range map[string]struct {
		want   errors.ID
		sent   []caveat.Caveat
		parent []string
	}{
		"the parent's end is no end":            {errors.IDTokenTimeCaveatRequired, nil, []string{soon}},
		"nor does it bring a late end nearer":   {errors.IDTokenTimeCaveatRequired, []caveat.Caveat{year}, []string{soon}},
		"too many caveats sent":                 {errors.IDLimitReached, []caveat.Caveat{day, caveat.REST, caveat.REST, caveat.REST}, []string{soon}},
		"a service that the subject cannot use": {errors.IDTokenServiceForbidden, []caveat.Caveat{day, caveat.MustParse("service = opw-other")}, []string{"service = ozw-*"}},
		"a bad caveat":                          {errors.IDBadValueCaveat, []caveat.Caveat{day, caveat.IP{}}, []string{soon}},
		"too many caveats together":             {errors.IDForbidden, []caveat.Caveat{day, caveat.REST, caveat.REST}, []string{soon}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := z.Issue(t.Context(), macaroon.Grant{
				Subject: alice, Type: macaroon.AccessToken(), Caveats: c.sent, Parent: z.proof(t, c.parent...),
			})
			requireID(t, c.want, err)
		})
	}
	// Inherited caveats may name services that the subject may not use.
	token, err := z.Issue(t.Context(), macaroon.Grant{
		Subject: bob, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{day}, Parent: z.proof(t, "service = ozw-*|opw-other", soon),
	})
	require.NoError(t, err)
	require.Equal(t, []string{day.String(), "service = ozw-*|opw-other", soon}, token.Caveats())
}

func TestTypesThatCannotInheritACaveat(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	narrow, err := macaroon.NewAuthority(z.store, macaroon.WithClock(z.clock),
		macaroon.WithInviters(openHouse{}), macaroon.WithLimits(macaroon.Limits{MaxSize: 500}))
	require.NoError(t, err)
	invite := macaroon.InviteToken(macaroon.UserJoinGroup, "g1")
	issue := func(typ macaroon.Type, parent *macaroon.Auth, sent ...caveat.Caveat) error {
		_, err := narrow.IssueNamed(t.Context(), "new", macaroon.Grant{Subject: alice, Type: typ, Parent: parent, Caveats: sent})
		return err
	}
	records := func() int {
		page, _, err := z.store.ListTokens(t.Context(), store.Query{Subject: alice, Limit: store.MaxPage})
		require.NoError(t, err)
		return len(page)
	}
	refused := func(typ macaroon.Type, text string, says ...string) {
		t.Helper()
		parent := z.proof(t, text)
		before := records()
		err := issue(typ, parent)
		requireID(t, errors.IDForbidden, err)
		for _, phrase := range says {
			require.Contains(t, err.Error(), phrase)
		}
		require.Equal(t, before, records(), "a token that was refused has left a record")
	}
	refused(invite, "interface = rest", "type interface", "invite tokens")
	for text, kind := range map[string]string{
		"api = all/all/*.*.*:*": "api", "service = ozw-*": "service", "data.readonly": "data.readonly", "data.path = L3M=": "data.path",
		"data.objectid = 000000000010DB4967756964237575696423737061636531": "data.objectid",
	} {
		refused(invite, text, "type "+kind+",", "invite tokens")
		refused(macaroon.IdentityToken(), text, "type "+kind+",", "identity tokens")
	}
	long := "ip = 1.2.3.4" + strings.Repeat("|1.2.3.4", 60)
	for _, typ := range []macaroon.Type{invite, macaroon.IdentityToken(), macaroon.AccessToken()} {
		refused(typ, long, "longer than 500 bytes")
	}
	// An explicitly requested caveat counts as requested, not as inherited. The
	// token never verifies.
	api := caveat.MustParse("api = all/all/*.*.*:*")
	require.NoError(t, issue(invite, z.proof(t, api.String()), api))
	// Every type supports the other caveats.
	for _, typ := range []macaroon.Type{invite, macaroon.IdentityToken(), macaroon.AccessToken()} {
		_, err := z.Issue(t.Context(), macaroon.Grant{
			Subject: alice, Type: typ, Caveats: []caveat.Caveat{caveat.Until(start)}, Parent: z.proof(t, "ip = 1.2.3.4", "consumer = usr-*"),
		})
		require.NoError(t, err)
	}
}

func TestTheZeroAuthIsRejectedAsAParent(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	g := macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Parent: new(macaroon.Auth), Caveats: []caveat.Caveat{caveat.Until(start)}}
	_, err := z.Issue(t.Context(), g)
	requireID(t, errors.IDUnauthorized, err)
	_, err = z.IssueNamed(t.Context(), "orphan", g)
	requireID(t, errors.IDUnauthorized, err)
	_, err = z.IssueLegacy(t.Context(), alice, new(macaroon.Auth))
	requireID(t, errors.IDUnauthorized, err)
	_, err = z.Inherit(z.access(t), new(macaroon.Auth))
	requireID(t, errors.IDUnauthorized, err)
	_, err = z.Inherit(macaroon.Token{}, z.proof(t))
	requireID(t, errors.IDBadToken, err)
}
