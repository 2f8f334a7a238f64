package macaroon

import (
	"context"
	"fmt"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// onezone is the service that a request is taken to come to when it does not
// say: this one.
var onezone = caveat.Service{Type: caveat.OzWorker, ID: caveat.OnezoneID}

// VerifyAccess decides whether the token authorises its bearer. What the
// request leaves out is completed: the time, Onezone's worker as the service,
// and the groups, geo database and vocabulary of the authority. An address,
// interface or consumer that is left out is unknown, and the zero Session is a
// client without one: it cannot use tokens that are bound to a session.
//
// The checks, and the error of the first that fails:
//
//  1. type: notAnAccessToken {received};
//  2. key: tokenInvalid without a record or for a generation to come,
//     tokenRevoked for a past generation;
//  3. signature: tokenInvalid. Nothing that the token says is looked at before;
//  4. record: tokenRevoked, tokenSubjectInvalid for the subject of another record;
//  5. caveats in order: tokenCaveatUnknown {caveat}, tokenCaveatUnverified {caveat};
//  6. session of the request: tokenSessionInvalid;
//  7. subject: userBlocked, or tokenSubjectInvalid where there is none;
//  8. session of the subject: tokenSessionInvalid;
//  9. service: tokenServiceForbidden {service} where the subject may not use it.
//
// What the environment did (a store that is down, a context that is done) is
// none of these.
//
// The status of these errors is 400, for a token that is the subject of a request.
// Where it authenticates the request, the answer is [errors.Unauthorized] around
// the error, which is 401; package rest does that.
func (a *Authority) VerifyAccess(ctx context.Context, t Token, req caveat.Request) (auth Auth, err error) {
	req.ProveIdentity = false
	if t.Type().Kind() != Access {
		return Auth{}, a.refuse(ctx, &t, errors.NotAnAccessToken(t.received()))
	}
	err = a.conclude(ctx, &t, &req, &auth)
	return auth, err
}

// VerifyIdentity decides whether the token proves the identity of its subject:
// an identity token, or the access token of a Oneprovider that is bound to no
// session. The checks are those of VerifyAccess, with the caveats that support
// identity tokens; a user's access token that passes them all is
// notAnIdentityToken {received}, every other type is so at once. The service and
// session of the request do not count.
func (a *Authority) VerifyIdentity(ctx context.Context, t Token, req caveat.Request) (auth Auth, err error) {
	err = a.identify(ctx, &t, &req, &auth, false)
	return auth, err
}

// identify is VerifyIdentity, where asService is set for a Oneprovider only.
func (a *Authority) identify(ctx context.Context, t *Token, req *caveat.Request, auth *Auth, asService bool) error {
	req.ProveIdentity = true
	// An identity is proved to Onezone, whatever the service and session.
	req.Service, req.Session = onezone, caveat.AnySession()
	typ := t.Type()
	if typ.Kind() != Identity && typ != AccessToken() {
		return a.refuse(ctx, t, errors.NotAnIdentityToken(t.received()))
	}
	refused, err := a.accept(ctx, t, req, auth)
	if err == nil && refused == nil && auth.Subject.Type != caveat.SubjectProvider {
		switch {
		case typ == AccessToken():
			refused = &refusal{err: errors.NotAnIdentityToken(t.received())}
		case asService:
			refused = &refusal{err: errors.TokenInvalid()}
		}
	}
	return a.report(ctx, t, auth, refused, err)
}

// VerifyInvite decides whether the token is an invitation of the expected type,
// zero standing for any, that is good in itself: neither the inviter's rights
// nor the usage limit are looked at (see [Authority.Consume]). The checks are
// those of VerifyAccess; the error of the first is notAnInviteToken
// {expectedInviteType, received}.
func (a *Authority) VerifyInvite(ctx context.Context, t Token, expected InviteType, req caveat.Request) (auth Auth, err error) {
	req.ProveIdentity = false
	invite, _ := t.Type().Invitation()
	if t.Type().Kind() != Invite || expected != 0 && invite != expected {
		return Auth{}, a.refuse(ctx, &t, errors.NotAnInviteToken(expected.String(), t.received()))
	}
	err = a.conclude(ctx, &t, &req, &auth)
	return auth, err
}

// received is the type of the token as an error shows it; nil for the zero
// Token, which has none.
func (t Token) received() any {
	if t.IsZero() {
		return nil
	}
	return t.Type()
}

func (a *Authority) conclude(ctx context.Context, t *Token, req *caveat.Request, auth *Auth) error {
	refused, err := a.accept(ctx, t, req, auth)
	return a.report(ctx, t, auth, refused, err)
}

func (a *Authority) refuse(ctx context.Context, t *Token, err error) error {
	return a.report(ctx, t, &Auth{}, &refusal{err: err}, nil)
}

// report tells the observer how a verification ended, and the caller, to whom
// nothing is proved but by success. err is the environment's, which is no outcome.
func (a *Authority) report(ctx context.Context, t *Token, auth *Auth, r *refusal, err error) error {
	event := Event{Kind: Verified, TokenID: t.ID(), Type: t.Type(), Subject: auth.Subject}
	switch {
	case err != nil:
		*auth = Auth{}
		return err
	case r != nil:
		*auth = Auth{}
		event.Kind, event.Subject, event.Err = Refused, t.Subject(), r.err
		if r.caveat != nil {
			event.CaveatIndex, event.CaveatType = r.index, r.caveat.Type()
		}
	}
	a.observe(ctx, event)
	return r.orNil()
}

// accept runs checks 2 to 9, and fills in auth; it is good only when all pass. err
// is the environment's.
func (a *Authority) accept(ctx context.Context, t *Token, req *caveat.Request, auth *Auth) (refused *refusal, err error) {
	key, refused, err := a.authenticate(ctx, t)
	if refused != nil || err != nil {
		return refused, err
	}
	a.complete(req)
	if refused = t.check(ctx, req, auth); refused != nil {
		return refused, nil
	}
	auth.Subject = key.Subject // the token's own, and that of a version 1 token, which does not tell
	err = a.checkHolder(ctx, auth.Subject, auth.Type, key.Holder, req.Service)
	if e, ok := err.(*errors.Error); ok {
		return &refusal{err: e}, nil
	}
	return nil, err
}

// authenticate finds the key and checks the signature with it, and then what
// the record says about the token.
func (a *Authority) authenticate(ctx context.Context, t *Token) (store.Key, *refusal, error) {
	key, refused, err := a.key(ctx, t)
	if refused != nil || err != nil {
		return store.Key{}, refused, err
	}
	var links []signature
	var passed func(signature)
	if len(key.RevokedTails) > 0 {
		passed = func(link signature) { links = append(links, link) }
	}
	switch {
	case !t.chain(key.Secret, passed):
		return store.Key{}, &refusal{err: errors.TokenInvalid()}, nil
	case key.Revoked, anyOf(key.RevokedTails, links):
		return store.Key{}, &refusal{err: errors.TokenRevoked()}, nil
	case t.Version() != 1 && t.Subject() != key.Subject:
		return store.Key{}, &refusal{err: errors.TokenSubjectInvalid()}, nil
	}
	return key, nil, nil
}

// anyOf reports whether one of the links is that of a revoked copy. Forged
// tokens do not get here: they cost no comparisons.
func anyOf(revoked []store.Tail, links []signature) bool {
	return slices.ContainsFunc(links, func(link signature) bool {
		return slices.Contains(revoked, store.TailOf(link[:]))
	})
}

// key looks up what the token must be signed with.
func (a *Authority) key(ctx context.Context, t *Token) (key store.Key, refused *refusal, err error) {
	temporary := t.Generation() > 0
	if temporary {
		key, err = a.store.TemporaryKey(ctx, t.Subject())
	} else {
		key, err = a.store.NamedKey(ctx, t.ID())
	}
	switch {
	case errors.Is(err, errors.IDNotFound):
		return store.Key{}, &refusal{err: errors.TokenInvalid()}, nil
	case err != nil:
		return store.Key{}, nil, fmt.Errorf("looking up the key of a token: %w", err)
	case temporary && t.Generation() < key.Generation:
		return store.Key{}, &refusal{err: errors.TokenRevoked()}, nil
	case temporary && t.Generation() > key.Generation:
		return store.Key{}, &refusal{err: errors.TokenInvalid()}, nil
	}
	return key, nil, nil
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
