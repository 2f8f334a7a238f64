package macaroon

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// verifyParties replaces the service and the consumer in the request by those
// that its tokens prove. A panel of a Oneprovider may use every session, because
// it acts for users outside of sessions.
func (a *Authority) verifyParties(ctx context.Context, req *caveat.Request) (err error) {
	if req.ServiceToken != "" {
		if req.Service, err = a.VerifyService(ctx, string(req.ServiceToken), *req); err != nil {
			return err
		}
		if req.Service.Type == caveat.OpPanel {
			req.Session = caveat.AnySession()
		}
	}
	if req.ConsumerToken != "" {
		req.Consumer, err = a.VerifyConsumer(ctx, string(req.ConsumerToken), *req)
	}
	return err
}

// VerifyService returns the service that a service token authenticates. That is
// the worker of the Oneprovider that the token identifies, or its panel if the
// text starts with "opp-". Only the address and interface in the request are
// used. The error is badServiceToken {tokenError}; tokenError is tokenInvalid
// for the token of a user.
func (a *Authority) VerifyService(ctx context.Context, text string, req caveat.Request) (caveat.Service, error) {
	auth, err := a.identify(ctx, text, partyRequest(req), purpose{class: Identity, asService: true})
	if err != nil {
		return caveat.Service{}, wrapRefusal(err, errors.BadServiceToken)
	}
	service := caveat.Service{Type: caveat.OpWorker, ID: auth.Subject.ID}
	if _, indicated, _ := cutIndication(text); indicated == caveat.OpPanel {
		service.Type = caveat.OpPanel
	}
	return service, nil
}

// VerifyConsumer returns the subject that a consumer token authenticates. Only
// the address and interface in the request are used. The error is
// badConsumerToken {tokenError}.
func (a *Authority) VerifyConsumer(ctx context.Context, text string, req caveat.Request) (caveat.Subject, error) {
	auth, err := a.VerifyIdentity(ctx, text, partyRequest(req))
	if err != nil {
		return caveat.Subject{}, wrapRefusal(err, errors.BadConsumerToken)
	}
	return auth.Subject, nil
}

// partyRequest returns the request for verifying service and consumer tokens.
// It omits the service and consumer, because these tokens determine them.
func partyRequest(req caveat.Request) caveat.Request {
	return caveat.Request{Now: req.Now, Leeway: req.Leeway, IP: req.IP, Interface: req.Interface, Vocabulary: req.Vocabulary, Groups: req.Groups, Geo: req.Geo}
}

// wrapRefusal wraps an error of the catalogue; other errors are operational and
// are returned unchanged.
func wrapRefusal(err error, wrap func(error) *errors.Error) error {
	if e, ok := err.(*errors.Error); ok {
		return wrap(e)
	}
	return err
}
