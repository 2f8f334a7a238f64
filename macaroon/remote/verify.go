package remote

import (
	"context"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

var _ macaroon.Verifier = (*Client)(nil)

// VerifyAccess verifies at Onezone that the token with this text authorizes its
// bearer. See [macaroon.Authority.VerifyAccess] for the request and the errors;
// the package documentation lists what differs.
func (c *Client) VerifyAccess(ctx context.Context, text string, req caveat.Request) (macaroon.Auth, error) {
	req.ProveIdentity = false
	if c.serviceToken != "" {
		req.ServiceToken = c.serviceToken
	}
	q := question{class: macaroon.Access, text: text, req: req}
	return c.verify(ctx, &q)
}

// VerifyIdentity verifies at Onezone that the token proves the identity of its
// subject. See [macaroon.Authority.VerifyIdentity] for the request and the
// errors.
func (c *Client) VerifyIdentity(ctx context.Context, text string, req caveat.Request) (macaroon.Auth, error) {
	req.ProveIdentity = true
	req.Service, req.ServiceToken, req.Session = onezone, "", caveat.AnySession()
	q := question{class: macaroon.Identity, text: text, req: req}
	return c.verify(ctx, &q)
}

// VerifyInvite verifies at Onezone that the token is an invitation of the
// expected type; zero means any. See [macaroon.Authority.VerifyInvite] for the
// request and the errors.
func (c *Client) VerifyInvite(ctx context.Context, text string, expected macaroon.InviteType, req caveat.Request) (macaroon.Auth, error) {
	req.ProveIdentity = false
	req.ServiceToken = ""
	q := question{class: macaroon.Invite, invite: expected, text: text, req: req}
	return c.verify(ctx, &q)
}

// onezone is the service for which Onezone verifies a token without a service
// token.
var onezone = caveat.Service{Type: caveat.OzWorker, ID: caveat.OnezoneID}

// verify refuses what needs no answer, gets the answer of Onezone, and checks
// the caveats of the token against the request.
func (c *Client) verify(ctx context.Context, q *question) (macaroon.Auth, error) {
	if err := ctx.Err(); err != nil {
		return macaroon.Auth{}, c.failed(err)
	}
	c.setDefaults(&q.req)
	if err := q.examine(); err != nil {
		c.counts.refusedLocally.Add(1)
		return macaroon.Auth{}, err
	}
	if err := c.checkDomains(ctx, q); err != nil {
		return macaroon.Auth{}, err
	}
	a, err := c.answerTo(ctx, q)
	if err != nil {
		return macaroon.Auth{}, err
	}
	return q.conclude(ctx, a)
}

// setDefaults sets zero fields of the request.
func (c *Client) setDefaults(req *caveat.Request) {
	if req.Now.IsZero() {
		req.Now = c.now()
	}
	if req.Vocabulary == nil {
		req.Vocabulary = c.vocabulary
	}
	if req.Service.IsZero() {
		req.Service = onezone
	}
	req.IP = req.IP.Unmap()
}

// conclude returns what the token proves, or the refusal of Onezone. Onezone
// has decided all caveats for the request, or for one that differs in nothing
// that its answer can depend on. All those that can be decided here are decided
// again, because time has passed and the answer contains no caveats.
func (q *question) conclude(ctx context.Context, a *answer) (macaroon.Auth, error) {
	if a.refusal != nil {
		return macaroon.Auth{}, a.refusal
	}
	req := q.req
	req.Now = req.Now.Add(-ClockAllowance)
	req.Ignored = undecidable
	if req.ConsumerToken != "" {
		req.Ignored = undecidableWithConsumer
	}
	if len(q.req.Ignored) > 0 {
		req.Ignored = slices.Concat(req.Ignored, q.req.Ignored)
	}
	if req.ServiceToken != "" {
		q.setService(&req)
	}
	auth, err := q.token.Tighten(a.additions).Vouched(ctx, a.subject, req)
	if err != nil {
		return macaroon.Auth{}, err
	}
	if q.class == macaroon.Identity && auth.Type.Class() == macaroon.Access && a.subject.Type != caveat.SubjectProvider {
		return macaroon.Auth{}, errors.NotAnIdentityToken(auth.Type)
	}
	return auth, nil
}

// The types of caveats that only Onezone can decide: it has the geo database,
// and knows the groups of the consumer.
var (
	undecidable             = []caveat.Type{caveat.TypeASN, caveat.TypeCountry, caveat.TypeRegion}
	undecidableWithConsumer = append(slices.Clip(undecidable), caveat.TypeConsumer)
)

// setService sets the service that the service token proves. Tokens of version
// 1 do not contain their subject, so only Onezone can decide service caveats.
func (q *question) setService(req *caveat.Request) {
	service := q.service.Token()
	req.Service = caveat.Service{Type: caveat.OpWorker, ID: service.Subject().ID}
	if service.Indicated() == caveat.OpPanel {
		req.Service.Type = caveat.OpPanel
		req.Session = caveat.AnySession()
	}
	if service.Version() == 1 {
		req.Ignored = append(slices.Clip(req.Ignored), caveat.TypeService)
	}
}
