package macaroontest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
	golden "github.com/onezone-go/onezone/testdata/vectors"
)

// TestVerifier is the conformance suite of [macaroon.Verifier]. A verifier
// conforms if it passes:
//
//	func TestConformance(t *testing.T) {
//		macaroontest.TestVerifier(t, func(t *testing.T, onezone *macaroontest.Remote) macaroon.Verifier {
//			return onezone.Authority
//		})
//	}
//
// open must return a new verifier of the Onezone's tokens, with the clock of the
// Onezone. It should release resources in t.Cleanup. The suite calls open for
// each check, with a new Onezone. A verifier may ask the Onezone in the process
// or over HTTP; one that limits how often it asks must allow any rate.
//
// The suite runs hand-written checks and those conformance vectors of the
// original Onezone that the verify routes of the API can express, and logs how
// many these are. Its rules:
//
//   - Verdicts are those of [macaroon.Authority]: the same Auth, or the same
//     error of the catalogue with the same details. If a token has expired or
//     has an unknown caveat, that may be reported before any other fault.
//   - A verifier may use an answer again for a minute of the Onezone's clock,
//     for the same token and a request that differs in nothing that matters.
//   - An answer that is not a verdict on the token, or no answer, is an
//     operational error.
//   - No error contains the text of a token.
func TestVerifier(t *testing.T, open func(t *testing.T, onezone *Remote) macaroon.Verifier) {
	for _, area := range verifierAreas() {
		t.Run(area.name, func(t *testing.T) {
			for _, c := range area.checks {
				t.Run(c.name, func(t *testing.T) { c.run(newTrial(t, open)) })
			}
		})
	}
}

// verifierArea is a group of checks.
type verifierArea struct {
	name   string
	checks []verifierCheck
}

func verifierAreas() []verifierArea {
	return []verifierArea{
		{"Access", accessChecks},
		{"Caveats", caveatChecks},
		{"Identity", identityChecks},
		{"Invite", inviteChecks},
		{"Parties", partyChecks},
		{"Sessions", sessionChecks},
		{"Changes", changeChecks},
		{"Requests", requestChecks},
		{"Outages", outageChecks},
		{"Vectors", vectorChecks},
	}
}

// verifierCheck is one subtest, named after the rule that it checks.
type verifierCheck struct {
	name string
	run  func(tr *trial)
}

// trial is an Onezone and the verifier under test.
type trial struct {
	*testing.T
	*Remote
	verifier macaroon.Verifier
	lookups  *lookups

	another func(options ...macaroon.Option) *trial // a trial with another Onezone
}

// newTrial returns a trial with a new Onezone.
func newTrial(t *testing.T, open func(t *testing.T, onezone *Remote) macaroon.Verifier, options ...macaroon.Option) *trial {
	t.Helper()
	data, err := golden.Files.ReadFile("geo.json")
	require.NoError(t, err)
	geo, err := golden.ParseGeo(data)
	require.NoError(t, err)
	w := &lookups{ended: make(map[string]bool)}
	o := NewRemote(t, WithAuthority(append([]macaroon.Option{
		macaroon.WithSessions(w), macaroon.WithMemberships(Everybody{}), macaroon.WithGroups(w), macaroon.WithGeo(geo),
	}, options...)...))
	v := open(t, o)
	require.NotNil(t, v, "open returned no verifier")
	return &trial{
		T: t, Remote: o, verifier: v, lookups: w,
		another: func(options ...macaroon.Option) *trial { return newTrial(t, open, options...) },
	}
}

// lookups are what the authority looks up outside of its store: the sessions,
// each of which belongs to every user, and the members of groups.
type lookups struct {
	mu       sync.Mutex
	ended    map[string]bool
	minted   int // tokens
	noGroups atomic.Bool
}

// BelongsTo reports whether the session has not ended.
func (l *lookups) BelongsTo(_ context.Context, session string, _ caveat.Subject) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.ended[session], nil
}

func (l *lookups) end(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended[session] = true
}

// IsMember reports whether the consumer is the user u1 and the group is g1 or
// any.
func (l *lookups) IsMember(_ context.Context, consumer caveat.Subject, group string) (bool, error) {
	return !l.noGroups.Load() && consumer == caveat.User("u1") && (group == "g1" || group == "*"), nil
}

// settle moves the clock until every verifier has forgotten its answers.
func (tr *trial) settle() { tr.Clock.Advance(time.Minute) }

// presented is a token that is verified for a request.
type presented struct {
	text   string
	class  macaroon.Class // zero: access
	invite macaroon.InviteType
	req    caveat.Request
}

// verify asks the verifier.
func (tr *trial) verify(ctx context.Context, p presented) (macaroon.Auth, error) {
	tr.Helper()
	switch p.class {
	case macaroon.Identity:
		return tr.verifier.VerifyIdentity(ctx, p.text, p.req)
	case macaroon.Invite:
		return tr.verifier.VerifyInvite(ctx, p.text, p.invite, p.req)
	}
	return tr.verifier.VerifyAccess(ctx, p.text, p.req)
}

// accept requires that the token is accepted, and returns what it proves.
func (tr *trial) accept(p presented, why ...any) macaroon.Auth {
	tr.Helper()
	auth, err := tr.verify(tr.Context(), p)
	if err != nil {
		require.NoError(tr, err, why...)
	}
	return auth
}

// acceptAs requires that the token is accepted and proves the subject.
func (tr *trial) acceptAs(subject caveat.Subject, p presented, why ...any) macaroon.Auth {
	tr.Helper()
	auth := tr.accept(p, why...)
	require.Equal(tr, subject, auth.Subject, why...)
	return auth
}

// refuse requires that the token is refused with an error of the catalogue that
// has the id, and returns the error.
func (tr *trial) refuse(id errors.ID, p presented, why ...any) *errors.Error {
	tr.Helper()
	auth, err := tr.verify(tr.Context(), p)
	require.Error(tr, err, append([]any{"it must be refused: "}, why...)...)
	e, ok := err.(*errors.Error)
	if !ok {
		require.FailNow(tr, "the error of a refused token must be an *errors.Error", "%T: %v %v", err, err, why)
	}
	require.Equal(tr, id, e.ID, why...)
	require.Equal(tr, http.StatusBadRequest, e.HTTPStatus(), why...)
	require.Equal(tr, macaroon.Auth{}, auth, "a refused token proves nothing")
	tr.requireNoSecrets(err, p)
	return e
}

// requireNoSecrets requires that an error does not contain the texts of tokens.
func (tr *trial) requireNoSecrets(err error, p presented) {
	tr.Helper()
	shown := err.Error()
	if raw, failed := json.Marshal(err); failed == nil {
		shown += string(raw)
	}
	for _, text := range []string{p.text, string(p.req.ServiceToken), string(p.req.ConsumerToken)} {
		if len(text) > 16 && strings.Contains(shown, text) {
			require.FailNow(tr, "the error contains the text of a token")
		}
	}
}

// requireOperational requires that the error is operational: the middleware answers
// 5xx, and not that the token is bad.
func (tr *trial) requireOperational(err error, p presented, why ...any) {
	tr.Helper()
	_, verdict := err.(*errors.Error)
	require.False(tr, verdict, append([]any{"an operational error must not be an *errors.Error: "}, why...)...)
	tr.requireNoSecrets(err, p)
	handler := rest.Authenticate(erring{err}, rest.WithLogger(discard))(http.NotFoundHandler())
	res := Request(tr, handler, http.MethodGet, "/", nil, BearerText(p.text))
	require.GreaterOrEqual(tr, res.Status, http.StatusInternalServerError, why...)
}

// erring is a verifier whose verifications fail.
type erring struct{ err error }

// VerifyAccess fails.
func (e erring) VerifyAccess(context.Context, string, caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, e.err
}

// VerifyIdentity fails.
func (e erring) VerifyIdentity(context.Context, string, caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, e.err
}

// VerifyInvite fails.
func (e erring) VerifyInvite(context.Context, string, macaroon.InviteType, caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, e.err
}
