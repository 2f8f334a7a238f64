package remote

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// maxExplanation is the largest explanation, in bytes: that of a token with
// thousands of caveats.
const maxExplanation = 16 << 20

// Explain says whether Onezone would accept the token for the trial, and why;
// see [macaroon.Authority.Explain]. The client must be the subject of the token,
// or may manage its tokens. The horizon of the trial is rounded up to days. What
// the request of the trial leaves out is unknown, apart from the time and the
// service. Its resolvers, vocabulary and ignored types are not used.
//
// Errors: tokenInvalid for a token of another domain, which is not sent; those
// of [caveat.Attempt.Validate]; forbidden, and others of Onezone.
func (a *Account) Explain(ctx context.Context, t macaroon.Token, trial macaroon.Trial) (macaroon.Explanation, error) {
	if err := trial.Validate(); err != nil {
		return macaroon.Explanation{}, err
	}
	body := map[string]any{"token": t.String(), "request": trial.Attempt}
	if class := trial.Class; class != 0 {
		body["purpose"] = class.String()
	}
	if trial.Invite != 0 {
		body["expectedInviteType"] = trial.Invite.String()
	}
	if trial.ServiceToken != "" {
		body["serviceToken"] = string(trial.ServiceToken)
	}
	if trial.ConsumerToken != "" {
		body["consumerToken"] = string(trial.ConsumerToken)
	}
	if trial.Horizon != 0 {
		const day = 24 * time.Hour
		body["days"] = int64((trial.Horizon + day - 1) / day)
	}
	var e macaroon.Explanation
	err := a.callAbout(ctx, t, request{
		path: "/tokens/explain", body: body, maxAnswer: maxExplanation,
		secrets: []string{string(trial.ServiceToken), string(trial.ConsumerToken)},
		decode:  func(body []byte) error { return json.Unmarshal(body, &e) },
	})
	if err != nil {
		return macaroon.Explanation{}, err
	}
	return e, nil
}

// Narrow returns the tightest caveats to add to the token, so that Onezone still
// lets all recorded attempts through; see [macaroon.Authority.Narrow]. The
// mutations have only words. The client must be the subject of the token, or may
// manage its tokens. Onezone takes at most 1000 attempts.
//
// Errors: tokenInvalid for a token of another domain, which is not sent; those
// of Onezone.
func (a *Account) Narrow(ctx context.Context, t macaroon.Token, r caveat.Recording) ([]caveat.Proposal, error) {
	body := map[string]any{"token": t.String(), "requests": append([]caveat.Attempt{}, r.Attempts...)}
	if !r.Until.IsZero() {
		body["validUntil"] = r.Until.Unix()
	}
	var answer struct {
		Caveats []caveat.Proposal `json:"caveats"`
	}
	err := a.callAbout(ctx, t, request{
		path: "/tokens/narrow", body: body, decode: readInto(&answer, "the caveats", func() bool { return answer.Caveats != nil }),
	})
	return answer.Caveats, err
}

// callAbout sends a request about a token.
func (a *Account) callAbout(ctx context.Context, t macaroon.Token, r request) error {
	if t.IsZero() {
		return errors.BadToken("it is empty")
	}
	if err := a.client.checkDomain(ctx, t); err != nil {
		return err
	}
	r.method, r.repeatable, r.secrets = http.MethodPost, true, append(r.secrets, t.String())
	return a.call(ctx, r)
}
