package remote

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// ClockAllowance is how far the clock of this machine may be ahead of Onezone's
// without a token being refused. Within this time after its expiry by the local
// clock, Onezone decides whether a token has expired.
const ClockAllowance = 5 * time.Second

// question is a verification: the tokens, and the request that they are used
// for.
type question struct {
	class  macaroon.Class
	invite macaroon.InviteType // expected; zero: any
	text   string
	req    caveat.Request

	// These are the results of examine. The service and consumer tokens are those of the
	// request, zero if it has none.
	token, service, consumer macaroon.Candidate
	needs                    needs
	expires                  bool // the token has a time caveat
}

// needs are parts of a request on which the answer of Onezone can depend,
// besides the tokens.
type needs uint8

const (
	needsAddress needs = 1 << iota
	needsInterface
	needsDataAccess
)

// needsOf returns the parts of a request that a caveat of the type is compared
// with. Onezone may compare a caveat of an application with all of them.
func needsOf(t caveat.Type) needs {
	switch t {
	case caveat.TypeIP, caveat.TypeASN, caveat.TypeCountry, caveat.TypeRegion:
		return needsAddress
	case caveat.TypeInterface:
		return needsInterface
	case caveat.TypeDataReadonly, caveat.TypeDataPath, caveat.TypeDataObjectID:
		return needsDataAccess
	case caveat.TypeTime, caveat.TypeIdentityOnly, caveat.TypeService, caveat.TypeConsumer, caveat.TypeAPI:
		return 0
	}
	return needsAddress | needsInterface | needsDataAccess
}

// examine parses the tokens, and refuses those that Onezone would refuse,
// whatever their signature is. The errors are those of
// [macaroon.Authority.VerifyAccess], for a token that is malformed, of another
// class, expired, or has an unknown or a third-party caveat.
func (q *question) examine() (err error) {
	if q.token, err = macaroon.NewCandidate(q.text, q.req.Vocabulary); err != nil {
		return err
	}
	if len(q.req.Discharges) > 0 {
		return errors.TokenInvalid().WithCause(errors.New("the API of Onezone accepts no discharges"))
	}
	if q.req.ServiceToken != "" {
		if q.service, err = q.examineParty(q.req.ServiceToken); err != nil {
			return errors.BadServiceToken(err)
		}
	}
	if q.req.ConsumerToken != "" {
		if q.consumer, err = q.examineParty(q.req.ConsumerToken); err != nil {
			return errors.BadConsumerToken(err)
		}
	}
	if err := q.token.CheckClass(q.class, q.invite); err != nil {
		return err
	}
	q.expires, err = q.examineCaveats(q.token)
	return err
}

// examineParty parses and examines a service or consumer token.
func (q *question) examineParty(text caveat.PartyToken) (macaroon.Candidate, error) {
	c, err := macaroon.NewCandidate(string(text), q.req.Vocabulary)
	if err == nil {
		err = c.CheckClass(macaroon.Identity, 0)
	}
	if err == nil {
		_, err = q.examineCaveats(c)
	}
	return c, err
}

// examineCaveats adds to the needs of the question those of the token's
// caveats. Errors: tokenCaveatUnknown {caveat}; tokenCaveatUnverified {caveat}
// if the token has expired.
func (q *question) examineCaveats(c macaroon.Candidate) (expires bool, err error) {
	caveats := c.Caveats()
	for i := range caveats.Len() {
		typ := caveats.TypeOf(i)
		if typ == caveat.TypeUnknown {
			return false, errors.TokenCaveatUnknown(caveats.Texts()[i])
		}
		q.needs |= needsOf(typ)
	}
	validUntil, expires := caveats.Expiry()
	if now := q.req.Now.Add(-ClockAllowance); expires && now.Unix() >= validUntil {
		return false, caveat.Check(context.Background(), caveat.Time{ValidUntil: validUntil}, &caveat.Request{Now: now})
	}
	return expires, nil
}

// body returns the body of the question. The address is always sent, because
// Onezone would otherwise take that of this service; IPv6 addresses cannot be
// sent.
func (q *question) body() any {
	b := struct {
		Token         string  `json:"token"`
		PeerIP        *string `json:"peerIp"`
		Interface     string  `json:"interface,omitempty"`
		ServiceToken  string  `json:"serviceToken,omitempty"`
		ConsumerToken string  `json:"consumerToken,omitempty"`
		DataAccess    bool    `json:"allowDataAccessCaveats,omitempty"`
		Invite        string  `json:"expectedInviteType,omitempty"`
	}{Token: q.text, ServiceToken: string(q.req.ServiceToken), ConsumerToken: string(q.req.ConsumerToken)}
	if q.req.IP.Is4() {
		text := q.req.IP.String()
		b.PeerIP = &text
	}
	if name := q.req.Interface.Name(); q.class != macaroon.Invite && q.req.Interface != 0 {
		b.Interface = name
	}
	b.DataAccess = q.class == macaroon.Access && q.req.DataAccess
	if q.invite != 0 {
		b.Invite = q.invite.String()
	}
	return b
}

// path returns the route that answers the question.
func (q *question) path() string {
	switch q.class {
	case macaroon.Access:
		return "/tokens/verify_access_token"
	case macaroon.Identity:
		return "/tokens/verify_identity_token"
	}
	return "/tokens/verify_invite_token"
}
