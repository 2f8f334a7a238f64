package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// DefaultMaxInFlight is how many requests of one client the token API takes at
// once; see [WithMaxInFlight].
const DefaultMaxInFlight = 100

// Bounds of the memory that requests in flight take, in bytes, for each pool. What
// a request takes is estimated before it is allocated. Small requests are not
// counted: the server bounds the number of connections.
const (
	maxMemory          = 16 << 20        // of all clients
	maxAnonymousMemory = 8 << 20         // of all clients without credentials, so that some is left for others
	maxClientMemory    = 8 << 20         // of one client
	memoryWait         = 5 * time.Second // before a request is refused for lack of memory
	retryAfter         = time.Second     // what clients that are refused are told

	// bodyFactor is what a body takes with all that is read out of it, in its own
	// length. Bodies up to smallBody are not counted.
	bodyFactor = 4
	smallBody  = 16 << 10
	// recordMemory is what it takes to read one record and to answer with it, and
	// pageMemory what it takes to read a page of them.
	recordMemory = 256 << 10
	pageMemory   = 8 << 20
)

// pool is one kind of memory. Bodies, which everybody can send slowly, do not keep
// others from reading records.
type pool int

const (
	bodies pool = iota
	records
	pools
)

// inFlight counts the requests of each client that are under way, and the memory
// that they take.
type inFlight struct {
	maxRequests int // of one client; 0: no limit

	mu        sync.Mutex
	clients   map[inFlightKey]inFlightUse
	memory    [pools]int    // of all clients
	anonymous [pools]int    // of those, without credentials
	freed     chan struct{} // closed when memory was given back, if somebody waits
}

// inFlightKey is whose requests are counted together: those of a user or
// Oneprovider, or without one those of an address. The zero key is nobody's.
type inFlightKey struct {
	subject   caveat.Subject
	anonymous bool
	address   netip.Addr // of the 64 bits in front of an IPv6 address
}

type inFlightUse struct {
	requests int
	memory   [pools]int
}

func newInFlight(maxRequests int) *inFlight {
	return &inFlight{maxRequests: maxRequests, clients: make(map[inFlightKey]inFlightUse)}
}

// inFlightKeyOf returns how the requests of the client are counted.
func inFlightKeyOf(c Client) inFlightKey {
	switch address := c.PeerIP.WithZone(""); {
	case !c.IsNobody():
		return inFlightKey{subject: c.Subject}
	case address.Is6():
		return inFlightKey{anonymous: true, address: netip.PrefixFrom(address, 64).Masked().Addr()}
	default:
		return inFlightKey{anonymous: true, address: address}
	}
}

// slot is one request under way.
type slot struct {
	*inFlight
	key    inFlightKey
	memory [pools]int
}

// enter counts a request of the client, whose slot has to leave. The error is
// errTooManyRequests.
func (f *inFlight) enter(c Client) (*slot, error) {
	s := &slot{inFlight: f}
	return s, s.become(c)
}

// become counts the request as one of another client, once it is known who sent
// it. The error is errTooManyRequests, and the slot then stays with the client
// before.
func (s *slot) become(c Client) error {
	key := inFlightKeyOf(c)
	if s.maxRequests <= 0 || key == s.key {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[key].requests >= s.maxRequests {
		return errTooManyRequests
	}
	s.leaveClient()
	s.key = key
	s.use(func(u *inFlightUse) { u.requests++ })
	return nil
}

// leaveClient takes the request from the client that it is counted for. Memory is
// reserved only once the client is known for good.
func (s *slot) leaveClient() {
	if s.key != (inFlightKey{}) {
		s.use(func(u *inFlightUse) { u.requests-- })
	}
}

// use changes what the client uses. A client that uses nothing takes no memory
// here.
func (s *slot) use(change func(*inFlightUse)) {
	u := s.clients[s.key]
	change(&u)
	if u == (inFlightUse{}) {
		delete(s.clients, s.key)
	} else {
		s.clients[s.key] = u
	}
}

// reserve waits until the request may take so much memory of the pool. Errors:
// errTooManyRequests where other requests of the client take what one client may
// have, and errOverloaded where those of all clients do; that of ctx.
func (s *slot) reserve(ctx context.Context, p pool, memory int) error {
	if s.maxRequests <= 0 {
		return nil
	}
	memory = min(memory, maxClientMemory-s.memory[p])
	var timeout <-chan time.Time
	for {
		freed, problem := s.take(p, memory)
		if problem == nil {
			return nil
		}
		if timeout == nil {
			timer := time.NewTimer(memoryWait)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-freed:
		case <-timeout:
			return problem
		case <-ctx.Done():
			return fmt.Errorf("waiting for memory: %w", ctx.Err())
		}
	}
}

// take takes memory, or tells why there is none, and what to wait for.
func (s *slot) take(p pool, memory int) (freed <-chan struct{}, problem error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.clients[s.key].memory[p]+memory > maxClientMemory:
		problem = errTooManyRequests
	case s.inFlight.memory[p]+memory > maxMemory,
		s.key.anonymous && s.anonymous[p]+memory > maxAnonymousMemory:
		problem = errOverloaded
	default:
		s.change(p, memory)
		return nil, nil
	}
	if s.freed == nil {
		s.freed = make(chan struct{})
	}
	return s.freed, problem
}

func (s *slot) change(p pool, memory int) {
	s.memory[p] += memory
	s.inFlight.memory[p] += memory
	if s.key.anonymous {
		s.anonymous[p] += memory
	}
	s.use(func(u *inFlightUse) { u.memory[p] += memory })
	if memory < 0 && s.freed != nil {
		close(s.freed)
		s.freed = nil
	}
}

// release gives back what was reserved of the pool.
func (s *slot) release(p pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(p, -s.memory[p])
}

// leave gives everything back.
func (s *slot) leave() {
	if s.maxRequests <= 0 {
		return
	}
	s.release(bodies)
	s.release(records)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaveClient()
	s.key = inFlightKey{}
}

// busyError is the status of an answer to a request that may be sent again later.
type busyError int

const (
	errTooManyRequests busyError = http.StatusTooManyRequests
	errOverloaded      busyError = http.StatusServiceUnavailable
)

// Error implements error.
func (e busyError) Error() string {
	if e == errTooManyRequests {
		return "the client has too many requests in flight"
	}
	return "all clients together have too many large requests in flight"
}

// admit finds out who makes the request, and counts it: while that is not known,
// as one of the address. The slot has to leave, whatever the error is.
func (c *config) admit(r *http.Request) (Client, *slot, error) {
	s, err := c.inFlight.enter(Client{Subject: caveat.Nobody(), PeerIP: macaroon.ActorFrom(r.Context()).Address})
	if err != nil {
		return Client{}, s, err
	}
	client, err := c.authenticate(r)
	if err == nil {
		err = s.become(client)
	}
	return client, s, err
}

// reservedBody is a body for which memory is reserved once it is not small.
type reservedBody struct {
	io.ReadCloser
	call *call
	read int
	done bool
}

// Read implements [io.Reader].
func (b *reservedBody) Read(p []byte) (n int, err error) {
	if b.read > smallBody && !b.done {
		size := maxBody
		if announced := b.call.r.ContentLength; announced >= 0 {
			size = int(min(announced, maxBody))
		}
		if err := b.call.slot.reserve(b.call.r.Context(), bodies, bodyFactor*size); err != nil {
			return 0, err
		}
		b.done = true
	}
	n, err = b.ReadCloser.Read(p)
	b.read += n
	return n, err
}
