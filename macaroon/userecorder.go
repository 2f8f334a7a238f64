package macaroon

import (
	"context"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// useRecorder counts the uses of tokens in stripes, and writes them to the
// store. A nil *useRecorder records nothing.
type useRecorder struct {
	store   store.Uses
	options LastUse

	// The hash of its id selects the stripe of a token. A verification that
	// finds the stripe locked takes another one.
	stripes [useStripes]useStripe
	seed    maphash.Seed
	tokens  atomic.Int64  // tokens in all stripes
	busy    atomic.Uint64 // uses dropped because no stripe was free

	rows, written, refused, failures atomic.Uint64

	// The writer alone uses these fields.
	pending []store.Use
	seconds int // since the uses were gathered
	pause   int // seconds until the next attempt, after a failed write

	stop chan struct{} // closed by close
	done chan struct{} // closed when the writer has ended
	end  context.CancelFunc
	once sync.Once
	err  error // of close
}

// useStripe holds the uses of some of the tokens.
type useStripe struct {
	mu                sync.Mutex
	uses              map[string]*gatheredUse
	recorded, dropped uint64
	closed            bool

	_ [64]byte // keeps the next stripe off this cache line
}

// gatheredUse is the use of a token since uses were last gathered.
type gatheredUse struct {
	minute  int64 // Unix time in minutes
	count   int64
	address netip.Addr
	service caveat.Service
	through caveat.Interface
}

const (
	useStripes = 64
	// maxRowsPerSecond limits the load of the store.
	maxRowsPerSecond = 150
	// maxRowsAtClose is the number of rows in each of the last writes.
	maxRowsAtClose = 1000
	// useWriteTimeout limits each write.
	useWriteTimeout = 10 * time.Second
	// pauseAfterFailure is the time until a failed write is repeated, in
	// seconds.
	pauseAfterFailure = 10
	// lockAttempts is how many stripes a verification tries.
	lockAttempts = 4
	// countedPerMinute is how many uses of a recognized token are counted one
	// by one in a minute. Of the others, one in sampledOneIn is, for all of
	// them.
	countedPerMinute = 64
	sampledOneIn     = 16
	// maxUsedService is the length of the longest service that is kept, in
	// bytes.
	maxUsedService = 128
)

// newUseRecorder returns a recorder whose writer is not started.
func newUseRecorder(s store.Uses, l LastUse) *useRecorder {
	r := &useRecorder{store: s, options: l, seed: maphash.MakeSeed(), stop: make(chan struct{}), done: make(chan struct{})}
	for i := range r.stripes {
		r.stripes[i].uses = make(map[string]*gatheredUse)
	}
	return r
}

// record counts a use of a token whose verification has succeeded. It never
// waits, and allocates only for the first use of a token in a while.
func (r *useRecorder) record(c *candidate, req *caveat.Request) {
	if r == nil || c.token.Generation() > 0 {
		return
	}
	use := observedUse{minute: req.Now.Unix() / 60, weight: 1, request: req}
	if c.recognized != nil {
		if use.weight = c.recognized.sample(use.minute); use.weight == 0 {
			return
		}
	}
	id := c.token.ID()
	hash := maphash.String(r.seed, id)
	for attempt := range uint64(lockAttempts) {
		s := &r.stripes[(hash+attempt)%useStripes]
		if s.mu.TryLock() {
			s.record(r, id, use)
			s.mu.Unlock()
			return
		}
	}
	r.busy.Add(uint64(use.weight))
}

// observedUse is a use to record.
type observedUse struct {
	minute  int64 // Unix time in minutes
	weight  int64 // number of uses that it represents
	request *caveat.Request
}

// sample returns for how many uses one in the minute stands. It is 1 for the
// first uses in a minute, and then 0 for most. Uses beyond the first write no
// shared memory, so that processors that verify the same token do not slow each
// other down.
func (e *recognized) sample(minute int64) (weight int64) {
	switch {
	case e.usedMinute.Load() != minute:
		e.usedMinute.Store(minute)
		e.counted.Store(1)
		return 1
	case e.counted.Load() < countedPerMinute:
		e.counted.Add(1)
		return 1
	case rand.Uint32()%sampledOneIn == 0:
		return sampledOneIn
	}
	return 0
}

// record counts a use. The stripe must be locked.
func (s *useStripe) record(r *useRecorder, id string, use observedUse) {
	u := s.uses[id]
	if u == nil {
		if s.closed || r.tokens.Load() >= int64(r.options.MaxTokens) {
			s.dropped += uint64(use.weight)
			return
		}
		r.tokens.Add(1)
		u = new(gatheredUse)
		s.uses[strings.Clone(id)] = u // the id would keep the whole token in memory
	}
	if use.minute > u.minute || u.count == 0 {
		u.keep(use)
	}
	u.count += use.weight
	s.recorded += uint64(use.weight)
}

// keep keeps the time and place of a use.
func (u *gatheredUse) keep(use observedUse) {
	service := use.request.Service
	u.minute, u.address, u.through = use.minute, use.request.IP, use.request.Interface
	if u.service != service {
		id := service.ID[:min(len(service.ID), maxUsedService)]
		u.service = caveat.Service{Type: service.Type, ID: strings.Clone(id)} // the id may be a part of a long text
	}
}

// start starts the writer.
func (r *useRecorder) start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.end = cancel
	go func() {
		defer close(r.done)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-r.stop:
				return
			case <-ticker.C:
				r.tick(ctx)
			}
		}
	}()
}

// tick gathers and writes what is due. The writer calls it once a second.
func (r *useRecorder) tick(ctx context.Context) {
	r.seconds++
	if len(r.pending) == 0 && time.Duration(r.seconds)*time.Second >= r.options.Interval {
		r.gather(false)
		r.seconds = 0
	}
	if r.pause > 0 {
		r.pause--
		return
	}
	if r.write(ctx, maxRowsPerSecond) != nil {
		r.pause = pauseAfterFailure
	}
}

// gather moves the uses of all stripes to the pending ones, and forgets tokens
// that were not used since the time before. The last time it closes the
// stripes, which then drop uses.
func (r *useRecorder) gather(last bool) {
	merged := make(map[string]store.Use)
	for i := range r.stripes {
		s := &r.stripes[i]
		s.mu.Lock()
		s.closed = s.closed || last
		for id, u := range s.uses {
			if u.count == 0 || last {
				delete(s.uses, id)
				r.tokens.Add(-1)
			}
			if u.count == 0 {
				continue
			}
			use := r.use(id, u)
			if former, ok := merged[id]; ok {
				use = former.Merge(use)
			}
			merged[id] = use
			u.count = 0
		}
		s.mu.Unlock()
	}
	for _, use := range merged {
		if use.Validate() != nil { // the caller verifies for a time that no store keeps
			r.refused.Add(uint64(use.Count))
			continue
		}
		r.pending = append(r.pending, use)
	}
}

// use returns the use to write.
func (r *useRecorder) use(id string, u *gatheredUse) store.Use {
	use := store.Use{TokenID: id, At: u.minute * 60, Address: r.options.Address.text(u.address), Count: u.count}
	if !u.service.IsZero() {
		use.Service = strings.ToValidUTF8(strings.ReplaceAll(u.service.String(), "\x00", ""), "")
	}
	if u.through != 0 {
		use.Interface = u.through.Name()
	}
	return use
}

// text returns what is kept of the address.
func (k AddressKept) text(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	switch {
	case k == AddressNone || !address.IsValid():
		return ""
	case k == AddressWhole:
		return address.String()
	}
	bits := 48
	if address.Is4() {
		bits = 24
	}
	network, _ := address.Prefix(bits) // valid for every address
	return network.String()
}

// write writes up to n pending uses.
func (r *useRecorder) write(ctx context.Context, n int) error {
	if len(r.pending) == 0 {
		return nil
	}
	batch := r.pending[:min(n, len(r.pending))]
	var uses uint64
	for _, u := range batch {
		uses += uint64(u.Count)
	}
	ctx, cancel := context.WithTimeout(ctx, useWriteTimeout)
	defer cancel()
	err := r.store.RecordUses(ctx, batch)
	if err != nil {
		r.failures.Add(1)
		if r.options.OnError != nil {
			r.options.OnError(err)
		}
		if _, refused := errors.AsType[*errors.Error](err); !refused {
			return err
		}
		r.refused.Add(uses)
	} else {
		r.written.Add(uses)
		r.rows.Add(uint64(len(batch)))
	}
	if r.pending = r.pending[len(batch):]; len(r.pending) == 0 {
		r.pending = nil
	}
	return nil
}

// close stops the writer and writes all uses.
func (r *useRecorder) close(ctx context.Context) error {
	r.once.Do(func() {
		close(r.stop)
		select {
		case <-r.done:
		case <-ctx.Done(): // the writer still waits for the store
			r.end()
			<-r.done
		}
		r.end()
		for r.gather(true); len(r.pending) > 0 && r.err == nil; {
			r.err = r.write(ctx, maxRowsAtClose)
		}
	})
	return r.err
}

// stats returns the counters.
func (r *useRecorder) stats() UseStats {
	all := UseStats{
		Written: r.written.Load(), Rows: r.rows.Load(), Failures: r.failures.Load(), Dropped: r.busy.Load() + r.refused.Load(),
	}
	for i := range r.stripes {
		s := &r.stripes[i]
		s.mu.Lock()
		all.Recorded += s.recorded
		all.Dropped += s.dropped
		s.mu.Unlock()
	}
	return all
}
