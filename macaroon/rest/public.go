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
	additions, err := c.authority.Additions(c.r.Context(), t.Token)
	if err != nil {
		return err
	}
	if len(additions) > 0 {
		var more serverCaveats
		more.Caveats, more.Added = c.additions(additions)
		members, _ := json.Marshal(more) // it always has a JSON form
		view = append(append(view[:len(view)-1], ','), members[1:]...)
	}
	return c.answer(json.RawMessage(view), nil)
}

// serverCaveats are the members of an answer for what the owner of a token added
// to its record. They are absent if that is nothing.
type serverCaveats struct {
	Caveats []caveat.Caveat `json:"serverCaveats,omitempty"`
	Added   []int64         `json:"serverCaveatsAdded,omitempty"` // Unix seconds
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
	return c.answerToken(http.StatusOK, confined, err)
}

// answer answers with the body, or returns err.
func (c *call) answer(body any, err error) error {
	if err == nil {
		respond(c.w, http.StatusOK, body)
	}
	return err
}

// answerToken answers with the text of a token, or returns err.
func (c *call) answerToken(status int, t macaroon.Token, err error) error {
	if err == nil {
		respond(c.w, status, map[string]any{"token": t.String()})
	}
	return err
}

// verifyAccess answers with the subject of an access token, for the request
// that the body describes.
func (c *call) verifyAccess() error {
	in := c.input()
	t := in.token("token")
	req := c.anySession()
	req.DataAccess = in.boolean("allowDataAccessCaveats")
	req.ConsumerToken = in.partyToken("consumerToken")
	req.Interface = in.interfaceName("interface")
	req.IP = in.ipv4("peerIp", c.client.PeerIP)
	req.ServiceToken = in.partyToken("serviceToken")
	return c.verify(in, t, req, c.authority.VerifyAccess)
}

// verifyIdentity answers with the subject whose identity a token proves.
func (c *call) verifyIdentity() error {
	in := c.input()
	t := in.token("token")
	req := c.anySession()
	req.ConsumerToken = in.partyToken("consumerToken")
	req.Interface = in.interfaceName("interface")
	req.IP = in.ipv4("peerIp", c.client.PeerIP)
	return c.verify(in, t, req, c.authority.VerifyIdentity)
}

// verifyInvite answers with the subject that invites with a token.
func (c *call) verifyInvite() error {
	in := c.input()
	t := in.token("token")
	req := c.anySession()
	req.ConsumerToken = in.partyToken("consumerToken")
	expected := in.inviteType("expectedInviteType")
	req.IP = in.ipv4("peerIp", c.client.PeerIP)
	return c.verify(in, t, req, func(ctx context.Context, text string, req caveat.Request) (macaroon.Auth, error) {
		return c.authority.VerifyInvite(ctx, text, expected, req)
	})
}

// anySession returns a request in which the client consumes the token, unless a
// consumer token says otherwise. It accepts the tokens of all sessions.
func (c *call) anySession() caveat.Request {
	return caveat.Request{Consumer: c.client.Subject, Session: caveat.AnySession()}
}

// verification is a method of [macaroon.Verifier].
type verification func(ctx context.Context, text string, req caveat.Request) (macaroon.Auth, error)

// verify verifies the token, and answers with its subject and the seconds until
// it expires.
func (c *call) verify(in *input, t tokenValue, req caveat.Request, by verification) error {
	if in.err != nil {
		return in.err
	}
	auth, err := by(c.r.Context(), t.text, req)
	if err != nil {
		return err
	}
	var ttl *int64
	if until, ok := auth.Expiry(); ok {
		ttl = new(until - c.authority.Now().Unix())
	}
	answer := struct { // a struct is faster than a map, and this is the most frequent response
		Subject caveat.Subject `json:"subject"`
		TTL     *int64         `json:"ttl"`
		serverCaveats
	}{Subject: auth.Subject, TTL: ttl}
	if additions := auth.Additions(); len(additions) > 0 {
		answer.Caveats, answer.Added = c.additions(additions)
	}
	respond(c.w, http.StatusOK, answer)
	return nil
}
