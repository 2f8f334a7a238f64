package remote

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon"
)

// call sends a request with the credentials of the account. It waits and sends
// it again if Onezone answers that there are too many.
func (a *Account) call(ctx context.Context, r request) error {
	c := a.client
	if err := ctx.Err(); err != nil {
		return c.failed(err)
	}
	if !namesResource(r.path) {
		return errors.NotFound()
	}
	if a.credentials.header != nil {
		header, err := a.credentials.header(ctx, c)
		if err != nil {
			return err
		}
		r.header = header
		r.secrets = append(r.secrets, secretsIn(header)...)
	}
	return c.retryBusy(ctx, r)
}

// namesResource reports whether each segment of a path is one. An empty id, or
// the ids "." and "..", would make it the path of another resource.
func namesResource(path string) bool {
	for segment := range strings.SplitSeq(path[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// secretsIn returns the texts of the credentials in a header.
func secretsIn(h http.Header) []string {
	if _, password, ok := (&http.Request{Header: h}).BasicAuth(); ok {
		return []string{password}
	}
	return h.Values(headerToken)
}

// retryBusy sends a request, and repeats it after the wait that Onezone asks for
// in a 429 response, because it has not processed the request then.
func (c *Client) retryBusy(ctx context.Context, r request) error {
	deadline := time.Now().Add(c.timeout)
	if callers, ok := ctx.Deadline(); ok && callers.Before(deadline) {
		deadline = callers
	}
	r.describes = true
	for attempt := 0; ; attempt++ {
		answered, err := c.do(ctx, r)
		wait, ok := operational.RetryAfter(err)
		if !ok || answered.status != http.StatusTooManyRequests || attempt == c.retries || time.Now().Add(wait).After(deadline) {
			return err
		}
		if err := duration.Sleep(ctx, wait); err != nil {
			return c.failed(err)
		}
	}
}

// Content is what a token contains, as Onezone reads it. Nothing of it is
// verified.
type Content struct {
	Domain  string
	ID      string
	Subject caveat.Subject // nobody for a token of version 1
	Type    macaroon.Type
	// Temporary is true if Onezone has no record of the token.
	Temporary bool
	// Caveats are in the order of the token. One that Onezone does not know is
	// a [caveat.Unknown].
	Caveats []caveat.Caveat
	// Additions are caveats that the owner added to the record of the token, if
	// Onezone shows them, because the signature of the token is right.
	Additions []caveat.Addition
}

// Examine returns the content of a token, as Onezone reads it. Errors:
// tokenInvalid for a token of another domain, which is not sent, and those of
// Onezone.
func (c *Client) Examine(ctx context.Context, t macaroon.Token) (Content, error) {
	var content Content
	err := c.callAbout(ctx, t, request{path: "/tokens/examine", body: map[string]any{"token": t.String()}, decode: func(body []byte) (err error) {
		content, err = c.readContent(body)
		return err
	}})
	return content, err
}

func (c *Client) readContent(body []byte) (Content, error) {
	var answer struct {
		Domain      string            `json:"onezoneDomain"`
		ID          string            `json:"id"`
		Persistence string            `json:"persistence"`
		Subject     caveat.Subject    `json:"subject"`
		Type        macaroon.Type     `json:"type"`
		Caveats     []json.RawMessage `json:"caveats"`
		serverCaveats
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Content{}, err
	}
	content := Content{
		Domain: answer.Domain, ID: answer.ID, Subject: answer.Subject, Type: answer.Type, Temporary: answer.Persistence == "temporary",
	}
	var err error
	if content.Additions, err = answer.serverCaveats.read(c.vocabulary); err != nil {
		return Content{}, err
	}
	for _, raw := range answer.Caveats {
		one, err := readCaveat(c.vocabulary, raw)
		if err != nil {
			return Content{}, err
		}
		content.Caveats = append(content.Caveats, one)
	}
	return content, nil
}

// readCaveat reads a caveat in JSON, which may be one that Onezone does not
// know: {"type":"unknown","text":TEXT}.
func readCaveat(v *caveat.Vocabulary, raw json.RawMessage) (caveat.Caveat, error) {
	var unknown struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &unknown) == nil && unknown.Type == string(caveat.TypeUnknown) {
		return caveat.Unknown(unknown.Text), nil
	}
	return v.FromJSON(raw)
}

// Confine has Onezone add caveats to a token. Unlike [macaroon.Token.Confine],
// it is an error if the subject may not use the services in the caveats.
// Errors: tokenInvalid for a token of another domain, which is not sent, and
// those of Onezone.
func (c *Client) Confine(ctx context.Context, t macaroon.Token, cs ...caveat.Caveat) (confined macaroon.Token, err error) {
	err = c.callAbout(ctx, t, request{
		path: "/tokens/confine", body: map[string]any{"token": t.String(), "caveats": append([]caveat.Caveat{}, cs...)},
		decode: readToken(&confined),
	})
	return confined, err
}

// callAbout sends a request about a token, without credentials.
func (c *Client) callAbout(ctx context.Context, t macaroon.Token, r request) error {
	switch err := ctx.Err(); {
	case err != nil:
		return c.failed(err)
	case t.IsZero():
		return errors.BadToken("it is empty")
	}
	if err := c.checkDomain(ctx, t); err != nil {
		return err
	}
	r.method, r.repeatable, r.secrets = http.MethodPost, true, []string{t.String()}
	return c.retryBusy(ctx, r)
}

// maxDescription is the longest description that is kept, in bytes.
const maxDescription = 1000

// describe sets the description of a refusal to that of Onezone. It does not if
// the description could not be shown in a line of a log, or contains the text
// of a credential.
func (r request) describe(e *errors.Error, body []byte) {
	var answer struct {
		Error struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &answer)
	text := answer.Error.Description
	if text == "" || len(text) > maxDescription || strings.ContainsFunc(text, unicode.IsControl) {
		return
	}
	for _, secret := range r.secrets {
		if secret != "" && strings.Contains(text, secret) {
			return
		}
	}
	e.Description = text
}
