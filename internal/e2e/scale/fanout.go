//go:build unix

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

const (
	patience    = time.Minute           // for the first event of each watcher
	restTime    = 30 * time.Millisecond // for each revocation that follows
	revocations = 100
	betweenThem = 20 * time.Millisecond
)

// shared is a database that replicas share.
type shared interface {
	// replica returns a store as one replica has it.
	replica(ctx context.Context) (store.Store, error)
	// connections returns the number of connections to the server. A file has
	// none.
	connections() (int, error)
	// busy returns the processor time that the server has used.
	busy() (time.Duration, error)
	Close() error
}

// fanOut measures how fast revocations reach watchers, each of which has a
// store of its own.
func fanOut(ctx context.Context, e shared, watchers, revoked int, r report) (err error) {
	ctx, stop := context.WithCancel(ctx)
	w := &watching{news: make(chan arrival, watchers), up: make(chan error, watchers)}
	defer func() {
		stop()
		w.running.Wait()
		err = errors.Join(err, w.close())
	}()
	writer, err := e.replica(ctx)
	if err != nil {
		return err
	}
	w.stores = append(w.stores, writer)
	d := dataset{tokens: revoked}
	if err := writer.Import(ctx, d.batch(0, revoked)); err != nil {
		return err
	}
	before, err := e.connections()
	if err != nil {
		return err
	}
	for range watchers {
		if err := w.add(ctx, e); err != nil {
			return err
		}
	}
	after, err := e.connections()
	if err != nil {
		return err
	}
	r("connections of a replica", fmt.Sprintf("%.1f", float64(after-before)/float64(watchers)))
	if err := atRest(e, time.Duration(revoked)*restTime, r); err != nil {
		return err
	}
	if err := lookUps(ctx, e, w.stores[watchers], 200*revoked, r); err != nil {
		return err
	}
	return w.revokeAll(ctx, e, revoked, r)
}

// watching is a set of replicas that watch.
type watching struct {
	stores  []store.Store // the first one writes
	running sync.WaitGroup
	up      chan error
	news    chan arrival
}

// arrival is the report of a change to one watcher.
type arrival struct {
	id string
	at time.Time
}

// add adds a replica, and waits until its feed is connected and it has looked
// up a token.
func (w *watching) add(ctx context.Context, e shared) error {
	s, err := e.replica(ctx)
	if err != nil {
		return err
	}
	w.stores = append(w.stores, s)
	w.running.Go(func() {
		connected := false
		err := s.Watch(ctx, func(c store.Change) {
			switch {
			case c.Kind == store.FeedUp && !connected:
				connected = true
				w.up <- nil
			case c.Kind == store.TokenChanged:
				w.news <- arrival{c.TokenID, time.Now()}
			}
		})
		if !connected {
			w.up <- err
		}
	})
	select {
	case err = <-w.up:
	case <-time.After(patience):
		err = errors.New("the feed does not connect")
	}
	return errors.Join(err, second(s.NamedKey(ctx, tokenID(0))))
}

func second[T any](_ T, err error) error { return err }

func (w *watching) close() error {
	var errs []error
	for _, s := range w.stores {
		errs = append(errs, s.Close()) // closing twice is not an error
	}
	return errors.Join(errs...)
}

// atRest reports the processor time that feeds take when nothing changes.
func atRest(e shared, rest time.Duration, r report) error {
	client, server, err := used(e)
	if err != nil {
		return err
	}
	<-time.After(rest)
	clientAfter, serverAfter, err := used(e)
	percent := func(d time.Duration) float64 { return 100 * d.Seconds() / rest.Seconds() }
	r("processor at rest: all replicas, server", fmt.Sprintf("%.1f %%, %.1f %%", percent(clientAfter-client), percent(serverAfter-server)))
	return err
}

// lookUps reports the processor time of a look-up.
func lookUps(ctx context.Context, e shared, s store.Store, n int, r report) error {
	client, server, err := used(e)
	if err != nil {
		return err
	}
	for range n {
		if err := second(s.NamedKey(ctx, tokenID(0))); err != nil {
			return err
		}
	}
	clientAfter, serverAfter, err := used(e)
	r("processor of a look-up: replica, server", short((clientAfter-client)/time.Duration(n))+", "+short((serverAfter-server)/time.Duration(n)))
	return err
}

// used returns the processor time of this process and of the server.
func used(e shared) (client, server time.Duration, err error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, 0, err
	}
	server, err = e.busy()
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), server, err
}

// revokeAll revokes the tokens one after the other, and reports when watchers
// knew, from the moment when the revocation was acknowledged.
func (w *watching) revokeAll(ctx context.Context, e shared, revoked int, r report) error {
	client, server, err := used(e)
	if err != nil {
		return err
	}
	watchers := len(w.stores) - 1
	var took, first, middle, last []time.Duration
	for n := range revoked {
		<-time.After(betweenThem)
		start := time.Now()
		err := w.stores[0].UpdateToken(ctx, tokenID(n), func(t *store.Token) error { t.Revoked = true; return nil })
		if err != nil {
			return err
		}
		acknowledged := time.Now()
		took = append(took, acknowledged.Sub(start))
		known, err := w.await(tokenID(n), watchers)
		if err != nil {
			return err
		}
		after := func(i int) time.Duration { return max(0, known[i].Sub(acknowledged)) }
		first, middle, last = append(first, after(0)), append(middle, after((watchers-1)/2)), append(last, after(watchers-1))
	}
	clientAfter, serverAfter, err := used(e)
	if err != nil {
		return err
	}
	r("watchers", fmt.Sprint(watchers))
	for _, figure := range []struct {
		what string
		took []time.Duration
	}{{"revoke", took}, {"known to the first", first}, {"known to half of them", middle}, {"known to all", last}} {
		slices.Sort(figure.took)
		r(figure.what, fmt.Sprintf("%s, p99 %s", short(figure.took[revoked/2]), short(figure.took[revoked*99/100])))
	}
	each := func(d time.Duration) string { return short(d / time.Duration(revoked)) }
	r("processor of a revocation: all replicas, server", each(clientAfter-client)+", "+each(serverAfter-server))
	return nil
}

// await returns the sorted times at which watchers learned of the change.
func (w *watching) await(id string, watchers int) (known []time.Time, err error) {
	for len(known) < watchers {
		select {
		case a := <-w.news:
			if a.id == id {
				known = append(known, a.at)
			}
		case <-time.After(patience):
			return nil, fmt.Errorf("%d of %d watchers learned of a revocation", len(known), watchers)
		}
	}
	slices.SortFunc(known, time.Time.Compare)
	return known, nil
}
