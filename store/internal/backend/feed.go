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

	// Listen connects to the feed once. It calls [Queue.Up] when the feed is
	// connected, pushes changes, and returns when the connection is lost or ctx
	// is done. It is called again after a pause unless it returns an error,
	// which means that no feed is possible.
	Listen func(ctx context.Context, q *Queue) error

	// UpEvery is the minimum time between two FeedUp reports, because each one
	// makes an observer forget its state. 0: one second.
	UpEvery time.Duration
}

// longestPause is the longest pause between two attempts to connect.
const longestPause = time.Second

// Watch implements [store.Watcher]. It calls observe in the goroutine of the
// caller, while another goroutine listens.
func (f Feed) Watch(ctx context.Context, observe func(store.Change)) error {
	return Do(ctx, f, "watch the store", func() error {
		if observe == nil {
			return errors.BadDataHint("observe", "observe must not be nil")
		}
		listening, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(f.Closed, cancel)()
		q, ended := newQueue(), make(chan error, 1)
		go func() { ended <- f.listenLoop(listening, q) }()
		d := delivery{ctx: ctx, observe: observe, pause: cmp.Or(f.UpEvery, time.Second)}
		for {
			select {
			case <-q.wake:
				d.deliver(q.take())
				q.markDelivered()
			case <-d.resume:
				d.up()
			case err := <-ended:
				d.deliver(q.take())
				return err
			}
		}
	})
}

// listenLoop calls Listen until it returns an error, and returns that error.
// The pause is reset only after a connection that lasted.
func (f Feed) listenLoop(ctx context.Context, q *Queue) error {
	first := Backoff{First: 10 * time.Millisecond, Longest: longestPause}
	for b := first; ; {
		began := time.Now()
		err := f.Listen(ctx, q)
		if q.markDown() && time.Since(began) > longestPause {
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

// delivery passes changes to an observer. It delays FeedUp if the previous one
// was less than pause ago.
type delivery struct {
	ctx     context.Context
	observe func(store.Change)
	pause   time.Duration // minimum between two FeedUp

	isUp   bool // as far as the observer knows
	lastUp time.Time
	resume <-chan time.Time // when the delayed FeedUp is sent
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

// The letters that encode the kind of a change.
const (
	TokenLetter     = "t"
	TemporaryLetter = "k"
	IdentityLetter  = "i"
)

// ParseChange parses a change: a letter and the key of the record. It returns
// false if they are invalid.
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

// ParsePayload parses a change that is encoded as one text. It returns false if
// it is invalid.
func ParsePayload(text string) (store.Change, bool) {
	if text == "" {
		return store.Change{}, false
	}
	return ParseChange(text[:1], text[1:])
}
