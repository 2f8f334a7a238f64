package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// ErrNoFeed is wrapped in the error of [Store.Watch] where the [Options], or those
// that the schema was migrated with, say NoFeed.
var ErrNoFeed = errors.New("the schema has no feed of changes")

// maxReconnect is the longest pause between two attempts to connect.
const maxReconnect = time.Second

// Watch implements [store.Watcher]. It takes a connection out of the pool for
// itself; the pool may open another in its place. Where the server cannot be
// reached, also at the beginning, it goes on trying, once a second or more
// often. A connection that says nothing is asked every five seconds whether it
// is there, so that [store.FeedDown] is reported ten seconds after it is lost
// at the latest.
//
// An observer that is thousands of changes late is told [store.FeedDown] and
// [store.FeedUp] in place of them. Watch returns at once, with the error
// wrapped, where the tables are not there or have no feed ([ErrNoFeed]), and
// returns [store.ErrClosed], wrapped, when the store is closed.
func (s *Store) Watch(ctx context.Context, observe func(store.Change)) error {
	const doing = "watch the store"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if observe == nil {
		return errors.BadDataHint("observe", "a feed needs somebody to tell")
	}
	feed, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closed, cancel)()

	q := newQueue()
	ended := make(chan error, 1)
	go func() { ended <- s.listen(feed, q) }()
	tell := func() {
		for _, change := range q.take() {
			if ctx.Err() != nil {
				return
			}
			observe(change)
		}
	}
	for {
		select {
		case <-q.wake:
			tell()
		case err := <-ended:
			tell()
			return environment(doing, err)
		}
	}
}

// listen keeps the feed up until ctx is done or the schema turns out to have
// none, and returns why it ended.
func (s *Store) listen(ctx context.Context, q *queue) error {
	for failures := 0; ; failures++ {
		stood, err := s.stand(ctx, q)
		switch code := sqlState(err); {
		case s.closed.Err() != nil:
			return store.ErrClosed
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrNoFeed), code == undefinedTable, code == undefinedSchema:
			return err
		case stood:
			failures = 0
		}
		// That ctx is done is for the next round to see.
		_ = pause(ctx, min(10*time.Millisecond<<min(failures, 10), maxReconnect))
	}
}

// stand connects and passes on what the server tells until the connection is
// lost. It reports whether the feed stood.
func (s *Store) stand(ctx context.Context, q *queue) (stood bool, err error) {
	conn, err := s.subscribe(ctx)
	if err != nil {
		return false, err
	}
	defer hangUp(conn)
	q.push(store.Change{Kind: store.FeedUp})
	defer q.push(store.Change{Kind: store.FeedDown})
	for {
		n, err := s.next(ctx, conn)
		if err != nil {
			return true, err
		}
		if change, ok := parseChange(n.Payload); ok {
			q.push(change)
			continue
		}
		// Whatever was meant, such as that a table was truncated.
		q.push(store.Change{Kind: store.FeedDown})
		q.push(store.Change{Kind: store.FeedUp})
	}
}

// subscribe takes a connection out of the pool and listens on it.
func (s *Store) subscribe(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*s.heartbeat)
	defer cancel()
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	conn := pooled.Hijack()
	v, err := scanVersion(conn.QueryRow(ctx, inSchema(s.schema)(readVersion)))
	if err == nil && !(v.feed && s.feed) {
		err = ErrNoFeed
	}
	if err == nil {
		_, err = conn.Exec(ctx, "LISTEN "+pgx.Identifier{s.schema}.Sanitize())
	}
	if err != nil {
		hangUp(conn)
		return nil, err
	}
	return conn, nil
}

// hangUp closes the connection; a server that does not answer is not waited for.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// next waits for a notification. In silence it asks whether the server is still
// there: that a connection was lost may otherwise show after minutes only.
func (s *Store) next(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	for {
		n, err := within(ctx, s.heartbeat, conn.WaitForNotification)
		if err == nil || ctx.Err() != nil || !pgconn.Timeout(err) {
			return n, err
		}
		_, err = within(ctx, s.heartbeat, func(ctx context.Context) (struct{}, error) { return struct{}{}, conn.Ping(ctx) })
		if err != nil {
			return nil, fmt.Errorf("ask for a sign of life: %w", err)
		}
	}
}

// within does something that must not take longer than the limit.
func within[T any](ctx context.Context, limit time.Duration, do func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx)
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
