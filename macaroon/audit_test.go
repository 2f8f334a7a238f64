package macaroon_test

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// administrator is the actor of the tests below.
var administrator = macaroon.Actor{
	Subject: bob, Method: macaroon.ByToken, TokenID: "t1", Address: mustAddr("192.0.2.1"), RequestID: "r1",
}

// changes are the methods of an Authority that change something, each with a
// call and the kind of its event.
var changes = map[string]struct {
	kind macaroon.EventKind
	call func(t *testing.T, z *zone, ctx context.Context) error
}{
	"Issue": {macaroon.Issued, func(_ *testing.T, z *zone, ctx context.Context) error {
		_, err := z.Issue(ctx, macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(start)}})
		return err
	}},
	"IssueNamed": {macaroon.Issued, func(_ *testing.T, z *zone, ctx context.Context) error {
		_, err := z.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		return err
	}},
	"IssueLegacy": {macaroon.Issued, func(_ *testing.T, z *zone, ctx context.Context) error {
		_, err := z.IssueLegacy(ctx, alice, nil)
		return err
	}},
	"IssueLogIn": {macaroon.Issued, func(_ *testing.T, z *zone, ctx context.Context) error {
		_, err := z.IssueLogIn(ctx, alice, z.Now())
		return err
	}},
	"Consume": {macaroon.Consumed, func(t *testing.T, z *zone, ctx context.Context) error {
		return z.Consume(ctx, z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{}).String(), 0, caveat.Request{Consumer: bob}, accept)
	}},
	"Update": {macaroon.Updated, func(t *testing.T, z *zone, ctx context.Context) error {
		return z.Update(ctx, z.access(t).ID(), macaroon.Change{Name: new("phone"), Custom: json.RawMessage("{}")})
	}},
	"Tighten": {macaroon.Tightened, func(t *testing.T, z *zone, ctx context.Context) error {
		return z.Tighten(ctx, z.access(t).ID(), caveat.REST)
	}},
	"Loosen": {macaroon.Loosened, func(t *testing.T, z *zone, ctx context.Context) error {
		id := z.access(t).ID()
		require.NoError(t, z.Tighten(ctx, id, caveat.REST))
		return z.Loosen(ctx, id, caveat.REST)
	}},
	"RevokeFamily": {macaroon.Revoked, func(t *testing.T, z *zone, ctx context.Context) error {
		return z.RevokeFamily(ctx, z.access(t).ID())
	}},
	"DeleteFamily": {macaroon.Deleted, func(t *testing.T, z *zone, ctx context.Context) error {
		return z.DeleteFamily(ctx, z.access(t).ID())
	}},
	"Revoke": {macaroon.Revoked, func(t *testing.T, z *zone, ctx context.Context) error {
		return z.Revoke(ctx, z.access(t).ID())
	}},
	"Restore": {macaroon.Restored, func(t *testing.T, z *zone, ctx context.Context) error {
		id := z.access(t).ID()
		require.NoError(t, z.Revoke(ctx, id))
		return z.Restore(ctx, id)
	}},
	"RevokeConfined": {macaroon.Revoked, func(t *testing.T, z *zone, ctx context.Context) error {
		return z.RevokeConfined(ctx, z.access(t, caveat.REST))
	}},
	"RevokeTemporary": {macaroon.Revoked, func(_ *testing.T, z *zone, ctx context.Context) error {
		return z.RevokeTemporary(ctx, alice)
	}},
	"Delete": {macaroon.Deleted, func(t *testing.T, z *zone, ctx context.Context) error {
		return z.Delete(ctx, z.access(t).ID())
	}},
	"DeleteAll": {macaroon.Deleted, func(t *testing.T, z *zone, ctx context.Context) error {
		z.access(t)
		return z.DeleteAll(ctx, alice)
	}},
	"Forget": {macaroon.Forgotten, func(_ *testing.T, z *zone, ctx context.Context) error { return z.Forget(ctx, alice) }},
	"CreateUser": {macaroon.UserCreated, func(_ *testing.T, z *zone, ctx context.Context) error {
		_, err := z.CreateUser(ctx, macaroon.NewUser{Username: "dave"})
		return err
	}},
	"CreateUsers": {macaroon.UserCreated, func(_ *testing.T, z *zone, ctx context.Context) error {
		_, err := z.CreateUsers(ctx, []macaroon.NewUser{{Username: "dave"}, {Username: "erin"}}, nil)
		return err
	}},
	"CreateProvider": {macaroon.ProviderCreated, func(_ *testing.T, z *zone, ctx context.Context) error {
		_, err := z.CreateProvider(ctx, "lyon-1")
		return err
	}},
	"GrantRight": {macaroon.RightGranted, func(_ *testing.T, z *zone, ctx context.Context) error {
		return z.GrantRight(ctx, alice, macaroon.RightManageTokens)
	}},
	"WithdrawRight": {macaroon.RightWithdrawn, func(_ *testing.T, z *zone, ctx context.Context) error {
		return z.WithdrawRight(ctx, alice, macaroon.RightManageTokens)
	}},
	"DeleteUser": {macaroon.UserDeleted, func(_ *testing.T, z *zone, ctx context.Context) error { return z.DeleteUser(ctx, alice) }},
	"SetUsername": {macaroon.UserRenamed, func(_ *testing.T, z *zone, ctx context.Context) error {
		return z.SetUsername(ctx, alice, "alicia")
	}},
	"SetFullName": {macaroon.UserRenamed, func(_ *testing.T, z *zone, ctx context.Context) error {
		return z.SetFullName(ctx, alice, "Alicia")
	}},
	"SetPassword": {macaroon.PasswordSet, func(_ *testing.T, z *zone, ctx context.Context) error {
		return z.SetPassword(ctx, alice, "")
	}},
	"SetBlocked": {macaroon.UserBlocked, func(_ *testing.T, z *zone, ctx context.Context) error {
		return z.SetBlocked(ctx, alice, true)
	}},
	"LogIn": {macaroon.LoggedIn, func(t *testing.T, z *zone, ctx context.Context) error {
		_, err := z.CreateUser(ctx, macaroon.NewUser{Username: "carol", Password: password})
		require.NoError(t, err)
		_, err = z.LogIn(ctx, "carol", password)
		return err
	}},
}

// readers are the methods of an Authority without visible changes.
// TemporaryGeneration creates a missing secret, as the first temporary token
// does.
var readers = []string{
	"Additions", "CheckInvitation", "CheckUsers", "Close", "Confine", "Domain", "Explain", "Family", "Get", "GetByName",
	"HasRight", "Inherit", "LastUses", "List", "ListIDs", "ListUnusedIDs", "MaxCaveats", "Narrow", "Now", "Owner",
	"Parse", "RecordsUses", "ReportDenied", "ReportRefused", "TemporaryGeneration", "UseStats", "User", "Users",
	"VerifyAccess", "VerifyConsumer", "VerifyIdentity", "VerifyInvite", "VerifyService", "Vocabulary",
}

// A method that is in neither list fails the test.
func TestEveryChangeIsReportedWithItsActor(t *testing.T) {
	t.Parallel()
	var methods []string
	for m := range reflect.TypeFor[*macaroon.Authority]().Methods() {
		methods = append(methods, m.Name)
	}
	assert.ElementsMatch(t, methods, append(slices.Collect(maps.Keys(changes)), readers...),
		"add the new method to changes or readers")
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := newZone(t, macaroon.WithInviters(openHouse{}))
			ctx := macaroon.WithActor(t.Context(), administrator)
			require.NoError(t, c.call(t, z, ctx))
			i := slices.IndexFunc(z.events, func(e macaroon.Event) bool { return e.Kind == c.kind && e.Actor == administrator })
			require.GreaterOrEqual(t, i, 0, "%v is not among %v", c.kind, z.events)
			e := z.events[i]
			assert.Equal(t, start, e.Time)
			assert.False(t, e.TokenID == "" && e.Subject.IsZero(), "the event tells which token or account was changed")
		})
	}
}

func TestEventIDsAreUUIDsInOrder(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for range 100 {
		z.access(t)
	}
	require.Len(t, z.events, 100)
	last := ""
	for _, e := range z.events {
		id, err := uuid.Parse(e.ID)
		require.NoError(t, err)
		require.Equal(t, uuid.Version(7), id.Version())
		require.Greater(t, e.ID, last)
		last = e.ID
	}
}

func TestEventsOfLogIns(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithThrottle(3, time.Minute))
	macaroon.HashQuickly(z.Authority)
	ctx := macaroon.WithActor(t.Context(), administrator)
	carol, err := z.CreateUser(ctx, macaroon.NewUser{Username: "carol", Password: password})
	require.NoError(t, err)
	for _, c := range []struct {
		name, password string
		kind           macaroon.EventKind
		subject        caveat.Subject
		reason         errors.ID
	}{
		{"carol", password, macaroon.LoggedIn, carol, ""},
		{"carol", "not it at all", macaroon.LogInFailed, carol, errors.IDBadBasicCredentials},
		{"mallory", password, macaroon.LogInFailed, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"mallory", password, macaroon.LogInFailed, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"mallory", password, macaroon.LogInFailed, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"mallory", password, macaroon.LogInThrottled, caveat.Subject{}, errors.IDTemporaryFailure},
	} {
		before := len(z.events)
		_, err := z.LogIn(ctx, c.name, c.password)
		require.Len(t, z.events, before+1)
		e := z.lastEvent(t)
		assert.Equal(t, macaroon.Event{
			ID: e.ID, Kind: c.kind, Time: start, Actor: administrator, Username: c.name, Subject: c.subject, Err: err, CaveatIndex: -1,
		}, e)
		if c.reason != "" {
			require.ErrorIs(t, e.Err, c.reason)
		}
		assert.NotContains(t, toJSON(t, e), c.password)
	}
	require.NoError(t, z.SetBlocked(ctx, carol, true))
	_, err = z.LogIn(ctx, "carol", password)
	requireID(t, errors.IDUserBlocked, err)
	assert.Equal(t, macaroon.LogInFailed, z.lastEvent(t).Kind)
	requireID(t, errors.IDUserBlocked, z.lastEvent(t).Err)

	// An unavailable store is not reported as the outcome of a log-in.
	before := len(z.events)
	require.NoError(t, z.store.Close())
	_, err = z.LogIn(ctx, "carol", password)
	requireOperational(t, err)
	require.Len(t, z.events, before)
}

func TestNamesOfFailedLogInsCannotForgeALog(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"carol":                       "carol",
		"żółw \\":                     "żółw \\",
		"":                            "",
		"a\nINFO user=root":           `a\u000aINFO user=root`,
		"\x1b[2J\u009b\u202e\x7f":     `\u001b[2J\u009b\u202e\u007f`,
		"a\xff":                       `a\ufffd`,
		strings.Repeat("n", 65):       strings.Repeat("n", 64) + "...",
		strings.Repeat("\xff", 1<<20): strings.Repeat(`\ufffd`, 64) + "...",
		strings.Repeat("ż", 64):       strings.Repeat("ż", 64),
	} {
		z := newZone(t)
		macaroon.HashQuickly(z.Authority)
		_, err := z.LogIn(t.Context(), name, "x")
		requireID(t, errors.IDBadBasicCredentials, err)
		assert.Equal(t, want, z.lastEvent(t).Username)
	}
}

func TestAnActorTravelsInTheContext(t *testing.T) {
	t.Parallel()
	got := macaroon.ActorFrom(macaroon.WithActor(t.Context(), administrator))
	assert.Equal(t, administrator, got)
	assert.Zero(t, macaroon.ActorFrom(t.Context()))
}
