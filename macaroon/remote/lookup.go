package remote

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/onezone-go/onezone/errors"
)

type freshKey struct{}

// Fresh returns a context for a verification that must not use an earlier
// answer. It is for operations that must see a revocation at once:
//
//	auth, err := client.VerifyIdentity(remote.Fresh(ctx), text, req)
func Fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

func isFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }

// answerTo returns the answer to the question. If it depends on more of the
// request than the token shows, because of caveats that its owner added, the
// question is asked for the whole request.
func (c *Client) answerTo(ctx context.Context, q *question) (*answer, error) {
	for {
		a, err := c.answerFor(ctx, q)
		if err != nil || a.needs&^q.needs == 0 {
			return a, err
		}
		q.needs |= a.needs
	}
}

// answerFor returns the answer to the question from the cache or from Onezone.
func (c *Client) answerFor(ctx context.Context, q *question) (*answer, error) {
	k, fresh := c.cache.keyOf(q), isFresh(ctx)
	if !fresh {
		if a := c.cache.find(k); a != nil {
			if now := c.now(); a.isValid(now) {
				c.counts.hit(a)
				if a.nearsEnd(now) && a.refreshing.CompareAndSwap(false, true) {
					c.refresh(k, a, *q)
				}
				return a, nil
			}
		}
		c.counts.misses.Add(1)
	}
	return c.askShared(ctx, k, *q, fresh)
}

// askShared waits for the answer of Onezone. Questions that are the same for
// Onezone share a request.
func (c *Client) askShared(ctx context.Context, k key, q question, fresh bool) (*answer, error) {
	before := c.questions.Load()
	for {
		flight := c.flights.join(k, func() (*answer, error) { return c.ask(k, &q, fresh) })
		select {
		case <-ctx.Done():
			return nil, c.failed(ctx.Err())
		case <-flight.landed:
		}
		switch a, err := flight.answer, flight.err; {
		case fresh && a != nil && a.number <= before:
			// It was asked before this call.
		case err != nil && !fresh:
			return c.staleAnswer(k, err)
		default:
			return a, err
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
func (c *Client) refresh(k key, a *answer, q question) {
	select {
	case c.refreshes <- struct{}{}:
	default:
		a.refreshing.Store(false)
		return
	}
	go func() {
		defer func() { <-c.refreshes }()
		flight := c.flights.join(k, func() (*answer, error) { return c.ask(k, &q, true) })
		if <-flight.landed; flight.err != nil {
			c.log.Log(c.life, slog.LevelDebug, "an answer of an Onezone was not refreshed",
				"host", c.base.Host, "error", flight.err)
		}
	}()
}

// ask asks Onezone and caches the answer. It serves all waiting callers, so the
// context of none of them ends it. Unless the answer must be fresh, a valid one
// that was cached concurrently is returned.
func (c *Client) ask(k key, q *question, fresh bool) (*answer, error) {
	before := c.cache.find(k)
	if !fresh && before != nil && before.isValid(c.now()) {
		return before, nil
	}
	if !c.begin() {
		return nil, c.failed(errClosed)
	}
	defer c.running.Done()
	known := before != nil && before.refusal == nil
	a := &answer{number: c.questions.Add(1), asked: c.now()}
	if err := c.fill(k, a, q, known); err != nil {
		return a, err
	}
	c.cache.put(k, a)
	return a, nil
}

// fill sends the question and sets the answer. known tokens, which have
// verified before, are not limited.
func (c *Client) fill(k key, a *answer, q *question, known bool) error {
	var good verified
	answered, err := c.do(c.life, request{
		method: http.MethodPost, path: q.path(), body: q.body(), repeatable: true, limited: !known,
		decode: func(body []byte) (err error) {
			good, err = q.readVerified(body)
			return err
		},
	})
	if refused, ok := err.(*errors.Error); ok {
		if a.refusal = verdict(answered.status, refused); a.refusal == nil {
			if answered.status == http.StatusBadRequest {
				c.cache.put(k, a) // removes an earlier answer, because this may be a verdict of a later version
			}
			return c.refusal(answered.status, refused)
		}
	} else if err != nil {
		return c.closedOr(err)
	}
	a.subject, a.additions = good.subject, good.additions
	if a.needs = q.needsOfAdditions(a.additions); a.refusal != nil {
		a.needs = needsOfRefusal(a.refusal)
	}
	c.expire(a, q, good.ttl)
	if answered.size > maxCachedAnswer {
		a.life = 0
	}
	return nil
}

// errClosed is the error of a closed client.
var errClosed = errors.New("the client is closed")

// closedOr returns the error of a shared question, errClosed if it was ended by
// Close.
func (c *Client) closedOr(err error) error {
	if c.life.Err() != nil {
		return c.failed(errClosed)
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
