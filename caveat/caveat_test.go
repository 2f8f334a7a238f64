package caveat_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// samples has one caveat of every type of the language, in the order of [caveat.Types].
var samples = []string{
	"time < 5", "ip = 1.2.3.4/32", "asn = 5", "geo.country = PL", "geo.region = EU", "authorization = none",
	"service = opw-p1", "consumer = usr-u1", "interface = rest", "api = ozw/get/user.*.*:*", "data.readonly",
	"data.path = L3Mx", "data.objectid = 000000000010DB4967756964237575696423737061636531",
}

func TestEveryTypeIsNamed(t *testing.T) {
	var types []caveat.Type
	for _, c := range parseAll(t, samples...) {
		types = append(types, c.Type())
		roundTrips(t, nil, c)
	}
	assert.Equal(t, caveat.Types(), types)
}

func TestCheckRefusesUnknownCaveats(t *testing.T) {
	all := caveat.Request{
		Now: now, IP: netip.MustParseAddr("1.2.3.4"), Interface: caveat.REST, ProveIdentity: true, DataAccess: true,
		Service: caveat.Service{Type: caveat.OpWorker, ID: "p1"}, Consumer: caveat.User("u1"),
	}
	type wrapped struct{ caveat.DataReadonly }
	for _, c := range []caveat.Caveat{
		nil, caveat.Unknown(""), caveat.Unknown("data.readonly"), caveat.Custom{}, &caveat.DataReadonly{}, wrapped{},
		(*caveat.Time)(nil), (*caveat.Unknown)(nil),
	} {
		err := caveat.Check(t.Context(), c, &all)
		require.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
		require.ErrorIs(t, caveat.Unverified(c), errors.IDTokenCaveatUnverified)
	}
	err := caveat.Check(t.Context(), caveat.Unknown("x = y"), &all)
	e, ok := errors.AsType[*errors.Error](err)
	require.True(t, ok)
	assert.Equal(t, "x = y", e.Details["caveat"])
}

func TestCheckRefusesCaveatsAboutMissingRequestFields(t *testing.T) {
	for _, c := range parseAll(t, samples...) {
		for _, req := range []*caveat.Request{nil, {}} {
			err := caveat.Check(t.Context(), c, req)
			if c.Type() == caveat.TypeAPI {
				assert.NoError(t, err)
				continue
			}
			requireUnverified(t, err, c)
		}
	}
}

func TestCheckRefusesWhereTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req := &caveat.Request{Consumer: caveat.User("u1"), Groups: waiting{}}
	err := caveat.Check(ctx, caveat.Consumers{caveat.Group("g1")}, req)
	assert.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	assert.ErrorIs(t, err, context.Canceled)
}

// waiting is a group checker that returns when the context ends.
type waiting struct{}

func (waiting) IsMember(ctx context.Context, _ caveat.Subject, _ string) (bool, error) {
	<-ctx.Done()
	return true, ctx.Err()
}

func TestUnverifiedIsASentence(t *testing.T) {
	for _, c := range []struct{ text, demand string }{
		{"time < 5", `the token is good only before 1970-01-01T00:00:05Z`},
		{"ip = 10.0.0.0/8|1.2.3.4", `the client's address must be in one of the networks "10.0.0.0/8", "1.2.3.4/32"`},
		{"asn = 5|6", `the client's address must belong to one of the autonomous systems "5", "6"`},
		{"geo.country = PL|FR", `the client's address must come from one of the countries "PL", "FR"`},
		{"geo.country != RU", `the client's address must be known not to come from the countries "RU"`},
		{"geo.region = EU", `the client's address must come from one of the regions "EU"`},
		{"geo.region != EU", `the client's address must be known not to come from the regions "EU"`},
		{"authorization = none", `the token may be used only to prove an identity`},
		{"service = opw-p1", `the token may be used only by the services "opw-p1", which prove themselves with a service token, and only within their API`},
		{"consumer = usr-u1", `the token may be used only by "usr-u1"; the consumer proves itself with its access token for an invitation, and with a consumer token elsewhere`},
		{"interface = rest", `the token may be used only through the interface "rest"`},
		{"api = ozw/get/user.*.*", `the token may be used only for the operations "ozw/get/user.*.*:private"`},
		{"data.readonly", `the token may be used only to read data`},
		{"data.path = L3Mx", `the token may be used only to access the files at and below the paths "/s1"`},
		{"data.objectid = 00|11", `the token may be used only to access the files at and below the objects "00", "11"`},
		{"project = 42", `the condition "project = 42" must hold`},
	} {
		parsed, err := vocabulary(t, projectKind).Parse(c.text)
		require.NoError(t, err)
		e, ok := errors.AsType[*errors.Error](caveat.Unverified(parsed))
		require.True(t, ok)
		assert.Equal(t, "The token is not valid here because of a caveat: "+c.demand+".", e.Description)
		requireDetail(t, e, parsed)
	}
}

func TestUnverifiedIsShort(t *testing.T) {
	long := strings.Repeat("x", 1000)
	list := make(caveat.Services, 1000)
	for i := range list {
		list[i] = caveat.Service{Type: caveat.OpWorker, ID: long}
	}
	e, ok := errors.AsType[*errors.Error](caveat.Unverified(list))
	require.True(t, ok)
	assert.Less(t, len(e.Description), 1100)
	err := caveat.Unverified(caveat.ASN{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18})
	assert.ErrorContains(t, err, `"15", "16" and 2 more.`)
}

func TestExpiry(t *testing.T) {
	for _, c := range []struct {
		caveats []string
		want    int64
		ok      bool
	}{
		{nil, 0, false},
		{[]string{"ip = 1.2.3.4", "data.readonly"}, 0, false},
		{[]string{"time < 5"}, 5, true},
		{[]string{"time < 0"}, 0, true},
		{[]string{"time < 7", "ip = 1.2.3.4", "time < 5", "time < 6"}, 5, true},
	} {
		got, ok := caveat.Expiry(parseAll(t, c.caveats...))
		assert.Equal(t, c.want, got)
		assert.Equal(t, c.ok, ok)
	}
	got, ok := caveat.Expiry([]caveat.Caveat{nil, caveat.Unknown("time < 1"), caveat.Time{ValidUntil: 9}, caveat.Time{ValidUntil: -9}})
	assert.Equal(t, int64(-9), got)
	assert.True(t, ok)
}

func TestUnknownJSON(t *testing.T) {
	raw, err := caveat.Unknown("x = y").MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, `{"type":"unknown","text":"x = y"}`, string(raw))
	assert.Equal(t, "x = y", caveat.Unknown("x = y").String())
}
