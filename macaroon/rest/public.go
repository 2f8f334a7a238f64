package rest

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// examine answers with the content of a token.
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

// answerToken answers with the text of a token.
func (c *call) answerToken(status int, t macaroon.Token) {
	respond(c.w, status, map[string]any{"token": t.String()})
}

// presented is a token that a body presents for verification, with the
// description of its use. Tokens that the body lacks are zero.
type presented struct {
	token, service, consumer tokenValue
	request                  caveat.Request
}

// verifyAccess answers with the subject of an access token, for the request
// that the body describes.
func (c *call) verifyAccess() error {
	in := c.input()
	var p presented
	p.token = in.token("token")
	p.request.DataAccess = in.boolean("allowDataAccessCaveats")
	p.consumer = in.optionalToken("consumerToken")
	p.request.Interface = in.interfaceName("interface")
	p.request.IP = in.ipv4("peerIp", c.client.PeerIP)
	p.service = in.optionalToken("serviceToken")
	return c.verify(in, p, c.authority.VerifyAccess)
}

// verifyIdentity answers with the subject whose identity a token proves.
func (c *call) verifyIdentity() error {
	in := c.input()
	var p presented
	p.token = in.token("token")
	p.consumer = in.optionalToken("consumerToken")
	p.request.Interface = in.interfaceName("interface")
	p.request.IP = in.ipv4("peerIp", c.client.PeerIP)
	return c.verify(in, p, c.authority.VerifyIdentity)
}

// verifyInvite answers with the subject that invites with a token.
func (c *call) verifyInvite() error {
	in := c.input()
	var p presented
	p.token = in.token("token")
	p.consumer = in.optionalToken("consumerToken")
	expected := in.inviteType("expectedInviteType")
	p.request.IP = in.ipv4("peerIp", c.client.PeerIP)
	return c.verify(in, p, func(ctx context.Context, text string, req caveat.Request) (macaroon.Auth, error) {
		return c.authority.VerifyInvite(ctx, text, expected, req)
	})
}

// verify verifies the token with the given function, and answers with its
// subject and the seconds until it expires.
func (c *call) verify(in *input, p presented, by func(context.Context, string, caveat.Request) (macaroon.Auth, error)) error {
	if in.err != nil {
		return in.err
	}
	p.request.Session = caveat.AnySession()
	if err := c.identify(&p); err != nil {
		return err
	}
	auth, err := by(c.r.Context(), p.token.text, p.request)
	if err != nil {
		return err
	}
	var ttl *int64
	if until, ok := auth.Expiry(); ok {
		left := until - c.authority.Now().Unix()
		ttl = &left
	}
	respond(c.w, http.StatusOK, struct { // a struct is faster than a map, and this is the most frequent response
		Subject caveat.Subject `json:"subject"`
		TTL     *int64         `json:"ttl"`
	}{auth.Subject, ttl})
	return nil
}

// identify completes the request with the service and consumer of the
// accompanying tokens. Without a consumer token the consumer is the client
// itself.
func (c *call) identify(p *presented) (err error) {
	req := &p.request
	if !p.service.IsZero() {
		if req.Service, err = c.authority.VerifyService(c.r.Context(), p.service.text, *req); err != nil {
			return err
		}
		if p.service.Version() == 1 {
			// A body cannot name the service that presents a token without a
			// subject.
			req.Service.Type = caveat.OpWorker
		}
	}
	if p.consumer.IsZero() {
		req.Consumer = c.client.Subject
		return nil
	}
	req.Consumer, err = c.authority.VerifyConsumer(c.r.Context(), p.consumer.text, *req)
	return err
}
