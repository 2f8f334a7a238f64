package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// A script that changes a record publishes it in the channel of the shard: the
// kind of the record and what it is of. The channels are sharded, so that the
// server that wrote is the one that tells, and a subscriber loses no message
// without losing a connection, being told that the shard has moved, or finding
// that the server is no master any more.

// publication is the command that publishes.
const publication = "SPUBLISH"

func (s *Store) publishToken(t store.Token) op {
	return s.publish(t.Subject, tokenKind+t.ID)
}

func (s *Store) publishIdentity(subject caveat.Subject) op {
	return s.publish(subject, identityKind+subject.String())
}

func (s *Store) publishTemporary(subject caveat.Subject) op {
	return s.publish(subject, temporaryKind+subject.String())
}

func (s *Store) publish(subject caveat.Subject, message string) op {
	return write(publication, s.indexKey(changesOfShards, subject), message)
}

// changeOf returns what a message in a channel tells.
func changeOf(message string) (c store.Change, ok bool) {
	if message == "" {
		return store.Change{}, false
	}
	kind, of := message[:1], message[1:]
	c.Subject, _ = caveat.ParseSubject(of)
	switch kind {
	case tokenKind:
		c = store.Change{Kind: store.TokenChanged, TokenID: of}
	case identityKind:
		c.Kind = store.IdentityChanged
	case temporaryKind:
		c.Kind = store.TemporaryChanged
	default:
		return store.Change{}, false
	}
	return c, true
}

const (
	// maxQueue is how many changes wait for a slow observer. Then the feed counts
	// as lost, so that no observer makes the server keep them.
	maxQueue = 4096
	// roleCheck is the time between questions to a server whether it is a master.
	roleCheck = time.Second
	// upInterval is the time between one FeedUp and the next, at least: each makes
	// an observer forget what it knows.
	upInterval = time.Second
	// A lost feed waits between attempts, longer each time.
	firstReconnectPause = 5 * time.Millisecond
	maxReconnectPause   = time.Second
)

// Watch implements [store.Watcher]. It subscribes at each master, so that a
// change comes from the server that made it. An observer that is thousands of
// changes late is told [store.FeedDown] and [store.FeedUp] in place of them, once a
// second at most.
// Watch returns [store.ErrClosed], wrapped, when the store is closed.
func (s *Store) Watch(ctx context.Context, observe func(store.Change)) error {
	const watch = "watch the store"
	if err := s.ready(ctx, watch); err != nil {
		return err
	}
	if observe == nil {
		return errors.BadDataHint("observe", "a feed needs somebody to tell")
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-s.done:
			stop()
		case <-watching.Done():
		}
	}()
	for pause := firstReconnectPause; watching.Err() == nil; {
		began := time.Now()
		if err := s.tell(watching, observe); err == nil {
			pause = max(firstReconnectPause, upInterval-time.Since(began))
			if ctx.Err() == nil {
				observe(store.Change{Kind: store.FeedDown})
			}
		}
		_ = sleep(watching, pause)
		pause = min(2*pause, maxReconnectPause)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", watch, err)
	}
	return fmt.Errorf("%s: %w", watch, store.ErrClosed)
}

// tell tells of changes until the feed, once it stands, is lost or ctx is done.
func (s *Store) tell(ctx context.Context, observe func(store.Change)) error {
	f, err := s.subscribe(ctx)
	if err != nil {
		return err
	}
	defer f.unsubscribe()
	observe(store.Change{Kind: store.FeedUp})
	f.deliver(ctx, observe)
	return nil
}

// feed is a subscription to the channels of all shards.
type feed struct {
	store *Store
	queue chan string // messages
	conns []rueidis.DedicatedClient

	lose sync.Once
	lost chan struct{}
}

// subscribe returns a feed that stands.
func (s *Store) subscribe(ctx context.Context) (*feed, error) {
	f := &feed{store: s, queue: make(chan string, maxQueue), lost: make(chan struct{})}
	masters, err := s.masters(ctx)
	if err != nil {
		return nil, err
	}
	for client, tags := range masters {
		if err := f.subscribe(ctx, client, tags); err != nil {
			f.unsubscribe()
			return nil, err
		}
	}
	return f, nil
}

// subscribe has the server tell of the shards.
func (f *feed) subscribe(ctx context.Context, client rueidis.Client, tags []string) error {
	conn, _, err := dedicate(ctx, client)
	if err != nil {
		return err
	}
	f.conns = append(f.conns, conn)
	commands := make([]rueidis.Completed, len(tags))
	for i, tag := range tags {
		commands[i] = conn.B().Ssubscribe().Channel(f.store.key(changesOfShards, tag, "")).Build()
	}
	broken := conn.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage: func(m rueidis.PubSubMessage) {
			select {
			case f.queue <- m.Message:
			default:
				f.fail()
			}
		},
		OnSubscription: func(event rueidis.PubSubSubscription) {
			if event.Kind == "sunsubscribe" { // the shard moves to another server
				f.fail()
			}
		},
	})
	go func() {
		<-broken
		f.fail()
	}()
	for _, result := range conn.DoMulti(ctx, commands...) {
		if err := result.Error(); err != nil {
			return err
		}
	}
	go f.check(ctx, conn)
	return requireMaster(ctx, conn)
}

// check asks the server from time to time, by the connection that messages come
// by, whether it is a master still. One that has become a replica keeps its
// connections, and does not tell all; and a network that drops packets closes none.
func (f *feed) check(ctx context.Context, conn rueidis.DedicatedClient) {
	for sleep(ctx, roleCheck) == nil {
		asking, cancel := context.WithTimeout(ctx, roleCheck)
		err := requireMaster(asking, conn)
		cancel()
		if err != nil {
			f.fail()
			return
		}
	}
}

func requireMaster(ctx context.Context, conn rueidis.DedicatedClient) error {
	role, err := conn.Do(ctx, conn.B().Role().Build()).ToArray()
	if err != nil {
		return err
	}
	if len(role) == 0 {
		return errFormat
	}
	if name, err := role[0].ToString(); name != "master" {
		return errors.Join(errors.New("the server is no master"), err)
	}
	return nil
}

func (f *feed) fail() { f.lose.Do(func() { close(f.lost) }) }

// deliver tells of changes until the feed is lost or ctx is done.
func (f *feed) deliver(ctx context.Context, observe func(store.Change)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.lost:
			return
		case message := <-f.queue:
			if c, ok := changeOf(message); ok && ctx.Err() == nil {
				observe(c)
			}
		}
	}
}

// unsubscribe ends the feed. It closes connections rather than giving them back,
// since messages may be under way in them.
func (f *feed) unsubscribe() {
	for _, conn := range f.conns {
		conn.Close()
	}
}
