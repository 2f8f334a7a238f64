package macaroon_test

import (
	"cmp"
	"context"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/vectors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	golden "github.com/onezone-go/onezone/testdata/vectors"
)

// try explains the token for a request.
func (z *zone) try(t testing.TB, text string, req caveat.Request) macaroon.Explanation {
	t.Helper()
	e, err := z.Explain(t.Context(), text, macaroon.Trial{Attempt: caveat.Attempt{Request: req}})
	require.NoError(t, err)
	return e
}

// requireConsistent requires that an explanation does not contradict itself.
func requireConsistent(t testing.TB, e macaroon.Explanation) {
	t.Helper()
	good := true
	for _, c := range e.Checks {
		good = good && c.Err == nil
		require.NotEmpty(t, c.Reason, c.Step)
	}
	for _, c := range e.Caveats {
		good = good && c.Verdict == caveat.Holds
		require.NotEmpty(t, c.Reason)
		require.Equal(t, c.Verdict == caveat.Holds, c.Err == nil)
		require.Equal(t, c.Verdict == caveat.Holds, c.Remedy == "")
	}
	require.Equal(t, e.Accepted(), good)
}

// What Explain says holds is accepted, and the reverse, with the same errors.
func TestExplainAgreesWithTheVectorsOfVerify(t *testing.T) {
	vectors.Each(t, "verify.jsonl", func(t *testing.T, v golden.Verification) {
		token := parse(t, v.Token)
		e, err := token.Explain(t.Context(), store.NewSecret(v.Secret),
			macaroon.Trial{Attempt: caveat.Attempt{Request: requestOf(t, v)}})
		require.NoError(t, err)
		requireConsistent(t, e)
		require.Equal(t, v.Result.OK != nil, e.Accepted())
		if v.Kind == "wrongSecret" {
			require.Len(t, e.Checks, 1)
			require.Empty(t, e.Caveats)
			require.True(t, e.Subject.IsZero())
		}
		if !e.Accepted() {
			checkError(t, v.Result.Error, v.Result.HTTPCode, e.Err)
		}
	})
}

// explainedToken returns a token and changes of the world, chosen at random.
func explainedToken(t testing.TB, r *rand.Rand, z *zone) string {
	t.Helper()
	one := func(list ...string) string { return list[r.IntN(len(list))] }
	subject := []caveat.Subject{alice, alice, bob, provider}[r.IntN(4)]
	types := []macaroon.Type{
		macaroon.AccessToken(), macaroon.AccessToken(), macaroon.IdentityToken(), macaroon.InviteToken(macaroon.UserJoinGroup, "g1"),
		macaroon.SessionToken("s-alice"), macaroon.SessionToken("s-ended"),
	}
	typ := types[r.IntN(len(types))]
	secret, id := store.NewSecret("the secret of the record"), "id"
	record := store.Token{
		ID: id, Name: "laptop", Subject: subject, Type: typ.String(), Version: 2, Secret: secret, Created: 1, Revoked: r.IntN(8) == 0,
	}
	if r.IntN(6) == 0 {
		record.Tightened = []store.OwnerCaveat{{Text: one("ip = 10.0.0.0/8", "time < 1600000001"), Added: 7}}
	}
	if r.IntN(20) == 0 {
		record.Bait = store.BaitAlarm
	}
	require.NoError(t, second(z.store.CreateToken(t.Context(), record, 0)))
	spec := macaroon.Spec{Domain: "onezone", ID: id, Subject: subject, Type: typ}
	if r.IntN(12) == 0 {
		spec.Subject = bob
	}
	if r.IntN(16) == 0 {
		spec.ID = "missing"
	}
	if r.IntN(16) == 0 {
		secret = store.NewSecret("another")
	}
	token, err := macaroon.Mint(spec, secret)
	require.NoError(t, err)
	for range r.IntN(4) {
		token = confineText(t, token, one("time < 1600000001", "time < 1600090000", "time < 1600000000", "ip = 10.0.0.0/8", "ip = 1.2.3.0/24",
			"asn = 8973", "geo.country = PL", "geo.region != EU", "interface = rest", "service = opw-p1|ozw-onezone", "consumer = usr-u1|grp-g1",
			"api = ozw/get/user.*.*:*", "data.readonly", "moon = full", "authorization = none", "consumer = prv-p-krakow"))
	}
	if r.IntN(10) == 0 {
		_ = z.RevokeConfined(t.Context(), token) // fails for tokens that are not valid
	}
	if r.IntN(10) == 0 {
		z.block(t, subject, true)
	}
	if r.IntN(20) == 0 {
		require.NoError(t, z.store.DeleteIdentity(t.Context(), subject))
	}
	text := token.String()
	if r.IntN(30) == 0 {
		text = text[1:]
	}
	return text
}

// Explain says that a token is accepted exactly if the verification accepts it,
// and has the same error otherwise.
func TestExplainAgreesWithEveryVerification(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(15, 1))
	geo := vectors.Geo(t)
	rounds := 3000
	if testing.Short() {
		rounds = 500
	}
	accepted, reasons := 0, map[errors.ID]int{}
	for range rounds {
		z := newZone(t, macaroon.WithGeo(geo), macaroon.WithSessions(oneSession{}), macaroon.WithMemberships(someServices{}), macaroon.WithGroups(noGroups{}))
		party := caveat.Provider("p-party")
		require.NoError(t, z.store.CreateIdentity(t.Context(), store.Identity{Subject: party}))
		text := explainedToken(t, r, z)
		req := caveat.Request{DataAccess: r.IntN(2) == 0, Session: []caveat.Session{caveat.AnySession(), {}, caveat.InSession("s-alice")}[r.IntN(3)]}
		if r.IntN(3) > 0 {
			req.IP = mustAddr([]string{"1.2.3.4", "10.0.0.1", "9.9.9.9"}[r.IntN(3)])
		}
		if r.IntN(2) == 0 {
			req.Interface, req.Consumer = caveat.REST, caveat.User("u1")
		}
		if r.IntN(3) == 0 {
			req.Service = caveat.Service{Type: caveat.OpWorker, ID: []string{"p1", "p2"}[r.IntN(2)]}
		}
		if r.IntN(10) == 0 {
			req.ConsumerToken = caveat.PartyToken(z.named(t, party, macaroon.IdentityToken()).String())
		}
		if r.IntN(10) == 0 {
			req.ServiceToken = caveat.PartyToken(forged(t, z.named(t, party, macaroon.IdentityToken())).String())
		}
		class := macaroon.Class(1 + r.IntN(3))
		if token, err := macaroon.Parse(text); err == nil && r.IntN(3) > 0 {
			class = token.Type().Class()
		}
		_, want := verifyAs(z, text, class, req)
		events := len(z.events)
		e, err := z.Explain(t.Context(), text, macaroon.Trial{Attempt: caveat.Attempt{Request: req}, Class: class})
		require.NoError(t, err)
		requireConsistent(t, e)
		for _, event := range z.events[events:] {
			require.NotContains(t, []string{"id", "missing", ""}, event.TokenID, "explaining is no verification")
		}
		if want == nil {
			require.NoError(t, e.Err)
			accepted++
			continue
		}
		require.JSONEq(t, toJSON(t, want), toJSON(t, e.Err))
		reasons[want.(*errors.Error).ID]++
	}
	t.Log(accepted, "accepted;", reasons)
	require.Greater(t, accepted, rounds/20)
	require.Greater(t, len(reasons), 10)
}

func verifyAs(z *zone, text string, class macaroon.Class, req caveat.Request) (macaroon.Auth, error) {
	switch class {
	case macaroon.Identity:
		return z.VerifyIdentity(context.Background(), text, req)
	case macaroon.Invite:
		return z.VerifyInvite(context.Background(), text, 0, req)
	}
	return z.VerifyAccess(context.Background(), text, req)
}

// oneSession knows the session s-alice of Alice.
type oneSession struct{}

func (oneSession) BelongsTo(_ context.Context, session string, subject caveat.Subject) (bool, error) {
	return session == "s-alice" && subject == alice, nil
}

// someServices lets users use the services of p1.
type someServices struct{}

func (someServices) InProvider(_ context.Context, _ caveat.Subject, provider string) (bool, error) {
	return provider == "p1", nil
}

func (someServices) InCluster(_ context.Context, _ caveat.Subject, cluster string) (bool, error) {
	return cluster == "p1", nil
}

type noGroups struct{}

func (noGroups) IsMember(context.Context, caveat.Subject, string) (bool, error) { return false, nil }

// A forged token is explained as one whose id does not exist.
func TestExplainOfAWrongSignatureSaysNothingMore(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t, caveat.MustParse("time < 5"))
	require.NoError(t, z.Revoke(t.Context(), token.ID()))
	z.block(t, alice, true)
	fake := z.try(t, forged(t, token).String(), caveat.Request{})
	unknown := z.try(t, forged(t, mint(t, macaroon.Spec{ID: "missing"})).String(), caveat.Request{})
	require.Equal(t, unknown, fake)
	require.Equal(t, errors.TokenInvalid(), fake.Err)
	require.Equal(t, macaroon.StepSignature, fake.Checks[len(fake.Checks)-1].Step)
	require.Empty(t, fake.Caveats)
	require.True(t, fake.Subject.IsZero())

	good := z.try(t, token.String(), caveat.Request{})
	require.Equal(t, errors.TokenRevoked(), good.Err)
	require.Equal(t, alice, good.Subject)
	require.Len(t, good.Caveats, 1, "everything is explained, not only the first refusal")
	require.Equal(t, caveat.DoesNotHold, good.Caveats[0].Verdict)
	steps := map[macaroon.Step]bool{}
	for _, c := range good.Checks {
		steps[c.Step] = c.Err == nil
	}
	require.Equal(t, map[macaroon.Step]bool{
		macaroon.StepText: true, macaroon.StepType: true, macaroon.StepSignature: true, macaroon.StepRevocation: false,
		macaroon.StepSubject: false, macaroon.StepSession: true, macaroon.StepService: true,
	}, steps)
}

func TestExplainSaysWhenTheTokenCeasesToBeAccepted(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	hour := caveat.Until(start.Add(time.Hour))
	token := z.access(t, caveat.Until(start.Add(2*time.Hour)), hour, caveat.MustParse("ip = 10.0.0.0/8"))
	e := z.try(t, token.String(), caveat.Request{IP: mustAddr("10.0.0.1")})
	require.True(t, e.Accepted())
	require.Equal(t, []caveat.Change{{At: start.Add(time.Hour).UTC()}}, e.Changes)
	require.Equal(t, []caveat.Change{{At: start.Add(2 * time.Hour).UTC()}}, e.Caveats[0].Changes)

	e = z.try(t, token.String(), caveat.Request{IP: mustAddr("192.0.2.1")})
	require.Empty(t, e.Changes, "never accepted")
	require.NoError(t, z.Revoke(t.Context(), token.ID()))
	require.Empty(t, z.try(t, token.String(), caveat.Request{IP: mustAddr("10.0.0.1")}).Changes)
}

func TestExplainDecidesTheOperationAndTheFile(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t, caveat.DataReadonly{}, caveat.DataPath{"/lab"})
	trial := macaroon.Trial{Attempt: caveat.Attempt{
		Request: caveat.Request{DataAccess: true}, Access: caveat.Write, File: caveat.File{Path: "/lab/a"},
	}}
	e, err := z.Explain(t.Context(), token.String(), trial)
	require.NoError(t, err)
	auth, err := z.VerifyAccess(t.Context(), token.String(), trial.Request)
	require.NoError(t, err)
	require.JSONEq(t, toJSON(t, auth.CheckFile(trial.File, trial.Access)), toJSON(t, e.Err))
	require.Equal(t, caveat.DoesNotHold, e.Caveats[0].Verdict)
	require.Equal(t, caveat.Holds, e.Caveats[1].Verdict)

	trial.Access, trial.File.Path = caveat.Read, "lab"
	_, err = z.Explain(t.Context(), token.String(), trial)
	require.ErrorIs(t, err, errors.IDBadValueFilePath)
	_, err = token.Explain(t.Context(), secret, trial)
	require.ErrorIs(t, err, errors.IDBadValueFilePath)
}

// An operational error says nothing about the token, but a refusal before it
// does.
func TestExplainReportsOperationalErrors(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMemberships(brokenServices{}))
	req := caveat.Request{Service: caveat.Service{Type: caveat.OpWorker, ID: "p1"}}
	trial := macaroon.Trial{Attempt: caveat.Attempt{Request: req}}
	token := z.access(t)
	_, err := z.Explain(t.Context(), token.String(), trial)
	requireOperational(t, err)
	e, err := z.Explain(t.Context(), confineText(t, token, "time < 5").String(), trial)
	require.NoError(t, err)
	require.ErrorIs(t, e.Err, errors.IDTokenCaveatUnverified)
	assert.NotContains(t, e.Checks[len(e.Checks)-1].Reason, "unavailable")

	_, err = token.Explain(t.Context(), sealedSecret, macaroon.Trial{})
	requireSealed(t, err, "Token.Explain")
}

type brokenServices struct{}

func (brokenServices) InProvider(context.Context, caveat.Subject, string) (bool, error) {
	return false, errors.New("the directory is unavailable")
}

func (brokenServices) InCluster(context.Context, caveat.Subject, string) (bool, error) {
	return false, errors.New("the directory is unavailable")
}

func TestExplanationsSurviveJSON(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t, caveat.Until(start.Add(time.Hour)), caveat.MustParse("ip = 10.0.0.0/8"))
	for _, e := range []macaroon.Explanation{
		z.try(t, token.String(), caveat.Request{IP: mustAddr("10.0.0.1")}), z.try(t, token.String(), caveat.Request{}),
		z.try(t, forged(t, token).String(), caveat.Request{}), z.try(t, "x", caveat.Request{}),
	} {
		for i := range e.Caveats { // it has no JSON form
			e.Caveats[i].Checked = false
		}
		if len(e.Caveats) > 0 {
			e.Caveats[0].Added = start.UTC()
		}
		var back macaroon.Explanation
		require.NoError(t, json.Unmarshal([]byte(toJSON(t, e)), &back))
		require.Equal(t, e.Accepted(), back.Accepted())
		require.Equal(t, len(e.Checks), len(back.Checks))
		require.Equal(t, e.Subject, back.Subject)
		require.Equal(t, e.Changes, back.Changes)
		for i, c := range e.Caveats {
			require.Equal(t, c.Added, back.Caveats[i].Added)
			require.Equal(t, c.Verdict, back.Caveats[i].Verdict)
			require.Equal(t, c.Reason, back.Caveats[i].Reason)
		}
		if !e.Accepted() {
			require.ErrorIs(t, back.Err, e.Err.(*errors.Error).ID)
		}
	}
	var e macaroon.Explanation
	for _, text := range []string{`{}`, `{"accepted":true,"error":{"id":"tokenInvalid"},"checks":[]}`, `{"accepted":true,"checks":[],"caveats":[{}]}`} {
		require.Error(t, json.Unmarshal([]byte(text), &e), text)
	}
}

// FuzzExplain confines a token by any text and tries it with any request:
// Explain agrees with the verification.
func FuzzExplain(f *testing.F) {
	for _, text := range []string{
		"time < 1600000001", "ip = 10.0.0.0/8|1.2.3.4", "asn = 8973", "geo.country != PL", "geo.region = EU", "consumer = usr-u1|grp-g1",
		"service = opw-p1", "interface = rest", "api = ozw/get/user.*.*:*", "data.path = L2xhYg==", "data.objectid = 00", "moon = full", "authorization = none",
	} {
		f.Add(text, []byte(`{"peerIp":"1.2.3.4","interface":"rest","consumer":"usr-u1","access":"read","path":"/lab"}`))
		f.Add(text, []byte(`{"time":1600000000,"service":"opw-p1","operation":"get","resource":"user.u1.instance:private","proveIdentity":true}`))
	}
	z := newZone(f, macaroon.WithGeo(vectors.Geo(f)), macaroon.WithMemberships(someServices{}))
	token := z.access(f)
	f.Fuzz(func(t *testing.T, text string, request []byte) {
		confined, err := token.ConfineUnchecked(text)
		var attempt caveat.Attempt
		if err != nil || attempt.UnmarshalJSON(request) != nil {
			return
		}
		e, err := z.Explain(t.Context(), confined.String(), macaroon.Trial{Attempt: attempt, Class: macaroon.Access})
		require.NoError(t, err)
		requireConsistent(t, e)
		auth, want := z.VerifyAccess(t.Context(), confined.String(), attempt.Request)
		if want == nil && attempt.Operation != 0 {
			api := cmp.Or(attempt.API, attempt.Service.Type, caveat.OzWorker)
			want = auth.Authorize(api, attempt.Operation, attempt.Resource)
		}
		if want == nil && attempt.Access != 0 {
			want = auth.CheckFile(attempt.File, attempt.Access)
		}
		require.Equal(t, toJSON(t, want), toJSON(t, e.Err))
		toJSON(t, e)
	})
}
