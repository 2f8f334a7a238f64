package macaroon

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// VerifyAccess decides whether the token with this text authorizes its bearer.
// What the request leaves out is completed: the time, Onezone's worker as the
// service, and the groups, geo database and vocabulary of the authority. An
// address, interface or consumer that is left out is unknown, and the zero
// Session is a client without one: it cannot use tokens that are bound to a
// session.
//
// The checks, and the error of the first that fails:
//
//  1. text: tokenTooLarge {limit}, badToken ([Limits.Parse]);
//  2. type: notAnAccessToken {received};
//  3. key: tokenInvalid without a record or for a generation to come,
//     tokenRevoked for a past generation;
//  4. signature: tokenInvalid. Nothing that the token says is looked at before;
//  5. record: tokenRevoked, tokenSubjectInvalid for the subject of another record;
//  6. caveats in order: tokenCaveatUnknown {caveat}, tokenCaveatUnverified {caveat};
//  7. session of the request: tokenSessionInvalid;
//  8. subject: userBlocked, or tokenSubjectInvalid where there is none;
//  9. session of the subject: tokenSessionInvalid;
//  10. service: tokenServiceForbidden {service} where the subject may not use it.
//
// Operational errors (a store that is down, a context that is done) are none of
// these.
//
// The status of these errors is 400, for a token that is the subject of a request.
// Where it authenticates the request, the answer is [errors.Unauthorized] around
// the error, which is 401; package rest does that.
func (a *Authority) VerifyAccess(ctx context.Context, text string, req caveat.Request) (Auth, error) {
	req.ProveIdentity = false
	return a.verify(ctx, text, &req, purpose{class: Access})
}

// VerifyIdentity decides whether the token proves the identity of its subject:
// an identity token, or the access token of a Oneprovider that is bound to no
// session. The checks are those of VerifyAccess, with the caveats that support
// identity tokens; a user's access token that passes them all is
// notAnIdentityToken {received}, every other type is so at once. The service and
// session of the request do not count.
func (a *Authority) VerifyIdentity(ctx context.Context, text string, req caveat.Request) (Auth, error) {
	return a.identify(ctx, text, req, purpose{class: Identity})
}

// identify is VerifyIdentity for a purpose of the kind Identity.
func (a *Authority) identify(ctx context.Context, text string, req caveat.Request, p purpose) (Auth, error) {
	req.ProveIdentity = true
	// An identity is proved to Onezone, whatever the service and session.
	req.Service, req.Session = onezone, caveat.AnySession()
	return a.verify(ctx, text, &req, p)
}

// VerifyInvite decides whether the token is an invitation of the expected type,
// zero standing for any, that is good in itself: neither the inviter's rights
// nor the usage limit are looked at (see [Authority.Consume]). The checks are
// those of VerifyAccess; the error of the second is notAnInviteToken
// {expectedInviteType, received}.
func (a *Authority) VerifyInvite(ctx context.Context, text string, expected InviteType, req caveat.Request) (Auth, error) {
	req.ProveIdentity = false
	return a.verify(ctx, text, &req, purpose{class: Invite, invite: expected})
}

// onezone is the service that a request is taken to come to when it does not
// say: this one.
var onezone = caveat.Service{Type: caveat.OzWorker, ID: caveat.OnezoneID}

// purpose is what a token is verified for.
type purpose struct {
	class     Class
	invite    InviteType // of an invite token; zero: any
	asService bool       // of an identity: a Oneprovider's only
}

// admits returns the error of a token whose type does not serve the purpose.
func (p purpose) admits(t *Token) error {
	typ := t.Type()
	switch {
	case p.class == Access && typ.Class() != Access:
		return errors.NotAnAccessToken(t.received())
	case p.class == Identity && typ.Class() != Identity && typ != AccessToken():
		return errors.NotAnIdentityToken(t.received())
	case p.class == Invite && (typ.Class() != Invite || p.invite != 0 && typ.invite != p.invite):
		return errors.NotAnInviteToken(p.invite.String(), t.received())
	}
	return nil
}

// proved returns the error of a good token that does not prove what it should.
func (p purpose) proved(t *Token, subject caveat.Subject) error {
	switch {
	case p.class != Identity || subject.Type == caveat.SubjectProvider:
		return nil
	case t.Type() == AccessToken():
		return errors.NotAnIdentityToken(t.received())
	case p.asService:
		return errors.TokenInvalid()
	}
	return nil
}

// received is the type of the token as an error shows it.
func (t *Token) received() any { return t.Type() }

// verify takes a token from text to Auth, and reports the outcome to the
// observer.
func (a *Authority) verify(ctx context.Context, text string, req *caveat.Request, p purpose) (Auth, error) {
	c, err := a.decode(text)
	if err != nil {
		return Auth{}, a.report(ctx, &Token{}, caveat.Subject{}, err)
	}
	var auth Auth
	if err = p.admits(c.token); err == nil {
		auth, err = a.decide(ctx, &c, req)
	}
	if err == nil {
		err = p.proved(c.token, auth.Subject)
	}
	if err = a.report(ctx, c.token, auth.Subject, err); err != nil {
		return Auth{}, err
	}
	return auth, nil
}

// decide runs the checks from the key on. A refusal is an [errors.Error] or a
// [refusedCaveat]; every other error is operational.
func (a *Authority) decide(ctx context.Context, c *candidate, req *caveat.Request) (Auth, error) {
	key, err := a.authenticate(ctx, c)
	if err != nil {
		return Auth{}, err
	}
	a.complete(req)
	a.parseCaveats(c, req)
	if err := c.check(ctx, req); err != nil {
		return Auth{}, err
	}
	auth := c.auth(req)
	auth.Subject = key.Subject // the token's own, and that of a version 1 token, which names none
	return auth, a.checkHolder(ctx, auth.Subject, auth.Type, key.Holder, req.Service)
}

// report passes the outcome of a verification to the observer and returns the
// error for the caller. An operational error is no outcome.
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
	case *errors.Error:
	default:
		return err
	}
	event.Kind, event.Subject, event.Err = Refused, t.Subject(), err
	a.observe(ctx, event)
	return err
}

// complete fills in what the request leaves to the authority.
func (a *Authority) complete(req *caveat.Request) {
	if req.Now.IsZero() {
		req.Now = a.clock()
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

// parseCaveats parses the caveats in the vocabulary of the request, where that
// is another than the one in which they are known.
func (a *Authority) parseCaveats(c *candidate, req *caveat.Request) {
	switch {
	case c.recognized != nil && req.Vocabulary == c.recognized.caveats.Vocabulary():
		c.caveats = c.recognized.caveats
	case c.caveats.Len() != len(c.token.caveats) || c.caveats.Vocabulary() != req.Vocabulary:
		c.caveats = req.Vocabulary.ParseList(c.token.caveats)
	}
}

// check decides the caveats and the session of the request.
func (c *candidate) check(ctx context.Context, req *caveat.Request) error {
	typ := c.token.Type()
	if i, err := c.caveats.Check(ctx, typ.use(req.ProveIdentity), req); err != nil {
		return &refusedCaveat{err, i, c.caveats.TypeOf(i)}
	}
	if typ.Class() == Access && !req.Session.Accepts(typ.Session()) {
		return errors.TokenSessionInvalid()
	}
	return nil
}

// refusedCaveat is the error of a token that is refused because of a caveat.
type refusedCaveat struct {
	err   error
	index int // of the caveat in the token
	typ   caveat.Type
}

func (r *refusedCaveat) Error() string { return r.err.Error() }
func (r *refusedCaveat) Unwrap() error { return r.err }

// auth is what the token proves in the request when all checks have passed.
func (c *candidate) auth(req *caveat.Request) Auth {
	typ := c.token.Type()
	auth := Auth{
		TokenID: c.token.ID(), Type: typ, Subject: c.token.Subject(), PeerIP: req.IP, Session: typ.Session(),
		verified: true, temporary: c.token.Generation() > 0, caveats: c.caveats,
	}
	if auth.Subject.Type == caveat.SubjectProvider {
		auth.Service = c.token.indicated
	}
	return auth
}

// use tells what a token of the type is used for.
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
