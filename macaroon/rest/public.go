package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

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
	view = c.appendAdditions(view, additions)
	return c.answer(json.RawMessage(view), nil)
}

// serverCaveats are the members of an answer for what the owner of a token added
// to its record. They are absent if that is nothing.
type serverCaveats struct {
	Caveats []caveat.Caveat `json:"serverCaveats,omitempty"`
	Added   []int64         `json:"serverCaveatsAdded,omitempty"` // Unix seconds
}

// appendAdditions appends members to an encoded object for what the owner of a
// token added.
func (c *call) appendAdditions(object []byte, additions []caveat.Addition) []byte {
	if len(additions) == 0 {
		return object
	}
	var more serverCaveats
	more.Caveats, more.Added = c.additions(additions)
	members, _ := json.Marshal(more) // it always has a JSON form
	return append(append(object[:len(object)-1], ','), members[1:]...)
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
	// Encoded by hand, because this is the most frequent response.
	answer := appendSubject(append(make([]byte, 0, 128), `{"subject":`...), auth.Subject)
	answer = append(answer, `,"ttl":`...)
	if until, ok := auth.Expiry(); ok {
		answer = strconv.AppendInt(answer, until-c.authority.Now().Unix(), 10)
	} else {
		answer = append(answer, "null"...)
	}
	respondEncoded(c.w, http.StatusOK, c.appendAdditions(append(answer, '}'), auth.Additions()))
	return nil
}

// appendSubject appends the JSON form of a subject.
func appendSubject(b []byte, s caveat.Subject) []byte {
	switch s.Type {
	case caveat.SubjectUser, caveat.SubjectProvider, caveat.SubjectGroup:
		if isPlainID(s.ID) {
			b = append(append(b, `{"type":"`...), s.Type.String()...)
			b = append(append(b, `","id":"`...), s.ID...)
			return append(b, `"}`...)
		}
	}
	data, _ := s.MarshalJSON() // it always has a JSON form
	return append(b, data...)
}

// isPlainID reports whether the text has only letters, digits, dots, dashes and
// underscores, which need no escapes anywhere.
func isPlainID(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
