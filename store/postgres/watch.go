package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// ErrNoFeed is wrapped in the error of [Store.Watch] where the [Options], or those
// that the schema was migrated with, say NoFeed. It is [errors.ErrUnsupported].
var ErrNoFeed = fmt.Errorf("the schema has no feed of changes: %w", errors.ErrUnsupported)

// Watch implements [store.Watcher]. It has a connection of its own besides the
// pool, to FeedURL of the [Options]. Where the server cannot be reached, also at
// the beginning, it goes on trying, once a second or more often.
//
// [store.FeedUp] is reported when a notification that this call sent through the
// pool has arrived, so that a connection on which LISTEN gets lost never counts as
// a feed: the first has 5 seconds to arrive. They are sent every 5 seconds; where
// none that is younger than 10 seconds has arrived, the feed is down. A server that hangs is noticed
// within 3 seconds. FeedUp is reported once a second at most, whatever others
// send.
//
// An observer that is thousands of changes late is told [store.FeedDown] and
// [store.FeedUp] in place of them. Watch returns at once, with the error
// wrapped, where the tables are not there or have no feed ([ErrNoFeed]), and
// returns [store.ErrClosed], wrapped, when the store is closed. badData {key
// "feedUrl"}: FeedURL is no connection string.
func (s *Store) Watch(ctx context.Context, observe func(store.Change)) error {
	const doing = "watch the store"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if observe == nil {
		return errors.BadDataHint("observe", "a feed needs somebody to tell")
	}
	if s.feed.err != nil {
		return s.feed.err
	}
	feed, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closed, cancel)()

	q := newQueue()
	ended := make(chan error, 1)
	go func() { ended <- s.listen(feed, q) }()
	d := delivery{ctx: ctx, observe: observe, pause: s.feed.upEvery}
	for {
		select {
		case <-q.wake:
			d.deliver(q.take())
		case <-d.resume:
			d.up()
		case err := <-ended:
			d.deliver(q.take())
			return environment(doing, err)
		}
	}
}

// delivery tells an observer of changes. It holds FeedUp back where there was one
// a moment ago: each makes the observer forget what it knows.
type delivery struct {
	ctx     context.Context
	observe func(store.Change)
	pause   time.Duration // between one FeedUp and the next, at least

	isUp   bool // as far as the observer knows
	lastUp time.Time
	resume <-chan time.Time // when the FeedUp that is held back is due
}

func (d *delivery) deliver(changes []store.Change) {
	for _, change := range changes {
		if d.ctx.Err() != nil {
			return
		}
		switch change.Kind {
		case store.FeedUp:
			if wait := d.pause - time.Since(d.lastUp); wait > 0 {
				d.resume = time.After(wait)
			} else {
				d.up()
			}
		case store.FeedDown:
			d.resume = nil
			if d.isUp {
				d.isUp = false
				d.observe(change)
			}
		default:
			if d.isUp {
				d.observe(change)
			}
		}
	}
}

func (d *delivery) up() {
	d.resume, d.isUp, d.lastUp = nil, true, time.Now()
	d.observe(store.Change{Kind: store.FeedUp})
}

// parseChange reads what the triggers of the feed write.
func parseChange(payload string) (store.Change, bool) {
	if payload == "" {
		return store.Change{}, false
	}
	kind, key := payload[0], payload[1:]
	if kind == 't' {
		return store.Change{Kind: store.TokenChanged, TokenID: key}, true
	}
	subject, err := caveat.ParseSubject(key)
	switch {
	case err == nil && kind == 'k':
		return store.Change{Kind: store.TemporaryChanged, Subject: subject}, true
	case err == nil && kind == 'i':
		return store.Change{Kind: store.IdentityChanged, Subject: subject}, true
	}
	return store.Change{}, false
}
