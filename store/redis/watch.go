package redis

import (
	"context"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// A script that changes a record publishes the kind and key of the record in
// the channel of the shard. The channels are sharded, so the server that wrote
// the record publishes the change. A subscriber misses a message only if it
// loses the connection, is notified that the shard moved, or finds that the
// server is not a master any more.

// publication is the command that publishes a change.
const publication = "SPUBLISH"

func (s *Store) publishToken(t store.Token) op {
	return s.publish(t.Subject, backend.TokenLetter+t.ID)
}

func (s *Store) publishIdentity(subject caveat.Subject) op {
	return s.publish(subject, backend.IdentityLetter+subject.String())
}

func (s *Store) publishTemporary(subject caveat.Subject) op {
	return s.publish(subject, backend.TemporaryLetter+subject.String())
}

func (s *Store) publish(subject caveat.Subject, message string) op {
	return write(publication, s.indexKey(changesOfShards, subject), message)
}

// roleCheck is the interval at which servers are asked whether they are
// masters.
const roleCheck = time.Second

// Watch implements [store.Watcher]. It subscribes at each master, so that a
// change comes from the server that made it. An observer that is thousands of
// changes late receives [store.FeedDown] and [store.FeedUp] instead of them, at
// most once a second. Watch returns [store.ErrClosed], wrapped, when the store
// is closed.
func (s *Store) Watch(ctx context.Context, observe func(store.Change)) error {
	return backend.Feed{Readier: driver{s}, Closed: s.life.Closed, Listen: s.listen}.Watch(ctx, observe)
}

// listen delivers changes until a connection is lost or ctx is done.
func (s *Store) listen(ctx context.Context, q *backend.Queue) error {
	f := s.newFeed(q.Push)
	defer f.close()
	if f.subscribeAll(ctx) != nil {
		return nil
	}
	q.Up()
	select {
	case <-f.lost:
	case <-ctx.Done():
	}
	return nil
}

// feed is a subscription to the channels of all shards.
type feed struct {
	store *Store
	push  func(store.Change)
	conns []rueidis.DedicatedClient

	lose sync.Once
	lost chan struct{}
}

func (s *Store) newFeed(push func(store.Change)) *feed {
	return &feed{store: s, push: push, lost: make(chan struct{})}
}

// subscribeAll subscribes to the channels of all shards.
func (f *feed) subscribeAll(ctx context.Context) error {
	masters, err := f.store.masters(ctx)
	if err != nil {
		return err
	}
	for client, tags := range masters {
		if err := f.subscribe(ctx, client, tags); err != nil {
			return err
		}
	}
	return nil
}

// close closes the connections. They are not returned to the client, because
// messages may be in flight.
func (f *feed) close() {
	for _, conn := range f.conns {
		conn.Close()
	}
}

// subscribe subscribes to the channels of the shards at the server.
func (f *feed) subscribe(ctx context.Context, client rueidis.Client, tags []string) error {
	conn, err := dedicate(ctx, client)
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
			if c, ok := backend.ParsePayload(m.Message); ok {
				f.push(c)
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

// check asks the server regularly whether it is still a master, on the
// connection that delivers changes. A master that became a replica keeps its
// connections but does not publish all changes, and a network that drops
// packets does not close connections.
func (f *feed) check(ctx context.Context, conn rueidis.DedicatedClient) {
	for duration.Sleep(ctx, roleCheck) == nil {
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
		return errors.Join(errors.New("the server is not a master"), err)
	}
	return nil
}

func (f *feed) fail() { f.lose.Do(func() { close(f.lost) }) }
