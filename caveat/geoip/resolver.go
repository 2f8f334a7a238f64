package geoip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/onezone-go/onezone/caveat"
)

// DefaultCheckInterval is the default of [Options.CheckInterval].
const DefaultCheckInterval = 10 * time.Second

// Options are the options of [Open]. The zero Options are good.
type Options struct {
	// CheckInterval is how often the files are checked for changes. 0:
	// [DefaultCheckInterval]; negative: only [Resolver.Reload] does.
	CheckInterval time.Duration

	// Logger receives a line for each changed file that a check loads, and for
	// each that it cannot load. nil: [slog.Default].
	Logger *slog.Logger
}

// Resolver looks up addresses in the files. Its methods may be called
// concurrently. A look-up does not allocate memory.
type Resolver struct {
	places, systems *source // nil: there is no such file
	sources         []*source
	log             *slog.Logger

	stop     chan struct{}
	stopOnce sync.Once
	checks   sync.WaitGroup
}

// Open loads the files and returns a Resolver, which the caller must close. Every
// record is checked, so that a look-up does not fail later. The type of a file is
// read from its metadata.
//
// It returns an error if a file cannot be read, is no complete MaxMind database,
// has neither places nor autonomous systems, or has the same as another file.
func Open(files []string, o Options) (*Resolver, error) {
	if len(files) == 0 {
		return nil, errors.New("opening geo databases: no file is given")
	}
	r := &Resolver{log: cmp.Or(o.Logger, slog.Default()), stop: make(chan struct{})}
	for _, file := range files {
		if err := r.add(file); err != nil {
			return nil, fmt.Errorf("opening geo databases: %w", err)
		}
	}
	if interval := cmp.Or(o.CheckInterval, DefaultCheckInterval); interval > 0 {
		r.checks.Go(func() { r.check(interval) })
	}
	return r, nil
}

func (r *Resolver) add(file string) error {
	s, err := openSource(file, r.stop)
	if err != nil {
		return err
	}
	slot := &r.places
	if s.content == systems {
		slot = &r.systems
	}
	if *slot != nil {
		return fmt.Errorf("%s and %s both have %v: give one file of each", (*slot).path, file, s.content)
	}
	*slot = s
	r.sources = append(r.sources, s)
	return nil
}

// Close stops the checks for changes and waits until a running one has ended.
// Look-ups answer from what is loaded, also afterwards. It returns nil, always.
func (r *Resolver) Close() error {
	r.stopOnce.Do(func() { close(r.stop) })
	r.checks.Wait()
	return nil
}

// ASN returns the number of the autonomous system that announces the address. It
// returns an error if no file of autonomous systems is loaded, or if the file has
// no number for the address.
func (r *Resolver) ASN(_ context.Context, ip netip.Addr) (uint32, error) {
	if r.systems == nil {
		return 0, errors.New("no database of autonomous systems, such as GeoLite2-ASN, is loaded")
	}
	record := systemRecords.Get().(*systemRecord)
	defer systemRecords.Put(record)
	*record = systemRecord{}
	if err := r.systems.lookup(ip, record); err != nil {
		return 0, err
	}
	if record.Number == 0 {
		return 0, r.systems.unknown(ip)
	}
	return record.Number, nil
}

// Place returns the country and continent of the address. The continent is ""
// if the file does not say it; then no caveat about regions holds. It returns an
// error if no file of places is loaded, or if the file has no country for the
// address.
func (r *Resolver) Place(_ context.Context, ip netip.Addr) (caveat.Place, error) {
	if r.places == nil {
		return caveat.Place{}, errors.New("no database of places, such as GeoLite2-Country, is loaded")
	}
	record := placeRecords.Get().(*placeRecord)
	defer placeRecords.Put(record)
	*record = placeRecord{}
	if err := r.places.lookup(ip, record); err != nil {
		return caveat.Place{}, err
	}
	if record.Country.Code == "" {
		return caveat.Place{}, r.places.unknown(ip)
	}
	return caveat.Place{
		Country: record.Country.Code, Continent: record.Continent.Code, EU: record.Country.EU,
	}, nil
}
