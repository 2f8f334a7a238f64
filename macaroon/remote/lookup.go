package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
)

type freshKey struct{}

// Fresh returns a context for a verification that must not use an earlier
// answer. It is for operations that must see a revocation at once:
//
//	auth, err := client.VerifyIdentity(remote.Fresh(ctx), text, req)
func Fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

func isFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }

// answerTo returns the answer to the question from the cache or from Onezone.
// Questions that are the same for Onezone share a request.
func (c *Client) answerTo(ctx context.Context, q *question) (*answer, error) {
	k, fresh := c.cache.keyOf(q), isFresh(ctx)
	if !fresh {
		if a := c.cache.find(k); a != nil {
			if now := c.now(); a.isValid(now) {
				c.counts.hit(a)
				if a.nearsEnd(now) && a.refreshing.CompareAndSwap(false, true) {
					c.refresh(k, a, q)
				}
				return a, nil
			}
		}
		c.counts.misses.Add(1)
	}
	before := c.questions.Load()
	for {
		flight := c.flights.DoChan(string(k[:]), func() (any, error) { return c.ask(k, q, fresh) })
		select {
		case <-ctx.Done():
			return nil, c.failed(ctx.Err())
		case landed := <-flight:
			a, _ := landed.Val.(*answer)
			if fresh && a != nil && a.number <= before {
				continue // it was asked before this call
			}
			if landed.Err != nil && !fresh {
				return c.staleAnswer(k, landed.Err)
			}
			return a, landed.Err
		}
	}
}

// staleAnswer returns an older answer because Onezone is unreachable, if that
// is allowed, and err otherwise.
func (c *Client) staleAnswer(k key, err error) (*answer, error) {
	if c.stale > 0 {
		now := c.now()
		if a := c.cache.find(k); a != nil && a.isStale(now, c.stale) {
			c.counts.stale(a.age(now))
			return a, nil
		}
	}
	return nil, err
}

// maxRefreshes is the maximum number of concurrent refreshes. An answer that is
// not refreshed is asked for again at its end.
const maxRefreshes = 16

// refresh asks the question again in the background. The answer in the cache
// stays if that fails.
func (c *Client) refresh(k key, a *answer, q *question) {
	select {
	case c.refreshes <- struct{}{}:
	default:
		a.refreshing.Store(false)
		return
	}
	copied := *q // the caller goes on to use its own
	go func() {
		defer func() { <-c.refreshes }()
		landed := <-c.flights.DoChan(string(k[:]), func() (any, error) { return c.ask(k, &copied, true) })
		if landed.Err != nil {
			c.log.Log(c.life, slog.LevelDebug, "an answer of an Onezone was not refreshed", "host", c.base.Host, "error", landed.Err)
		}
	}()
}

// verified is the body of a good answer.
type verified struct {
	Subject caveat.Subject `json:"subject"`
	TTL     *int64         `json:"ttl"` // seconds; nil: the token does not expire
}

// ask asks Onezone and caches the answer. It serves all waiting callers, so the
// context of none of them ends it. Unless the answer must be fresh, one that
// came in the meantime is returned.
func (c *Client) ask(k key, q *question, fresh bool) (*answer, error) {
	before := c.cache.find(k)
	if !fresh && before != nil && before.isValid(c.now()) {
		return before, nil
	}
	if !c.begin() {
		return nil, c.failed(errClosed)
	}
	defer c.running.Done()
	a := &answer{number: c.questions.Add(1), asked: c.now()}
	ctx, cancel := context.WithTimeout(c.life, c.timeout)
	defer cancel()
	var good verified
	r := request{method: http.MethodPost, path: q.path(), body: q.body(), repeatable: true, limited: before == nil || before.refusal != nil, decode: func(body []byte) (err error) {
		good, err = q.readVerified(body)
		return err
	}}
	answered, err := c.do(ctx, r)
	var ttl *int64
	if refused, ok := err.(*errors.Error); ok {
		if a.refusal = verdict(answered.status, refused); a.refusal == nil {
			return a, c.refusal(answered.status, refused)
		}
	} else if err != nil {
		return a, c.timedOut(ctx, err)
	} else {
		a.subject, ttl = good.Subject, good.TTL
	}
	c.expire(a, q, ttl)
	c.cache.put(k, a)
	return a, nil
}

// readVerified reads the body of a good answer. The error has no error of the
// catalogue in its chain.
func (q *question) readVerified(body []byte) (verified, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return verified{}, err
	}
	if members["ttl"] == nil || members["subject"] == nil {
		return verified{}, errors.New("it lacks the subject or the ttl")
	}
	var v verified
	if err := json.Unmarshal(body, &v); err != nil {
		return verified{}, operational.Error("read the subject and the ttl", err)
	}
	return v, q.checkVouched(v)
}

// verdict returns the error about the token in a refusal; nil if the refusal is
// about something else, such as the form of the request. Undecodable tokens
// are reported as bad fields of the body.
func verdict(status int, e *errors.Error) *errors.Error {
	if status != http.StatusBadRequest {
		return nil
	}
	switch e.ID {
	case errors.IDBadValueToken:
		inner, _ := e.Details["tokenError"].(*errors.Error)
		switch key := e.Details["key"]; {
		case inner == nil:
			return nil
		case key == "token":
			return inner
		case key == "serviceToken":
			return errors.BadServiceToken(inner)
		case key == "consumerToken":
			return errors.BadConsumerToken(inner)
		}
		return nil
	case errors.IDBadToken, errors.IDTokenTooLarge, errors.IDTokenInvalid, errors.IDTokenRevoked,
		errors.IDBadServiceToken, errors.IDBadConsumerToken,
		errors.IDNotAnAccessToken, errors.IDNotAnIdentityToken, errors.IDNotAnInviteToken,
		errors.IDTokenCaveatUnknown, errors.IDTokenCaveatUnverified, errors.IDTokenSubjectInvalid,
		errors.IDTokenServiceForbidden, errors.IDTokenSessionInvalid, errors.IDUserBlocked,
		errors.IDInviteTokenSubjectNotAuthorized:
		return e
	}
	return nil
}

// errClosed is the error of a closed client.
var errClosed = errors.New("the client is closed")

// timedOut returns the operational error of a shared question. An expired
// deadline is not wrapped, because it is not that of the waiting callers.
func (c *Client) timedOut(ctx context.Context, err error) error {
	switch {
	case c.life.Err() != nil:
		return c.failed(errClosed)
	case ctx.Err() != nil:
		return c.failed(fmt.Errorf("it did not answer within %v", c.timeout))
	}
	return err
}

// begin counts a question. It returns false if the client is closed.
func (c *Client) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Err() != nil {
		return false
	}
	c.running.Add(1)
	return true
}
