package backend

import (
	"cmp"
	"context"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Feed implements Watch.
type Feed struct {
	Readier

	// Closed is done when the store is closed.
	Closed context.Context

	// Listen makes one attempt at a feed. It calls [Queue.Up] when the feed stands,
	// pushes changes, and returns when the feed is lost or ctx is done. It is called
	// again after a pause, unless it returns an error: then no feed is possible.
	Listen func(ctx context.Context, q *Queue) error

	// UpEvery is the time between one FeedUp and the next, at least: each makes an
	// observer forget what it knows. 0: a second.
	UpEvery time.Duration
}

// longestPause is the longest between two attempts to connect.
const longestPause = time.Second

// Watch implements [store.Watcher]. It calls observe from the goroutine of the
// caller, while another one listens.
func (f Feed) Watch(ctx context.Context, observe func(store.Change)) error {
	return Do(ctx, f, "watch the store", func() error {
		if observe == nil {
			return errors.BadDataHint("observe", "a feed needs somebody to tell")
		}
		listening, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(f.Closed, cancel)()
		q, ended := newQueue(), make(chan error, 1)
		go func() { ended <- f.keepUp(listening, q) }()
		d := delivery{ctx: ctx, observe: observe, pause: cmp.Or(f.UpEvery, time.Second)}
		for {
			select {
			case <-q.wake:
				d.deliver(q.take())
				q.settle()
			case <-d.resume:
				d.up()
			case err := <-ended:
				d.deliver(q.take())
				return err
			}
		}
	})
}

// keepUp listens again and again, and returns why it stopped. A feed that stood for
// no longer than a moment is no reason to hurry.
func (f Feed) keepUp(ctx context.Context, q *Queue) error {
	first := Backoff{First: 10 * time.Millisecond, Longest: longestPause}
	for b := first; ; {
		began := time.Now()
		err := f.Listen(ctx, q)
		if q.down() && time.Since(began) > longestPause {
			b = first
		}
		if err == nil {
			err = b.Pause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// delivery tells an observer of changes. It holds FeedUp back where there was one
// a moment ago.
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

// The letters by which feeds tell what a change is about.
const (
	TokenLetter     = "t"
	TemporaryLetter = "k"
	IdentityLetter  = "i"
)

// ParseChange reads a change: a letter and the key of the record. It reports false
// where that is none.
func ParseChange(letter, key string) (store.Change, bool) {
	if letter == TokenLetter {
		return store.Change{Kind: store.TokenChanged, TokenID: key}, true
	}
	subject, err := caveat.ParseSubject(key)
	switch {
	case err == nil && letter == TemporaryLetter:
		return store.Change{Kind: store.TemporaryChanged, Subject: subject}, true
	case err == nil && letter == IdentityLetter:
		return store.Change{Kind: store.IdentityChanged, Subject: subject}, true
	}
	return store.Change{}, false
}

// ParsePayload reads a change that is written as one text. It reports false where
// that is none.
func ParsePayload(text string) (store.Change, bool) {
	if text == "" {
		return store.Change{}, false
	}
	return ParseChange(text[:1], text[1:])
}
