package macaroon

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// Verifier verifies tokens, given by their texts. An [Authority] verifies the
// tokens of its own Onezone, and the client of package remote those of an
// Onezone that somebody else runs. Both return the errors of
// [Authority.VerifyAccess] and its siblings for tokens that they refuse. All
// other errors are operational and say nothing about the token. If one of their
// chain has a method RetryAfter() time.Duration, package rest passes the time on
// to its client.
type Verifier interface {
	VerifyAccess(ctx context.Context, text string, req caveat.Request) (Auth, error)
	VerifyIdentity(ctx context.Context, text string, req caveat.Request) (Auth, error)
	VerifyInvite(ctx context.Context, text string, expected InviteType, req caveat.Request) (Auth, error)
}

var _ Verifier = (*Authority)(nil)

// VerifyAccess verifies that the token with this text authorizes its bearer.
// Zero fields of the request have defaults: the current time, Onezone's worker
// as the service, and the groups, geo database and vocabulary of the authority.
// A zero address, interface or consumer means unknown. The zero Session means
// that the client has none; it cannot use tokens that are bound to a session.
//
// VerifyAccess makes these checks in order and returns the first error:
//
//  1. text: tokenTooLarge {limit}, badToken (see [Limits.Parse]); then the
//     service and consumer tokens of the request, if there are any:
//     badServiceToken {tokenError}, badConsumerToken {tokenError};
//  2. type: notAnAccessToken {received};
//  3. key: tokenInvalid without a record or for a future generation,
//     tokenRevoked for a past generation;
//  4. signature: tokenInvalid, also for the discharges of third-party caveats
//     ([WithDischarges]); limitReached for too many of them. No other content of
//     the token is used before;
//  5. record: tokenRevoked, tokenSubjectInvalid if it has another subject;
//  6. caveats of the token in order, with those of its discharges, then those that its owner added
//     ([Authority.Tighten]): tokenCaveatUnknown {caveat}, tokenCaveatUnverified
//     {caveat};
//  7. session of the request: tokenSessionInvalid;
//  8. subject: userBlocked, tokenSubjectInvalid if it does not exist;
//  9. session of the subject: tokenSessionInvalid;
//  10. service: tokenServiceForbidden {service} if the subject may not use it.
//
// All other errors are operational, such as an unavailable store or a canceled
// context.
//
// The HTTP status of these errors is 400, for a token that is the subject of a
// request. If the token authenticates the request, wrap the error in
// [errors.Unauthorized], whose status is 401, as package rest does.
func (a *Authority) VerifyAccess(ctx context.Context, text string, req caveat.Request) (Auth, error) {
	p := purpose{class: Access}
	p.adapt(&req)
	return a.verify(ctx, text, &req, p)
}

// VerifyIdentity verifies that the token proves the identity of its subject. It
// accepts identity tokens, and access tokens of a Oneprovider that are not
// bound to a session. The checks are those of VerifyAccess, with only the
// caveats that identity tokens support. Other tokens are rejected with
// notAnIdentityToken {received}: a user's access token after all checks, all
// others before the key is looked up. The service, service token and session in
// the request are ignored.
func (a *Authority) VerifyIdentity(ctx context.Context, text string, req caveat.Request) (Auth, error) {
	return a.identify(ctx, text, req, purpose{class: Identity})
}

// identify is VerifyIdentity for a purpose of the class Identity.
func (a *Authority) identify(ctx context.Context, text string, req caveat.Request, p purpose) (Auth, error) {
	p.adapt(&req)
	return a.verify(ctx, text, &req, p)
}

// VerifyInvite verifies that the token is an invitation of the expected type;
// zero means any. It does not check the inviter's rights and the usage limit;
// [Authority.Consume] does. The checks are those of VerifyAccess, except that
// the error of the second is notAnInviteToken {expectedInviteType, received}.
func (a *Authority) VerifyInvite(ctx context.Context, text string, expected InviteType, req caveat.Request) (Auth, error) {
	p := purpose{class: Invite, invite: expected}
	p.adapt(&req)
	return a.verify(ctx, text, &req, p)
}

// onezone is the default service of a request: the worker of this Onezone.
var onezone = caveat.Service{Type: caveat.OzWorker, ID: caveat.OnezoneID}

// purpose is the use for which a token is verified.
type purpose struct {
	class     Class
	invite    InviteType // expected invite type; zero: any
	asService bool       // for class Identity: accept only Oneproviders
}

// adapt sets the fields of the request that the class of the purpose decides.
func (p purpose) adapt(req *caveat.Request) {
	if req.ProveIdentity = p.class == Identity; req.ProveIdentity {
		// An identity is proved to Onezone, regardless of service and session.
		req.Service, req.ServiceToken, req.Session = onezone, "", caveat.AnySession()
	}
}

// checkType returns an error if the type of the token does not fit the purpose.
func (p purpose) checkType(t *Token) error {
	typ := t.Type()
	switch {
	case p.class == Access && typ.Class() != Access:
		return errors.NotAnAccessToken(t.Type())
	case p.class == Identity && typ.Class() != Identity && typ != AccessToken():
		return errors.NotAnIdentityToken(t.Type())
	case p.class == Invite && (typ.Class() != Invite || p.invite != 0 && typ.invite != p.invite):
		return errors.NotAnInviteToken(p.invite.String(), t.Type())
	}
	return nil
}

// checkSubject returns an error if the verified subject does not fit the
// purpose.
func (p purpose) checkSubject(t *Token, subject caveat.Subject) error {
	switch {
	case p.class != Identity || subject.Type == caveat.SubjectProvider:
		return nil
	case t.Type() == AccessToken():
		return errors.NotAnIdentityToken(t.Type())
	case p.asService:
		return errors.TokenInvalid()
	}
	return nil
}

// verify parses and verifies the text of a token, and reports the outcome to
// the observer.
func (a *Authority) verify(ctx context.Context, text string, req *caveat.Request, p purpose) (Auth, error) {
	c, err := a.decode(text)
	if err != nil {
		return Auth{}, a.report(ctx, &Token{}, caveat.Subject{}, err)
	}
	if req.ServiceToken != "" || req.ConsumerToken != "" {
		if err := a.verifyParties(ctx, req); err != nil {
			return Auth{}, err
		}
	}
	var auth Auth
	if err = p.checkType(c.token); err == nil {
		auth, err = a.checkAll(ctx, &c, req)
	}
	if err == nil {
		err = p.checkSubject(c.token, auth.Subject)
	}
	if err == nil {
		a.uses.record(&c, req)
	}
	if err = a.report(ctx, c.token, auth.Subject, err); err != nil {
		return Auth{}, err
	}
	return auth, nil
}

// checkAll makes the checks of VerifyAccess from the third on. A rejection is
// an [errors.Error] or a [refusedCaveat]; all other errors are operational.
func (a *Authority) checkAll(ctx context.Context, c *candidate, req *caveat.Request) (Auth, error) {
	if err := a.authenticate(ctx, c, req); err != nil {
		return Auth{}, err
	}
	a.setDefaults(req)
	a.parseCaveats(c, req)
	if err := c.check(ctx, req); err != nil {
		return Auth{}, err
	}
	auth := c.auth(req)
	auth.Subject = c.key.Subject // equal to the token's, except that version 1 tokens contain none
	return auth, a.checkHolder(ctx, auth.Subject, auth.Type, c.key.Holder, req.Service)
}

// report passes the outcome of a verification to the observer and returns the
// error for the caller. Operational errors are not reported.
func (a *Authority) report(ctx context.Context, t *Token, subject caveat.Subject, err error) error {
	if err == nil && a.observer == nil {
		return nil
	}
	event := Event{Kind: Verified, TokenID: t.ID(), Type: t.Type(), Subject: subject}
	switch e := err.(type) {
	case nil:
		a.observe(ctx, event)
		return nil
	case *refusedCaveat:
		event.CaveatIndex, event.CaveatType, err = e.index, e.typ, e.err
	case *baitUse:
		event.Kind, event.Subject, event.Err = a.useBait(ctx, t, e), e.subject, errors.TokenRevoked()
		a.observe(ctx, event)
		return event.Err
	case *errors.Error:
	default:
		return err
	}
	event.Kind, event.Subject, event.Err = Refused, t.Subject(), err
	a.observe(ctx, event)
	return err
}

// setDefaults sets zero fields of the request to the authority's defaults.
func (a *Authority) setDefaults(req *caveat.Request) {
	if req.Now.IsZero() {
		req.Now = a.clock()
	}
	if req.Leeway == 0 {
		req.Leeway = a.leeway
	}
	if req.Service.IsZero() {
		req.Service = onezone
	}
	if req.Groups == nil {
		req.Groups = a.groups
	}
	if req.Groups != nil {
		req.Groups = &boundedGroups{req.Groups, maxGroups}
	}
	if req.Geo == nil {
		req.Geo = a.geo
	}
	if req.Vocabulary == nil {
		req.Vocabulary = a.confiner.vocabulary
	}
}

// parseCaveats parses the caveats in the vocabulary of the request, unless they
// were already parsed in it. It adds those that the owner added to the record.
func (a *Authority) parseCaveats(c *candidate, req *caveat.Request) {
	switch {
	case c.recognized != nil && req.Vocabulary == c.recognized.caveats.Vocabulary():
		c.caveats = c.recognized.caveats
	case c.caveats.Len() != len(c.texts()) || c.caveats.Vocabulary() != req.Vocabulary:
		c.caveats = req.Vocabulary.ParseList(c.texts())
	}
	if len(c.key.Tightened) > 0 {
		c.caveats = c.caveats.With(additions(c.key.Tightened))
	}
}

// check checks the caveats and the session of the request.
func (c *candidate) check(ctx context.Context, req *caveat.Request) error {
	typ := c.token.Type()
	if i, err := c.caveats.Check(ctx, typ.use(req.ProveIdentity), req); err != nil {
		return &refusedCaveat{err, i, c.caveats.TypeOf(i)}
	}
	return typ.checkSession(req)
}

// checkSession returns an error if an access token of the type is bound to
// another session than that of the request.
func (t Type) checkSession(req *caveat.Request) error {
	if t.class == Access && !req.Session.Accepts(t.Session()) {
		return errors.TokenSessionInvalid()
	}
	return nil
}

// refusedCaveat is the error of a token that is rejected because of a caveat.
type refusedCaveat struct {
	err   error
	index int // of the caveat in the token, with those that its owner added
	typ   caveat.Type
}

func (r *refusedCaveat) Error() string { return r.err.Error() }
func (r *refusedCaveat) Unwrap() error { return r.err }

// auth returns what the token proves, after all checks have passed.
func (c *candidate) auth(req *caveat.Request) Auth {
	typ := c.token.Type()
	auth := Auth{
		TokenID: c.token.ID(), Type: typ, Subject: c.token.Subject(), PeerIP: req.IP, Session: typ.Session(),
		verified: true, temporary: c.token.Generation() > 0, discharged: c.conditions != nil, caveats: c.caveats,
	}
	if auth.Subject.Type == caveat.SubjectProvider {
		auth.Service = c.token.indicated
	}
	return auth
}

// use returns the use of a token of the type, which selects its caveats.
func (t Type) use(proveIdentity bool) caveat.Use {
	switch {
	case t.class == Access && proveIdentity:
		return caveat.UseAccessAsIdentity
	case t.class == Access:
		return caveat.UseAccess
	case t.class == Identity:
		return caveat.UseIdentity
	}
	return caveat.UseInvite
}
