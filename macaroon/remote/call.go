package remote

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	// Exponential back-off with jitter; maintained, and without dependencies.
	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
)

// maxAnswer is the largest body of a response, in bytes. The error of a caveat
// quotes the caveat, which may have nearly 1 MiB.
const maxAnswer = 4 << 20

// request is one question to Onezone.
type request struct {
	method string
	path   string      // below the API, escaped
	query  string      // encoded
	header http.Header // credentials; nil: anonymous
	body   any         // encoded as JSON; nil: none

	// repeatable requests are sent again if no answer arrives. Others may have
	// had an effect.
	repeatable bool
	// limited requests are about new tokens and subject to [WithMaxRate].
	limited bool
	// maxAnswer is the largest body of the response; 0: maxAnswer.
	maxAnswer int64
	// describes is true if a refusal keeps the description of Onezone, unless
	// that contains one of the secrets.
	describes bool
	secrets   []string
	// decode reads the body of a success. An error means that the response is
	// not one of the API. If it is nil, the body is ignored.
	decode func(body []byte) error
}

// reply is a response in the form of the API.
type reply struct {
	status int
	header http.Header
	size   int // of the body, in bytes
}

// do asks Onezone, and asks again if it does not answer. The reply is that of
// the last attempt. The error is an *[errors.Error] if Onezone refused the
// request with a status of 4xx. All other errors are operational, and have no
// error of the catalogue in their chain.
func (c *Client) do(ctx context.Context, r request) (reply, error) {
	body, err := json.Marshal(r.body)
	if err != nil {
		return reply{}, fmt.Errorf("encode a request to Onezone: %w", err)
	}
	if r.body == nil {
		body = nil
	}
	end := time.Now().Add(c.timeout)
	last := end // when a retry may begin
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(last) {
		last = deadline
	}
	var pauses *backoff.ExponentialBackOff // most questions need none
	for retries := 0; ; retries++ {
		answer, err := c.attempt(ctx, r, body, end)
		if !isTransient(err) || !r.repeatable || retries == c.retries {
			return answer, c.failedUnlessRefused(err)
		}
		if pauses == nil {
			pauses = backoff.NewExponentialBackOff()
			pauses.InitialInterval, pauses.MaxInterval = c.firstBackOff, 20*c.firstBackOff
		}
		pause := pauses.NextBackOff()
		if time.Now().Add(pause).After(last) {
			return answer, c.failed(err)
		}
		if err := duration.Sleep(ctx, pause); err != nil {
			return answer, c.failed(err)
		}
	}
}

// attempt asks once, unless Onezone asked for a pause, the breaker is open, or
// too many questions about new tokens were asked in the last second.
func (c *Client) attempt(ctx context.Context, r request, body []byte, end time.Time) (reply, error) {
	if wait := c.pause.left(c.now()); wait > 0 && r.header == nil {
		c.counts.suppressed.Add(1)
		return reply{}, unavailable{fmt.Errorf("it asked for a pause of %v", wait), wait}
	}
	sent := false
	answer, err := c.breaker.Execute(func() (reply, error) {
		if r.limited && !c.limiter.AllowN(c.now(), 1) {
			err := fmt.Errorf("more than %d questions about new tokens in a second: see WithMaxRate", c.maxRate)
			return reply{}, unavailable{err, time.Second}
		}
		sent = true
		return c.send(ctx, r, body, end)
	})
	if err == gobreaker.ErrOpenState || err == gobreaker.ErrTooManyRequests {
		err = unavailable{fmt.Errorf("its last answers failed: %w", err), c.breakerPause}
	}
	if sent {
		c.counts.request(err)
	} else {
		c.counts.suppressed.Add(1)
	}
	return answer, err
}

// send sends the request once and reads the response, at most until end.
func (c *Client) send(ctx context.Context, r request, body []byte, end time.Time) (reply, error) {
	start := time.Now()
	if half := start.Add(c.timeout / 2); half.Before(end) {
		end = half
	}
	limited, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	req, err := c.newRequest(limited, r, body)
	if err != nil {
		return reply{}, err
	}
	most := cmp.Or(r.maxAnswer, maxAnswer)
	res, err := c.transport.RoundTrip(req) // not an http.Client, which would follow redirects
	switch {
	case err != nil:
	case res == nil || res.Body == nil:
		err = errors.New("the transport returned no response")
	default:
		defer func() { _ = res.Body.Close() }()
		body, err = io.ReadAll(io.LimitReader(res.Body, most+1))
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return reply{}, ctx.Err()
	case err != nil && limited.Err() != nil:
		// Not wrapped, because it is not the deadline of the caller.
		return reply{}, transient{fmt.Errorf("it did not answer within %v", end.Sub(start).Round(time.Millisecond))}
	case err != nil && errors.As(err, new(*tls.CertificateVerificationError)):
		return reply{}, withoutURL(err)
	case err != nil:
		return reply{}, transient{withoutURL(err)}
	case int64(len(body)) > most:
		return reply{}, fmt.Errorf("its answer is longer than %d bytes", most)
	}
	answer := reply{res.StatusCode, res.Header, len(body)}
	return answer, c.read(r, answer, body)
}

// newRequest returns the HTTP request. http.NewRequest would parse the URL for
// each, which takes as long as encoding the body.
func (c *Client) newRequest(ctx context.Context, r request, body []byte) (*http.Request, error) {
	path, err := url.PathUnescape(r.path)
	if err != nil {
		return nil, err
	}
	target := *c.base
	target.Path += path
	if path != r.path {
		target.RawPath = c.base.Path + r.path
	}
	target.RawQuery = r.query
	req := http.Request{Method: r.method, URL: &target, Host: target.Host, Header: make(http.Header), ContentLength: int64(len(body))}
	maps.Copy(req.Header, r.header)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Body, _ = req.GetBody()
	}
	return req.WithContext(ctx), nil
}

// withoutURL returns the error without the URL of the request, which may
// contain a token.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// read decides what a response means. The error is an *[errors.Error] if it is
// a refusal.
func (c *Client) read(r request, answer reply, body []byte) error {
	switch status := answer.status; {
	case status >= 200 && status < 300:
		if r.decode == nil {
			return nil
		}
		if err := r.decode(body); err != nil {
			// As text, so that no error of the catalogue is in the chain.
			return transient{fmt.Errorf("its answer is not one of the token API: %v", err)}
		}
		return nil
	case status == http.StatusTooManyRequests || status >= 500 || status == http.StatusRequestTimeout:
		return c.unavailable(r, answer)
	case status >= 400:
		var envelope errors.Envelope
		if json.Unmarshal(body, &envelope) == nil && envelope.Error != nil && envelope.Error.ID != "" {
			if r.describes {
				r.describe(envelope.Error, body)
			}
			return envelope.Error
		}
		return rejected{fmt.Errorf("its answer %d is not one of the token API", status)}
	default:
		return fmt.Errorf("it answered with the status %d; redirects are not followed", status)
	}
}
