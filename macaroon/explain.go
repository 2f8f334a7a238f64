package macaroon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Trial is the use of a token that [Authority.Explain] tries.
type Trial struct {
	caveat.Attempt
	// Class is what the token is used for; zero: what its type is for, or
	// Identity if ProveIdentity is set.
	Class  Class
	Invite InviteType // the expected type of an invite token; zero: any
	// Horizon is how far ahead of the request to look for changes; zero:
	// [caveat.DefaultHorizon].
	Horizon time.Duration
}

// purpose returns what a token of the type is used for.
func (t Trial) purpose(typ Type) purpose {
	p := purpose{class: t.Class, invite: t.Invite}
	switch {
	case p.class != 0:
	case t.ProveIdentity:
		p.class = Identity
	default:
		p.class = typ.Class()
	}
	return p
}

// Explanation says what a verification of a token does, and why. The texts in it
// are for people, and may change.
type Explanation struct {
	// Err is the error that the verification returns, or else that of the
	// operation or file; nil if the token is accepted.
	Err error
	// Subject is the subject of the token; zero unless its signature is right.
	Subject caveat.Subject
	// Checks are those of the verification, without the caveats, in order. They
	// end with the signature, or the discharges, if it is not right.
	Checks []Check
	// Caveats are those of the token, in order, and then those that its owner
	// added, if its signature is right.
	Caveats []ExplainedCaveat
	// Changes are the times at which the token begins or ceases to be accepted
	// for the same request.
	Changes []caveat.Change
}

// Accepted reports whether the verification accepts the token.
func (e Explanation) Accepted() bool { return e.Err == nil }

// Check is one check of a verification other than that of a caveat.
type Check struct {
	Step   Step
	Err    error  // nil if the token passes
	Reason string // a sentence
}

// ExplainedCaveat explains a caveat of a token.
type ExplainedCaveat struct {
	caveat.Finding
	// Added is when the owner added the caveat to the record of the token; zero
	// if the token itself carries it.
	Added time.Time
}

// Step names a check of a verification, as in JSON.
type Step string

// The steps of a verification, in order. The caveats are decided between
// StepRevocation and StepSession.
const (
	StepText       Step = "text"       // the text is that of a token
	StepParties    Step = "parties"    // the service and consumer tokens are valid
	StepType       Step = "type"       // the type fits what the token is used for
	StepSignature  Step = "signature"  // this Onezone issued the token
	StepDischarges Step = "discharges" // the discharges are those that the token needs
	StepRevocation Step = "revocation" // the token is not revoked
	StepSession    Step = "session"    // the session is that of the client and the subject
	StepSubject    Step = "subject"    // the subject exists and is not blocked
	StepService    Step = "service"    // the subject may use the service
)

// Explain says whether a verification would accept the token for the trial, and
// explains every check and every caveat. The token is accepted exactly if
// [Authority.VerifyAccess], or its sibling for the class of the trial, accepts
// it; otherwise Explanation.Err is the error that they return. If the trial has
// an operation or a file, the caveats also decide that.
//
// An explanation of a token whose signature is not right says nothing about its
// record and caveats. Applications should show explanations only to the subject
// of the token and to administrators.
//
// Explain reports no event about the token; it does about the service and
// consumer tokens of the trial, which it verifies. Its errors are those of
// [caveat.Attempt.Validate], and operational errors.
func (a *Authority) Explain(ctx context.Context, text string, t Trial) (Explanation, error) {
	if err := t.Validate(); err != nil {
		return Explanation{}, err
	}
	x := explainer{trial: t}
	c, err := a.decode(text)
	if x.check(StepText, err, "The text is that of a token."); err != nil {
		return x.end()
	}
	p := t.purpose(c.token.Type())
	req := &x.trial.Request
	p.adapt(req)
	if req.ServiceToken != "" || req.ConsumerToken != "" {
		err := a.verifyParties(ctx, req)
		if x.check(StepParties, err, "The service and consumer tokens are valid."); err != nil {
			return x.end()
		}
	}
	err = p.checkType(c.token)
	if x.check(StepType, err, "The type fits what the token is used for."); err != nil {
		return x.end()
	}
	revoked, err := a.explainKey(ctx, &c)
	if x.check(StepSignature, err, "This Onezone issued the token, and nobody changed it."); err != nil {
		return x.end()
	}
	err = a.verifyDischarges(&c, req.Discharges)
	if err != nil || c.conditions != nil {
		x.checkDischarges(err)
	}
	if err != nil {
		return x.end()
	}
	x.explanation.Subject = c.key.Subject
	a.setDefaults(req)
	a.parseCaveats(&c, req)
	return x.record(ctx, a, explained{c, p, revoked})
}

// explainKey looks up the key of the token, and reports whether the token or a
// copy that it derives from is revoked. The error is tokenInvalid for a wrong
// signature.
func (a *Authority) explainKey(ctx context.Context, c *candidate) (revoked bool, err error) {
	if c.key, err = a.key(ctx, c.token); err != nil {
		return false, err
	}
	genuine, ofRevokedCopy := c.token.genuine(&c.key)
	if !genuine {
		return false, errors.TokenInvalid()
	}
	// A canary is answered as revoked, and to explain it is not to use it.
	return c.key.Revoked || ofRevokedCopy || c.key.Bait != 0, nil
}

// Explain explains [Token.Verify] for the secret: the signature, the caveats and
// the session, and nothing that needs records. Only the attempt and the horizon
// of the trial are used. Errors: those of [caveat.Attempt.Validate], and the
// operational error [store.ErrSealed] for a sealed secret.
func (t Token) Explain(ctx context.Context, secret store.Secret, trial Trial) (Explanation, error) {
	if err := trial.Validate(); err != nil {
		return Explanation{}, err
	}
	if secret.IsSealed() {
		return Explanation{}, fmt.Errorf("explaining a token: %w", store.ErrSealed)
	}
	x := explainer{trial: trial}
	var wrong error
	if len(t.thirdParty) > 0 || !t.chain(secret, nil) {
		wrong = errors.TokenInvalid()
	}
	if x.check(StepSignature, wrong, "The secret signed the token, and nobody changed it."); wrong != nil {
		return x.end()
	}
	x.explanation.Subject = t.Subject()
	c := candidate{token: &t, caveats: trial.Vocabulary.ParseList(t.caveats)}
	if err := x.caveats(ctx, &c); err != nil {
		return Explanation{}, err
	}
	if typ := t.Type(); typ.Class() == Access {
		x.check(StepSession, typ.checkSession(&x.trial.Request), session(typ))
	}
	x.changes()
	x.fail(c.caveats.CheckAttempt(x.trial.Attempt))
	return x.end()
}

// explained is a token whose signature is right.
type explained struct {
	candidate
	purpose purpose
	revoked bool
}

// explainer collects an explanation.
type explainer struct {
	trial       Trial
	explanation Explanation
	operational error // ends the explanation
}

// check adds a check whose result is err. passed describes success.
func (x *explainer) check(step Step, err error, passed string) {
	if err != nil {
		passed = errors.From(err).Description
	}
	x.fail(err)
	x.explanation.Checks = append(x.explanation.Checks, Check{step, err, passed})
}

// checkDischarges adds the check of the discharges, whose result is err.
func (x *explainer) checkDischarges(err error) {
	x.check(StepDischarges, err, "Each third-party caveat has its discharge.")
	if errors.Is(err, errors.IDTokenInvalid) {
		x.explanation.Checks[len(x.explanation.Checks)-1].Reason =
			"The token needs other discharges than those of the request, or this Onezone does not accept discharges."
	}
}

// fail keeps the first error, as a verification returns it. An operational error
// after a refusal only leaves a check unexplained.
func (x *explainer) fail(err error) {
	if x.explanation.Err != nil || err == nil {
		return
	}
	x.explanation.Err = err
	if _, refused := err.(*errors.Error); !refused {
		x.operational = err
	}
}

// end returns the explanation, or the operational error that prevented it.
func (x *explainer) end() (Explanation, error) {
	if x.operational != nil {
		return Explanation{}, x.operational
	}
	return x.explanation, nil
}

// record explains everything that follows the signature.
func (x *explainer) record(ctx context.Context, a *Authority, e explained) (Explanation, error) {
	typ, req, subject := e.token.Type(), &x.trial.Request, e.key.Subject
	x.check(StepRevocation, e.checkRecord(e.revoked), "The token is not revoked, and its record is that of its subject.")
	if err := x.caveats(ctx, &e.candidate); err != nil {
		return Explanation{}, err
	}
	requested := typ.checkSession(req)
	x.fail(requested)
	x.check(StepSubject, a.checkActive(ctx, subject, e.key.Holder), fmt.Sprintf("The subject %s may hold tokens.", subject))
	if typ.Class() == Access {
		if requested == nil {
			requested = a.checkSession(ctx, subject, typ.Session())
		}
		x.check(StepSession, requested, session(typ))
		x.check(StepService, a.checkService(ctx, subject, req.Service), fmt.Sprintf("The subject may use the service %s.", req.Service))
	}
	if err := e.purpose.checkSubject(e.token, subject); err != nil {
		x.check(StepType, err, "")
	}
	// The remaining checks are made after the verification.
	x.changes()
	x.fail(e.caveats.CheckAttempt(x.trial.Attempt))
	return x.end()
}

// session describes the session of an access token.
func session(t Type) string {
	if t.Session() == "" {
		return "The token is not bound to a session."
	}
	return "The token is bound to the session of the client."
}

// caveats explains the caveats of the token.
func (x *explainer) caveats(ctx context.Context, c *candidate) error {
	use := c.token.Type().use(x.trial.ProveIdentity)
	findings, err := c.caveats.Explain(ctx, use, x.trial.Attempt, x.trial.Horizon)
	if err != nil {
		return err
	}
	additions := c.caveats.Additions()
	for i, f := range findings {
		if !f.Checked {
			x.fail(f.Err)
		}
		e := ExplainedCaveat{Finding: f}
		if n := i - len(findings) + len(additions); n >= 0 {
			e.Added = additions[n].Added
		}
		x.explanation.Caveats = append(x.explanation.Caveats, e)
	}
	return nil
}

// changes combines the changes of all caveats, if nothing else refuses the
// token.
func (x *explainer) changes() {
	e := &x.explanation
	if slices.ContainsFunc(e.Checks, func(c Check) bool { return c.Err != nil }) {
		return
	}
	type turn struct {
		caveat int
		caveat.Change
	}
	var turns []turn
	refusing := 0 // how many caveats do not hold
	for i, c := range e.Caveats {
		if c.Verdict != caveat.Holds {
			refusing++
		}
		for _, change := range c.Changes {
			turns = append(turns, turn{i, change})
		}
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return a.At.Compare(b.At) })
	accepted := refusing == 0
	for i, t := range turns {
		if refusing++; t.Holds {
			refusing -= 2
		}
		last := i+1 == len(turns) || !turns[i+1].At.Equal(t.At)
		if now := refusing == 0; last && now != accepted {
			accepted = now
			e.Changes = append(e.Changes, caveat.Change{At: t.At, Holds: now})
		}
	}
}
