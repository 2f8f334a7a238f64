package macaroon

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// VerifyService decides which service a service token stands for: the worker of
// the Oneprovider that the token identifies, or the panel where the token is
// marked "opp-". Only the address and interface of the request count. The error
// is badServiceToken {tokenError}; a user's token is tokenInvalid there.
func (a *Authority) VerifyService(ctx context.Context, text string, req caveat.Request) (caveat.Service, error) {
	auth, err := a.identify(ctx, text, partyRequest(req), purpose{class: Identity, asService: true})
	if err != nil {
		return caveat.Service{}, ifRefused(err, errors.BadServiceToken)
	}
	service := caveat.Service{Type: caveat.OpWorker, ID: auth.Subject.ID}
	if _, indicated, _ := cutIndication(text); indicated == caveat.OpPanel {
		service.Type = caveat.OpPanel
	}
	return service, nil
}

// VerifyConsumer decides who a consumer token stands for. Only the address and
// interface of the request count. The error is badConsumerToken {tokenError}.
func (a *Authority) VerifyConsumer(ctx context.Context, text string, req caveat.Request) (caveat.Subject, error) {
	auth, err := a.VerifyIdentity(ctx, text, partyRequest(req))
	if err != nil {
		return caveat.Subject{}, ifRefused(err, errors.BadConsumerToken)
	}
	return auth.Subject, nil
}

// partyRequest is the request in which service and consumer tokens are judged:
// who uses the token they come with is just what they are to tell.
func partyRequest(req caveat.Request) caveat.Request {
	return caveat.Request{Now: req.Now, IP: req.IP, Interface: req.Interface, Vocabulary: req.Vocabulary, Groups: req.Groups, Geo: req.Geo}
}

// ifRefused wraps an error of the catalogue and leaves the environment's alone.
func ifRefused(err error, wrap func(error) *errors.Error) error {
	if e, ok := err.(*errors.Error); ok {
		return wrap(e)
	}
	return err
}
