//go:build e2e

package failover_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
)

const (
	// callTimeout is the deadline of each call, as in the service.
	callTimeout = 5 * time.Second
	// pace is the pause of a client after a call.
	pace = 10 * time.Millisecond
	// users is the number of users. Each has a writer, and in a Cluster some of
	// them are in each shard.
	users = 12
	// warmUp is the number of writes of all users before a fault.
	warmUp = 10 * users
	// patience is the timeout of expected events.
	patience = time.Minute
	// verifiers is the number of verifiers of each replica.
	verifiers = 2
)

// watched is a store with a feed of changes.
type watched interface {
	store.Store
	store.Watcher
}

// load is two replicas of a service under load: one writes and verifies without
// a cache, the other one verifies with a cache and follows the feed.
type load struct {
	ledger *ledger
	stop   context.CancelFunc
	all    sync.WaitGroup
	feedUp atomic.Bool
	close  []func() error // what end closes, in reverse
}

// begin starts the load. The stores are those of the replicas.
func begin(ctx context.Context, l *ledger, here, there watched) (_ *load, err error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &load{ledger: l, stop: cancel}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.end())
		}
	}()
	c.close = append(c.close, here.Close, there.Close)
	writer, err := macaroon.NewAuthority(here)
	if err != nil {
		return c, err
	}
	cached, err := cache.New(there, cache.Options{})
	if err != nil {
		return c, err
	}
	c.close = append(c.close, cached.Close)
	verifier, err := macaroon.NewAuthority(cached)
	if err != nil {
		return c, err
	}
	for user := range l.waiting {
		_, err := writer.CreateUser(ctx, macaroon.NewUser{ID: user})
		if err != nil && !errors.Is(err, errors.IDAlreadyExists) {
			return c, err
		}
		c.all.Go(func() { c.write(ctx, writer, user) })
	}
	for range verifiers {
		c.all.Go(func() { c.verify(ctx, writer, false) })
		c.all.Go(func() { c.verify(ctx, verifier, true) })
	}
	c.all.Go(func() { _ = there.Watch(ctx, c.observe) }) // until ctx is done
	return c, nil
}

// end stops the load and closes the stores.
func (c *load) end() (err error) {
	c.stop()
	c.all.Wait()
	for i := len(c.close) - 1; i >= 0; i-- {
		err = errors.Join(err, c.close[i]())
	}
	return err
}

func (c *load) observe(change store.Change) {
	switch change.Kind {
	case store.FeedUp:
		c.feedUp.Store(true)
	case store.FeedDown:
		c.feedUp.Store(false)
	case store.TokenChanged:
		c.ledger.changed(change.TokenID)
	}
}

// call makes one call with a deadline.
func (c *load) call(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	start := time.Now()
	err := do(ctx)
	c.ledger.took(time.Since(start))
	return err
}

// paced repeats do until ctx is done.
func paced(ctx context.Context, do func()) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for ctx.Err() == nil {
		do()
		<-tick.C
	}
}

// write creates tokens of the user, and revokes one of three.
func (c *load) write(ctx context.Context, a *macaroon.Authority, user string) {
	var kept *record
	n := 0
	paced(ctx, func() {
		if n++; n%3 == 0 && kept != nil {
			r := kept
			kept = nil
			c.ledger.ask(r)
			c.ledger.answered(r, c.call(func(ctx context.Context) error { return a.Revoke(ctx, r.id) }))
			return
		}
		r := &record{user: user, begun: time.Now(), missing: map[errors.ID]int{}}
		err := c.call(func(ctx context.Context) error {
			name := fmt.Sprintf("%s %d %x", user, n, rand.Uint32())
			token, err := a.IssueNamed(ctx, name, macaroon.Grant{Subject: caveat.User(user), Type: macaroon.AccessToken()})
			r.id, r.text = token.ID(), token.String()
			return err
		})
		if err != nil {
			c.ledger.notCreated(err)
			return
		}
		kept = r
		c.ledger.created(r)
	})
}

// verify verifies acknowledged tokens.
func (c *load) verify(ctx context.Context, a *macaroon.Authority, cached bool) {
	paced(ctx, func() {
		r := c.ledger.any()
		if r == nil {
			return
		}
		revoked := c.ledger.revoked(r)
		begun := time.Now()
		err := c.call(func(ctx context.Context) error {
			_, err := a.VerifyAccess(ctx, r.text, caveat.Request{})
			return err
		})
		c.ledger.verified(r, begun, revoked, cached, err)
	})
}

func userIDs() (ids []string) {
	for i := range users {
		ids = append(ids, fmt.Sprint("user", i))
	}
	return ids
}

// until waits for a condition, and returns its last error after a timeout.
func until(what string, holds func() (bool, error)) error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		var ok bool
		if ok, err = holds(); ok && err == nil {
			return nil
		}
	}
	return fmt.Errorf("gave up waiting: %s: %w", what, err)
}
