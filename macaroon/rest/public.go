package rest

import (
	"encoding/json"
	"net/http"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// examine shows what a token says.
func (c *call) examine() error {
	in := c.input()
	t := in.token("token")
	if in.err != nil {
		return in.err
	}
	view, err := t.Examine(c.authority.Vocabulary())
	if err != nil {
		return err
	}
	respond(c.w, http.StatusOK, json.RawMessage(view))
	return nil
}

// confine adds caveats to a token.
func (c *call) confine() error {
	in := c.input()
	in.require("caveats")
	cs := in.caveats("caveats")
	t := in.token("token")
	if in.err != nil {
		return in.err
	}
	confined, err := c.authority.Confine(c.r.Context(), t.Token, cs...)
	if err != nil {
		return err
	}
	c.answerToken(http.StatusOK, confined)
	return nil
}

// answerToken answers with a token and nothing else.
func (c *call) answerToken(status int, t macaroon.Token) {
	respond(c.w, status, map[string]any{"token": t.String()})
}

// verifyAccess says whom a token authorises, in the request that the body
// describes.
func (c *call) verifyAccess() error {
	in := c.input()
	t := in.token("token")
	dataAccess := in.boolean("allowDataAccessCaveats")
	consumer := in.optionalToken("consumerToken")
	req := caveat.Request{Session: caveat.AnySession(), DataAccess: dataAccess}
	req.Interface = in.interfaceName("interface")
	req.IP = in.ipv4("peerIp", c.client.PeerIP)
	service := in.optionalToken("serviceToken")
	if in.err != nil {
		return in.err
	}
	if err := c.identify(&req, service, consumer); err != nil {
		return err
	}
	auth, err := c.authority.VerifyAccess(c.r.Context(), t.text, req)
	return c.answerVerified(auth, err)
}

// verifyIdentity says whose identity a token proves.
func (c *call) verifyIdentity() error {
	in := c.input()
	t := in.token("token")
	consumer := in.optionalToken("consumerToken")
	req := caveat.Request{Session: caveat.AnySession()}
	req.Interface = in.interfaceName("interface")
	req.IP = in.ipv4("peerIp", c.client.PeerIP)
	if in.err != nil {
		return in.err
	}
	if err := c.identify(&req, tokenValue{}, consumer); err != nil {
		return err
	}
	auth, err := c.authority.VerifyIdentity(c.r.Context(), t.text, req)
	return c.answerVerified(auth, err)
}

// verifyInvite says who invites with a token.
func (c *call) verifyInvite() error {
	in := c.input()
	t := in.token("token")
	consumer := in.optionalToken("consumerToken")
	expected := in.inviteType("expectedInviteType")
	req := caveat.Request{Session: caveat.AnySession()}
	req.IP = in.ipv4("peerIp", c.client.PeerIP)
	if in.err != nil {
		return in.err
	}
	if err := c.identify(&req, tokenValue{}, consumer); err != nil {
		return err
	}
	auth, err := c.authority.VerifyInvite(c.r.Context(), t.text, expected, req)
	return c.answerVerified(auth, err)
}

// identify completes a request with the service and consumer that tokens of the
// body stand for. Without a consumer token the consumer is the client itself.
func (c *call) identify(req *caveat.Request, service, consumer tokenValue) (err error) {
	if !service.IsZero() {
		if req.Service, err = c.authority.VerifyService(c.r.Context(), service.text, *req); err != nil {
			return err
		}
		if service.Version() == 1 {
			// A body has no way to say which service presents a token that
			// does not name its subject.
			req.Service.Type = caveat.OpWorker
		}
	}
	if consumer.IsZero() {
		req.Consumer = c.client.Subject
		return nil
	}
	req.Consumer, err = c.authority.VerifyConsumer(c.r.Context(), consumer.text, *req)
	return err
}

func (c *call) answerVerified(auth macaroon.Auth, err error) error {
	if err != nil {
		return err
	}
	var ttl *int64
	if until, ok := auth.Expiry(); ok {
		left := until - c.authority.Now().Unix()
		ttl = &left
	}
	respond(c.w, http.StatusOK, struct { // no map, because this is what is asked for most
		Subject caveat.Subject `json:"subject"`
		TTL     *int64         `json:"ttl"`
	}{auth.Subject, ttl})
	return nil
}
