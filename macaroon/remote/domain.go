package remote

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// checkDomains refuses the tokens of a question if one was issued by another
// Onezone. Errors: tokenInvalid, badServiceToken {tokenInvalid},
// badConsumerToken {tokenInvalid}; operational if the domain of the Onezone
// cannot be asked for.
func (c *Client) checkDomains(ctx context.Context, q *question) error {
	if q.req.ServiceToken != "" {
		if err := c.checkDomain(ctx, q.service.Token()); err != nil {
			return wrapRefusal(err, errors.BadServiceToken)
		}
	}
	if q.req.ConsumerToken != "" {
		if err := c.checkDomain(ctx, q.consumer.Token()); err != nil {
			return wrapRefusal(err, errors.BadConsumerToken)
		}
	}
	return c.checkDomain(ctx, q.token.Token())
}

// wrapRefusal wraps an error of the catalogue; others are operational.
func wrapRefusal(err error, wrap func(error) *errors.Error) error {
	if e, ok := err.(*errors.Error); ok {
		return wrap(e)
	}
	return err
}

// checkDomain refuses a token of another Onezone, because sending it would hand
// a credential to a server that it was not made for. The location of a token is
// not signed, so this protects only the token. Errors: tokenInvalid;
// operational if the domain of the Onezone cannot be asked for.
func (c *Client) checkDomain(ctx context.Context, t macaroon.Token) error {
	domains, err := c.allowedDomains(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, t.Domain()) }) {
		return nil
	}
	c.counts.refusedLocally.Add(1)
	e := errors.TokenInvalid()
	e.Description = fmt.Sprintf("The token is not valid here: it was issued by the Onezone %.253q, and not by %q.",
		t.Domain(), domains)
	return e
}

// knownDomains are the domains whose tokens are sent to the Onezone.
type knownDomains struct {
	names []string
	// guessed is when an Onezone did not say its domain; zero if the domains
	// are known.
	guessed time.Time
}

// guessAge is how long the host of the URL counts as the domain. Not for ever:
// an Onezone that is being deployed may answer 404, too.
const guessAge = time.Minute

func (k *knownDomains) isValid(now time.Time) bool {
	if k == nil || k.guessed.IsZero() {
		return k != nil
	}
	age := now.Sub(k.guessed)
	return age >= 0 && age < guessAge
}

// domainKey is the key of the question for the domain. It is not a digest.
var domainKey key

// allowedDomains returns the domains whose tokens are sent to the Onezone. It
// asks for the default until there has been an answer.
func (c *Client) allowedDomains(ctx context.Context) ([]string, error) {
	known := c.domain.Load()
	if known.isValid(c.now()) {
		return known.names, nil
	}
	flight := c.flights.join(domainKey, func() (*answer, error) { return nil, c.askDomain() })
	select {
	case <-ctx.Done():
		return nil, c.failed(ctx.Err())
	case <-flight.landed:
	}
	if flight.err != nil && known == nil {
		return nil, flight.err
	}
	return c.domain.Load().names, nil // the last guess while Onezone is unreachable
}

// askDomain asks for the domain of the Onezone's tokens. An Onezone without
// that route has the domain of its URL.
func (c *Client) askDomain() error {
	now := c.now()
	if c.domain.Load().isValid(now) {
		return nil
	}
	if !c.begin() {
		return c.failed(errClosed)
	}
	defer c.running.Done()
	var configuration struct {
		Domain string `json:"domain"`
	}
	answered, err := c.do(c.life, request{
		method: http.MethodGet, path: "/configuration", repeatable: true,
		decode: readInto(&configuration, "the domain", func() bool { return configuration.Domain != "" }),
	})
	switch {
	case answered.status == http.StatusNotFound:
		c.domain.Store(&knownDomains{[]string{c.base.Hostname()}, now})
		return nil
	case err != nil:
		if e, ok := err.(*errors.Error); ok {
			err = c.failed(fmt.Errorf("it refused to say its domain: %v", e))
		}
		return c.closedOr(err)
	}
	c.domain.Store(&knownDomains{names: []string{configuration.Domain}})
	return nil
}
