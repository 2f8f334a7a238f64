package redis

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// settling is the longest time to repeat what has changed.
const settling = 30 * time.Second

var (
	errUnsettled = errors.New("records change faster than they can be read: repeat the call when fewer are written")
	errFeedLost  = errors.New("the feed of changes was disconnected: repeat the call")
)

// Snapshot calls read with all records as they are at one moment, and holds
// them in memory. Last uses are as they were when they were read. Writers are
// not blocked. The exporter must not be used afterwards.
//
// Redis has no snapshots for clients. Snapshot reads all records, and then
// those that the feed of changes reports, until nothing has changed while it
// read. It fails if that does not happen within 30 seconds, and if the feed
// disconnects.
func (s *Store) Snapshot(ctx context.Context, read func(context.Context, store.Exporter) error) error {
	return backend.Do(ctx, s.life, "read a snapshot", func() error {
		all, err := s.settled(ctx)
		if err != nil {
			return err
		}
		return read(ctx, all.sorted())
	})
}

// settled returns the records of one moment.
func (s *Store) settled(ctx context.Context) (collection, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	changes := &changeSet{}
	f := s.newFeed(changes.add)
	defer f.close()
	if err := f.subscribeAll(ctx); err != nil {
		return nil, err
	}
	all := collection{}
	for kind := store.IdentityRecords; kind <= store.UseRecords; kind++ {
		all[kind] = map[string]store.Record{}
		for after, more := "", true; more; more = after != "" {
			records, next, err := s.Export(ctx, kind, after, store.MaxPage)
			if err != nil {
				return nil, err
			}
			for _, r := range records {
				all[kind][r.Key()] = r
			}
			after = next
		}
	}
	for last := time.Now().Add(settling); ; {
		if err := f.catchUp(ctx); err != nil {
			return nil, err
		}
		changed := changes.take()
		switch {
		case len(changed) == 0:
			// All records were read after their last change, and none has
			// changed since.
			return all, nil
		case time.Now().After(last):
			return nil, errUnsettled
		}
		if err := s.readAgain(ctx, all, changed); err != nil {
			return nil, err
		}
	}
}

// catchUp returns when all changes that were made before the call have been
// pushed. Each server answers after the changes that it has sent before.
func (f *feed) catchUp(ctx context.Context) error {
	for _, conn := range f.conns {
		if err := requireMaster(ctx, conn); err != nil {
			return errors.Join(errFeedLost, err)
		}
	}
	select {
	case <-f.lost:
		return errFeedLost
	default:
		return nil
	}
}

// changeSet collects changes, each once.
type changeSet struct {
	mu  sync.Mutex
	set map[store.Change]bool
}

func (c *changeSet) add(change store.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set == nil {
		c.set = map[store.Change]bool{}
	}
	c.set[change] = true
}

// take returns the changes and forgets them.
func (c *changeSet) take() []store.Change {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := slices.Collect(maps.Keys(c.set))
	c.set = nil
	return changed
}

// readersAtOnce is the number of records that are read at once.
const readersAtOnce = 32

// readAgain replaces or removes the records that have changed.
func (s *Store) readAgain(ctx context.Context, all collection, changed []store.Change) error {
	for part := range slices.Chunk(changed, readersAtOnce) {
		read, errs := make([]store.Record, len(part)), make([]error, len(part))
		var readers sync.WaitGroup
		for i, c := range part {
			_, record := recordOf(c)
			readers.Go(func() { read[i], errs[i] = store.Current(ctx, s, record) })
		}
		readers.Wait()
		for i, c := range part {
			kind, record := recordOf(c)
			switch {
			case errors.Is(errs[i], errors.IDNotFound):
				delete(all[kind], record.Key())
			case errs[i] != nil:
				return errs[i]
			default:
				all[kind][record.Key()] = read[i]
			}
		}
	}
	return nil
}

// recordOf returns the kind of the record that has changed, and a record with
// its key alone.
func recordOf(c store.Change) (store.RecordKind, store.Record) {
	switch c.Kind {
	case store.TokenChanged:
		return store.TokenRecords, store.Record{Token: &store.Token{ID: c.TokenID}}
	case store.IdentityChanged:
		return store.IdentityRecords, store.Record{Identity: &store.Identity{Subject: c.Subject}}
	}
	return store.TemporaryRecords, store.Record{Temporary: &store.Temporary{Subject: c.Subject}}
}

// collection has records by kind and key.
type collection map[store.RecordKind]map[string]store.Record

// sorted returns the records in the order of their keys.
func (c collection) sorted() snapshot {
	s := snapshot{}
	for kind, records := range c {
		s[kind] = slices.SortedFunc(maps.Values(records), func(x, y store.Record) int { return cmp.Compare(x.Key(), y.Key()) })
	}
	return s
}

// snapshot implements [store.Exporter] with records in memory. A position is
// the number of records before it.
type snapshot map[store.RecordKind][]store.Record

func (s snapshot) Export(_ context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	from := 0
	if after != "" {
		var err error
		if from, err = strconv.Atoi(after); err != nil || from < 0 {
			return nil, "", backend.BadPosition()
		}
	}
	from = min(from, len(s[kind]))
	to := min(from+store.Query{Limit: limit}.PageSize(), len(s[kind]))
	if to == len(s[kind]) {
		return s[kind][from:to], "", nil
	}
	return s[kind][from:to], strconv.Itoa(to), nil
}
