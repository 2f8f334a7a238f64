//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

const (
	warmTokens   = 10_000
	cacheEntries = 100_000
	callers      = 64
	maxSamples   = 1000
	longLists    = 20
	walked       = 1_000_000 // tokens of the walk of a clean-up
)

// engine is a database with a store in it.
type engine interface {
	// load returns a store with the settings of a bulk load. The engine must
	// be opened afterwards.
	load(ctx context.Context) (store.Store, error)
	// open returns a store with the settings of a service.
	open(ctx context.Context) (store.Store, error)
	// cool makes the machine forget what it keeps in memory of the files. No
	// store may be open.
	cool() error
	size() (bytes int64, err error)
	// backup writes a backup of the store and returns its size.
	backup(ctx context.Context, s store.Store) (bytes int64, err error)
	importers() int // concurrent callers of a bulk load
	Close() error
}

// report receives the figures of a measurement.
type report func(what, figure string)

// measurement measures a store that holds the records of a dataset.
type measurement struct {
	dataset
	s      store.Store
	random *rand.Rand
	report report
	made   int // tokens that were created

	samples int // calls of an operation
}

// measure fills the engine and reports how fast each operation is.
func measure(ctx context.Context, e engine, d dataset, r report) (err error) {
	if err := loadAll(ctx, e, d, r); err != nil {
		return err
	}
	if err := e.cool(); err != nil {
		return err
	}
	start := time.Now()
	s, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r("open and migrate", short(time.Since(start)))
	m := &measurement{dataset: d, s: s, random: rand.New(rand.NewPCG(1, 2)), report: r, samples: min(maxSamples, d.tokens/100)}
	for _, do := range []func(context.Context) error{m.lookups, m.lists, m.writes, m.cleanUp, m.cacheEntry} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return m.backup(ctx, e)
}

// loadAll fills the engine and reports the size of its files.
func loadAll(ctx context.Context, e engine, d dataset, r report) error {
	s, err := e.load(ctx)
	if err != nil {
		return err
	}
	took, err := d.fill(ctx, s, e.importers())
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	r("tokens", fmt.Sprint(d.tokens))
	r("loaded a second", fmt.Sprintf("%.0f", float64(d.tokens)/took.Seconds()))
	size, err := e.size()
	if err != nil {
		return err
	}
	r("bytes of a token with its share of a user", fmt.Sprintf("%.0f", float64(size)/float64(d.tokens)))
	return nil
}

// sample calls do n times and reports the median and the 99th percentile.
func (m *measurement) sample(what string, n int, do func() error) error {
	took := make([]time.Duration, n)
	for i := range took {
		start := time.Now()
		if err := do(); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	m.report(what, fmt.Sprintf("%s, p99 %s", short(took[n/2]), short(took[n*99/100])))
	return nil
}

// short formats a duration with three digits.
func short(d time.Duration) string {
	unit := time.Nanosecond
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

func (m *measurement) lookups(ctx context.Context) error {
	lookUp := func(below int) func() error {
		return func() error {
			_, err := m.s.NamedKey(ctx, tokenID(m.random.IntN(below)))
			return err
		}
	}
	if err := m.sample("look-up of any token, cold", m.samples, lookUp(m.tokens)); err != nil {
		return err
	}
	inUse := min(warmTokens, m.tokens)
	for n := range inUse {
		if _, err := m.s.NamedKey(ctx, tokenID(n)); err != nil {
			return err
		}
	}
	if err := m.sample(fmt.Sprintf("look-up of %d tokens in use, warm", inUse), 20*m.samples, lookUp(inUse)); err != nil {
		return err
	}
	return m.concurrently(fmt.Sprintf("look-ups a second, %d callers", callers), m.samples/2, func(n int) error {
		return second(m.s.NamedKey(ctx, tokenID(n%inUse)))
	})
}

func (m *measurement) lists(ctx context.Context) error {
	list := func(user, limit int) func() error {
		return func() error {
			q := store.Query{Subject: subjectOf(user), Limit: limit}
			for {
				_, next, err := m.s.ListTokens(ctx, q)
				if q.After = next; err != nil || next.IsZero() {
					return err
				}
			}
		}
	}
	users := m.holder(m.tokens - 1)
	err := m.sample(fmt.Sprintf("list the %d tokens of a user", tokensEach), m.samples, func() error {
		return list(1+m.random.IntN(users-1), store.DefaultPage)()
	})
	if err != nil {
		return err
	}
	return m.sample(fmt.Sprintf("list the %d tokens of a user, pages of %d", m.heavy(), store.MaxPage), longLists, list(0, store.MaxPage))
}

func (m *measurement) writes(ctx context.Context) error {
	err := m.sample("create, 1 caller", m.samples, func() error {
		m.made++
		return m.create(ctx, m.tokens+m.made)
	})
	if err == nil {
		each := m.samples / 20
		from := m.tokens + m.made + 1
		m.made += callers * each
		err = m.concurrently(fmt.Sprintf("created a second, %d callers", callers), each, func(n int) error { return m.create(ctx, from+n) })
	}
	if err == nil {
		err = m.sample("revoke, 1 caller", m.samples, func() error {
			return m.s.UpdateToken(ctx, tokenID(m.random.IntN(m.tokens)), func(t *store.Token) error {
				t.Revoked = true
				return nil
			})
		})
	}
	return err
}

// create creates a token of an arbitrary user who has ten.
func (m *measurement) create(ctx context.Context, n int) error {
	t := m.token(n)
	t.Subject = subjectOf(1 + int(mix(n)%uint64(m.holder(m.tokens-1))))
	_, err := m.s.CreateToken(ctx, *t, store.HolderActive)
	return err
}

// concurrently makes calls from many goroutines, each with another number, and
// reports how many there were a second.
func (m *measurement) concurrently(what string, each int, do func(n int) error) error {
	errs := make([]error, callers)
	start := time.Now()
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for i := 0; i < each && errs[caller] == nil; i++ {
				errs[caller] = do(caller*each + i)
			}
		})
	}
	all.Wait()
	m.report(what, fmt.Sprintf("%.0f", float64(callers*each)/time.Since(start).Seconds()))
	return errors.Join(errs...)
}

// cleanUp does what "onezone token clean" does: it reads tokens with their last
// uses, and deletes some.
func (m *measurement) cleanUp(ctx context.Context) error {
	start, read := time.Now(), 0
	for q := (store.Query{Limit: store.MaxPage}); read < walked; {
		page, next, err := m.s.ListTokens(ctx, q)
		if err != nil {
			return err
		}
		ids := make([]string, len(page))
		for i, t := range page {
			ids[i] = t.ID
		}
		if _, err := m.s.LastUses(ctx, ids); err != nil {
			return err
		}
		read += len(page)
		if q.After = next; next.IsZero() {
			break
		}
	}
	m.report("clean-up: tokens read a second", fmt.Sprintf("%.0f", float64(read)/time.Since(start).Seconds()))
	return m.sample("clean-up: delete a token", m.samples, func() error {
		defer func() { m.made-- }()
		return m.s.DeleteToken(ctx, tokenID(m.tokens+m.made))
	})
}

func (m *measurement) backup(ctx context.Context, e engine) error {
	start := time.Now()
	size, err := e.backup(ctx, m.s)
	m.report("backup", fmt.Sprintf("%s, %d MB", short(time.Since(start)), size/1_000_000))
	return err
}
