package macaroon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

func TestTemporaryTokensNeedATimeCaveat(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMaxTemporaryTTL(time.Hour))
	issue := func(cs ...caveat.Caveat) error {
		_, err := z.Issue(t.Context(), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: cs})
		return err
	}
	requireID(t, errors.IDTokenTimeCaveatRequired, issue())
	requireID(t, errors.IDTokenTimeCaveatRequired, issue(caveat.REST))
	err := issue(caveat.Until(start.Add(time.Hour + time.Second)))
	requireID(t, errors.IDTokenTimeCaveatRequired, err)
	var e *errors.Error
	require.ErrorAs(t, err, &e)
	assert.EqualValues(t, 3600, e.Details["maxTtl"])
	requireID(t, errors.IDTokenTimeCaveatRequired, issue(caveat.Time{ValidUntil: 1<<63 - 1}))
	require.NoError(t, issue(caveat.Until(start.Add(time.Hour))))
	require.NoError(t, issue(caveat.Until(start.Add(-time.Hour))))
	require.NoError(t, issue(caveat.Time{ValidUntil: 1<<63 - 1}, caveat.Until(start)))
	// The check does not overflow if the clock is wrong.
	past, err := macaroon.NewAuthority(z.store, macaroon.WithClock(func() time.Time { return time.Time{} }))
	require.NoError(t, err)
	_, err = past.Issue(t.Context(), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Time{ValidUntil: 1<<63 - 1}}})
	requireID(t, errors.IDTokenTimeCaveatRequired, err)
	for _, g := range []macaroon.Grant{
		{Custom: json.RawMessage("{}")}, {Revoked: true}, {Privileges: []string{}}, {UsageLimit: 1},
	} {
		g.Subject, g.Type, g.Caveats = alice, macaroon.AccessToken(), []caveat.Caveat{caveat.Until(start)}
		_, err := z.Issue(t.Context(), g)
		requireID(t, errors.IDBadData, err)
	}
}

func TestGrantsThatCannotBeIssued(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithSessions(sessions{"s1": alice}))
	z.block(t, bob, true)
	for name, c := range map[string]struct {
		grant macaroon.Grant
		id    errors.ID
	}{
		"no type":            {macaroon.Grant{Subject: alice}, errors.IDBadValueTokenType},
		"no subject":         {macaroon.Grant{Type: macaroon.AccessToken()}, errors.IDTokenSubjectInvalid},
		"nobody":             {macaroon.Grant{Type: macaroon.AccessToken(), Subject: caveat.Nobody()}, errors.IDTokenSubjectInvalid},
		"group":              {macaroon.Grant{Type: macaroon.AccessToken(), Subject: caveat.Group("g")}, errors.IDTokenSubjectInvalid},
		"stranger":           {macaroon.Grant{Type: macaroon.AccessToken(), Subject: caveat.User("u9")}, errors.IDTokenSubjectInvalid},
		"endless id":         {macaroon.Grant{Type: macaroon.AccessToken(), Subject: caveat.User(strings.Repeat("x", 1025))}, errors.IDTokenSubjectInvalid},
		"blocked":            {macaroon.Grant{Type: macaroon.AccessToken(), Subject: bob}, errors.IDUserBlocked},
		"bad caveat":         {macaroon.Grant{Type: macaroon.AccessToken(), Subject: alice, Caveats: []caveat.Caveat{caveat.IP{}}}, errors.IDBadValueCaveat},
		"another's session":  {macaroon.Grant{Type: macaroon.SessionToken("s9"), Subject: alice}, errors.IDTokenSessionInvalid},
		"provider's session": {macaroon.Grant{Type: macaroon.SessionToken("s1"), Subject: provider}, errors.IDTokenSessionInvalid},
		"forbidden service": {macaroon.Grant{Type: macaroon.AccessToken(), Subject: alice, Caveats: []caveat.Caveat{
			caveat.MustParse("service = ozw-onezone|opw-p1"),
		}}, errors.IDTokenServiceForbidden},
		"too many caveats":                   {macaroon.Grant{Type: macaroon.AccessToken(), Subject: alice, Caveats: make256(257)}, errors.IDLimitReached},
		"blocked, and too many caveats":      {macaroon.Grant{Type: macaroon.AccessToken(), Subject: bob, Caveats: make256(257)}, errors.IDUserBlocked},
		"stranger, and too many caveats":     {macaroon.Grant{Type: macaroon.AccessToken(), Subject: caveat.User("u9"), Caveats: make256(257)}, errors.IDTokenSubjectInvalid},
		"wrong session, and too many":        {macaroon.Grant{Type: macaroon.SessionToken("s9"), Subject: alice, Caveats: make256(257)}, errors.IDTokenSessionInvalid},
		"an id that is too long for a token": {macaroon.Grant{Type: macaroon.AccessToken(), Subject: caveat.User(strings.Repeat("x", 70_000))}, errors.IDTokenSubjectInvalid},
		"too long caveat": {macaroon.Grant{Type: macaroon.AccessToken(), Subject: alice, Caveats: []caveat.Caveat{
			caveat.DataPath{"/s/" + strings.Repeat("x", 70_000)},
		}}, errors.IDBadToken},
	} {
		_, err := z.IssueNamed(t.Context(), "name", c.grant)
		requireID(t, c.id, err)
		c.grant.Caveats = append(c.grant.Caveats, caveat.Until(start))
		_, err = z.Issue(t.Context(), c.grant)
		requireID(t, c.id, err)
		page, _, err := z.List(t.Context(), store.Query{})
		require.NoError(t, err)
		assert.Empty(t, page, "%s leaves no record", name)
	}
	_, err := z.IssueNamed(t.Context(), "session", macaroon.Grant{Type: macaroon.SessionToken("s1"), Subject: alice})
	require.NoError(t, err)
	_, err = z.IssueNamed(t.Context(), "session 2", macaroon.Grant{Type: macaroon.SessionToken("broken"), Subject: alice})
	requireOperational(t, err)
	for _, custom := range []string{"null", "[]", "5", `"x"`, "{", ""} {
		_, err = z.IssueNamed(t.Context(), "custom", macaroon.Grant{Type: macaroon.AccessToken(), Subject: alice, Custom: json.RawMessage(custom)})
		requireID(t, errors.IDBadValueJSON, err)
	}
}

func make256(n int) []caveat.Caveat {
	cs := make([]caveat.Caveat, n)
	for i := range cs {
		cs[i] = caveat.REST
	}
	return cs
}

func TestNamesOfTokens(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"ab": true, "a": false, "": false, strings.Repeat("n", 128): true, strings.Repeat("n", 129): false,
		strings.Repeat("ż", 128): true, "my token-1.0": true, "(x)": true, "__": true, "Ⅷ½²": true, "名前": true,
		" ab": false, "ab ": false, "-ab": false, "ab-": false, ".ab": false, "ab.": false, "a\tb": false, "ab\n": true, "ab\n\n": false, "a\n": false, "a\nb": false, "\nab": false, "ab\r\n": false,
		"a\u0301b": false, "a😀b": false, "a/b": false, "a'b": false, "a\x00b": false, "a\xffb": false,
	} {
		err := macaroon.ValidateName(name)
		assert.Equal(t, good, err == nil, "%q", name)
		if !good {
			requireID(t, errors.IDBadValueName, err)
		}
	}
}

func TestLegacyTokens(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token, err := z.IssueLegacy(t.Context(), alice, nil)
	require.NoError(t, err)
	until, ok := token.Expiry()
	assert.True(t, ok)
	assert.Equal(t, start.Unix()+31536000, until)
	n, err := z.Get(t.Context(), token.ID())
	require.NoError(t, err)
	assert.Regexp(t, regexp.MustCompile(`^access token 2020-09-13T12\.26\.40Z [0-9a-f]{6}$`), n.Name)
	require.NoError(t, z.verify(token))
	_, err = z.IssueLegacy(t.Context(), caveat.User("u9"), nil)
	requireID(t, errors.IDTokenSubjectInvalid, err)
}

func TestTokensAreNeverTheSame(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	seen := map[string]bool{}
	for range 100 {
		token := z.access(t)
		assert.Regexp(t, "^[0-9a-f]{32}$", token.ID())
		assert.False(t, seen[token.ID()])
		seen[token.ID()] = true
	}
}

func TestRandomnessAndClockDecideTheBytes(t *testing.T) {
	t.Parallel()
	var seed [32]byte
	issue := func() string {
		token, err := newZone(t, macaroon.WithRandom(rand.NewChaCha8(seed)), macaroon.WithDomain("zone.example.com")).IssueLegacy(t.Context(), alice, nil)
		require.NoError(t, err)
		assert.Equal(t, "zone.example.com", token.Domain())
		return token.String()
	}
	assert.Equal(t, issue(), issue())
}

func TestWithoutRandomnessNothingIsIssued(t *testing.T) {
	t.Parallel()
	for bytesLeft := range 51 { // an id takes 16, a secret 32, a name 3
		z := newZone(t, macaroon.WithRandom(io.LimitReader(rand.NewChaCha8([32]byte{}), int64(bytesLeft))))
		_, err := z.IssueLegacy(t.Context(), alice, nil)
		requireOperational(t, err)
	}
	z := newZone(t, macaroon.WithRandom(bytes.NewReader(nil)))
	requireOperational(t, z.RevokeTemporary(t.Context(), alice))
	_, err := z.TemporaryGeneration(t.Context(), alice)
	requireOperational(t, err)
	_, err = z.Issue(t.Context(), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(start)}})
	requireOperational(t, err)
	_, err = z.CreateUser(t.Context(), macaroon.NewUser{})
	requireOperational(t, err)
	_, err = z.CreateUser(t.Context(), macaroon.NewUser{ID: "x", Password: "long enough"})
	requireOperational(t, err)
	half := newZone(t, macaroon.WithRandom(io.LimitReader(rand.NewChaCha8([32]byte{}), 32)))
	_, err = half.Issue(t.Context(), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(start)}})
	requireOperational(t, err)
}

func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	s := memory.New()
	for id, options := range map[errors.ID][]macaroon.Option{
		errors.IDBadValueDomain: {macaroon.WithDomain("")},
		errors.IDBadValueTooLow: {macaroon.WithMaxCaveats(0)},
		errors.IDBadData:        {macaroon.WithClock(nil)},
		"badValueNotInRange":    {macaroon.WithPasswordIterations(2047)},
	} {
		_, err := macaroon.NewAuthority(s, options...)
		requireID(t, id, err)
	}
	_, err := macaroon.NewAuthority(nil)
	requireID(t, errors.IDBadData, err)
	_, err = macaroon.NewAuthority(s, macaroon.WithPasswordIterations(10_000_001))
	requireID(t, "badValueNotInRange", err)
	_, err = macaroon.NewAuthority(s, macaroon.WithRandom(nil))
	requireID(t, errors.IDBadData, err)
	for _, option := range []macaroon.Option{
		macaroon.WithMaxTemporaryTTL(time.Millisecond), macaroon.WithMaxTemporaryTTL(-time.Hour), macaroon.WithMaxCaveats(-1),
		macaroon.WithLimits(macaroon.Limits{MaxSize: -1}), macaroon.WithLimits(macaroon.Limits{MaxCaveats: -1}),
	} {
		_, err = macaroon.NewAuthority(s, option)
		requireID(t, errors.IDBadValueTooLow, err)
	}
}

func TestLimitsOfAnAuthority(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMaxCaveats(2), macaroon.WithLimits(macaroon.Limits{MaxSize: 400, MaxCaveats: 3}))
	token := z.access(t)
	token, err := z.Confine(t.Context(), token, caveat.REST, caveat.REST)
	require.NoError(t, err)
	_, err = z.Confine(t.Context(), token, caveat.REST)
	requireID(t, errors.IDLimitReached, err)
	_, err = z.Parse(confine(t, token, caveat.REST).String())
	require.NoError(t, err)
	_, err = z.Parse(confine(t, token, caveat.REST, caveat.REST).String())
	requireID(t, errors.IDBadToken, err)
	_, err = z.Confine(t.Context(), z.access(t), caveat.DataPath{"/s/" + strings.Repeat("x", 200)})
	requireID(t, errors.IDTokenTooLarge, err)
	_, err = z.Parse(strings.Repeat("x", 401))
	requireID(t, errors.IDTokenTooLarge, err)
	assert.Equal(t, "onezone", z.Domain())
	assert.Equal(t, start, z.Now())
	assert.Nil(t, z.Vocabulary())
}

func TestConfineChecksOnlyTheNewCaveats(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMemberships(members{}))
	ctx := t.Context()
	good := z.access(t)
	_, err := z.Confine(ctx, forged(t, good), caveat.REST)
	require.NoError(t, err)
	_, err = z.Confine(ctx, good, caveat.MustParse("service = opw-p-krakow"))
	require.NoError(t, err)
	_, err = z.Confine(ctx, good, caveat.MustParse("service = opw-other"))
	requireID(t, errors.IDTokenServiceForbidden, err)
	same, err := z.Confine(ctx, good)
	require.NoError(t, err)
	assert.Equal(t, good.String(), same.String())
	z.block(t, alice, true)
	_, err = z.Confine(ctx, good, caveat.REST)
	requireID(t, errors.IDUserBlocked, err)
	_, err = z.Confine(ctx, good, nil)
	requireID(t, errors.IDBadValueCaveat, err)
}

// counting counts the lookups of a directory.
type counting struct {
	directory
	asked *int
}

func (c counting) Holder(ctx context.Context, s caveat.Subject) (store.Status, error) {
	*c.asked++
	return c.directory.Holder(ctx, s)
}

// A long list of services must not multiply the lookups of the subject.
func TestASubjectIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	asked := 0
	z := newZone(t, macaroon.WithDirectory(counting{directory{alice: store.HolderActive}, &asked}))
	token := z.access(t)
	asked = 0
	services := make(caveat.Services, caveat.DefaultMaxEntries)
	for i := range services {
		services[i] = caveat.Service{Type: caveat.OpWorker, ID: "*"}
	}
	_, err := z.Confine(t.Context(), token, services)
	require.NoError(t, err)
	assert.Equal(t, 1, asked)
}

// broken fails every call, like a store with an unavailable server.
type broken struct{ store.Store }

var errGone = errors.New("connection refused")

func (broken) NamedKey(context.Context, string) (store.Key, error) { return store.Key{}, errGone }
func (broken) TemporaryKey(context.Context, caveat.Subject) (store.Key, error) {
	return store.Key{}, errGone
}
func (broken) EnsureTemporaryKey(context.Context, caveat.Subject, store.Secret) (store.Key, error) {
	return store.Key{}, errGone
}
func (broken) RotateTemporaryKey(context.Context, caveat.Subject, store.Secret) (int64, error) {
	return 0, errGone
}
func (broken) DeleteTemporaryKey(context.Context, caveat.Subject) error { return errGone }
func (broken) CreateToken(context.Context, store.Token, store.Status) (store.Status, error) {
	return 0, errGone
}
func (broken) GetToken(context.Context, string) (store.Token, error) { return store.Token{}, errGone }
func (broken) ListTokens(context.Context, store.Query) ([]store.Token, store.Cursor, error) {
	return nil, store.Cursor{}, errGone
}
func (broken) ListTokenIDs(context.Context, store.Query) ([]string, store.Cursor, error) {
	return nil, store.Cursor{}, errGone
}
func (broken) CountTokens(context.Context, caveat.Subject) (int64, error)          { return 0, errGone }
func (broken) UpdateToken(context.Context, string, func(*store.Token) error) error { return errGone }
func (broken) DeleteToken(context.Context, string) error                           { return errGone }
func (broken) CreateIdentity(context.Context, store.Identity) error                { return errGone }
func (broken) GetIdentity(context.Context, caveat.Subject) (store.Identity, error) {
	return store.Identity{}, errGone
}
func (broken) GetIdentityByUsername(context.Context, string) (store.Identity, error) {
	return store.Identity{}, errGone
}
func (broken) UpdateIdentity(context.Context, caveat.Subject, func(*store.Identity) error) error {
	return errGone
}
func (broken) DeleteIdentity(context.Context, caveat.Subject) error { return errGone }

// An operational error is never reported as the client's fault.
func TestAnUnavailableStoreIsAnOperationalError(t *testing.T) {
	t.Parallel()
	options := []macaroon.Option{
		macaroon.WithInviters(openHouse{}),
		macaroon.WithDirectory(directory{alice: store.HolderActive, provider: store.HolderActive}),
		macaroon.WithClock(func() time.Time { return start }),
	}
	a, err := macaroon.NewAuthority(broken{}, options...)
	require.NoError(t, err)
	noDirectory, err := macaroon.NewAuthority(broken{}, options[2:]...)
	require.NoError(t, err)
	ctx := t.Context()
	named, temporary := mint(t, macaroon.Spec{}), mint(t, macaroon.Spec{Generation: 1})
	invite := mint(t, macaroon.Spec{Type: macaroon.InviteToken(macaroon.UserJoinGroup, "g")})
	identity := mint(t, macaroon.Spec{Type: macaroon.IdentityToken(), Subject: provider})
	grant := macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()}
	ending := grant
	ending.Caveats = []caveat.Caveat{caveat.Until(start)}
	for name, call := range map[string]func() error{
		"VerifyAccess named":     func() error { _, err := a.VerifyAccess(ctx, named.String(), caveat.Request{}); return err },
		"VerifyAccess temporary": func() error { _, err := a.VerifyAccess(ctx, temporary.String(), caveat.Request{}); return err },
		"VerifyIdentity":         func() error { _, err := a.VerifyIdentity(ctx, named.String(), caveat.Request{}); return err },
		"VerifyInvite":           func() error { _, err := a.VerifyInvite(ctx, invite.String(), 0, caveat.Request{}); return err },
		"VerifyService":          func() error { _, err := a.VerifyService(ctx, identity.String(), caveat.Request{}); return err },
		"VerifyConsumer":         func() error { _, err := a.VerifyConsumer(ctx, identity.String(), caveat.Request{}); return err },
		"Consume":                func() error { return a.Consume(ctx, invite.String(), 0, caveat.Request{Consumer: alice}, accept) },
		"Issue":                  func() error { _, err := a.Issue(ctx, ending); return err },
		"Issue, no directory":    func() error { _, err := noDirectory.Issue(ctx, ending); return err },
		"IssueNamed":             func() error { _, err := a.IssueNamed(ctx, "name", grant); return err },
		"IssueLegacy":            func() error { _, err := a.IssueLegacy(ctx, alice, nil); return err },
		"Confine":                func() error { _, err := noDirectory.Confine(ctx, named, caveat.REST); return err },
		"Get":                    func() error { _, err := a.Get(ctx, "id"); return err },
		"Owner":                  func() error { _, err := a.Owner(ctx, "id"); return err },
		"GetByName":              func() error { _, err := a.GetByName(ctx, alice, "name"); return err },
		"List":                   func() error { _, _, err := a.List(ctx, store.Query{}); return err },
		"Update":                 func() error { return a.Update(ctx, "id", macaroon.Change{Name: new("name")}) },
		"Revoke":                 func() error { return a.Revoke(ctx, "id") },
		"Restore":                func() error { return a.Restore(ctx, "id") },
		"RevokeConfined":         func() error { return a.RevokeConfined(ctx, named) },
		"RevokeTemporary":        func() error { return a.RevokeTemporary(ctx, alice) },
		"TemporaryGeneration":    func() error { _, err := a.TemporaryGeneration(ctx, alice); return err },
		"Delete":                 func() error { return a.Delete(ctx, "id") },
		"DeleteAll":              func() error { return a.DeleteAll(ctx, alice) },
		"Forget":                 func() error { return a.Forget(ctx, alice) },
		"CreateUser":             func() error { _, err := a.CreateUser(ctx, macaroon.NewUser{}); return err },
		"DeleteUser":             func() error { return a.DeleteUser(ctx, alice) },
		"SetBlocked":             func() error { return a.SetBlocked(ctx, alice, true) },
		"SetPassword":            func() error { return a.SetPassword(ctx, alice, "") },
		"LogIn":                  func() error { _, err := a.LogIn(ctx, "alice", "password"); return err },
	} {
		err := call()
		require.ErrorIs(t, err, errGone, name)
		requireOperational(t, err)
		assert.NotEqual(t, errGone.Error(), err.Error(), "%s says what it was doing", name)
	}
}
