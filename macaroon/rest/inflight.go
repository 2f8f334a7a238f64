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

// DefaultMaxInFlight is the default limit of [NewHandler] on concurrent
// requests of a client; see [WithMaxInFlight].
const DefaultMaxInFlight = 100

// Limits on the memory of requests in flight, in bytes per pool. Memory is
// estimated before it is allocated. Small requests are not counted, because the
// server limits the number of connections.
const (
	maxMemory          = 16 << 20        // of all clients
	maxAnonymousMemory = 8 << 20         // of all clients without credentials, so that others get memory
	maxClientMemory    = 8 << 20         // of one client
	memoryWait         = 5 * time.Second // then the request is refused
	retryAfter         = time.Second     // for refused clients

	// bodyFactor estimates the memory of a body and everything decoded from it,
	// as a multiple of its length. Bodies up to smallBody are not counted.
	bodyFactor = 4
	smallBody  = 16 << 10
	// recordMemory is the memory to read one record and to answer with it, and
	// pageMemory the memory to read a page of records.
	recordMemory = 256 << 10
	pageMemory   = 8 << 20
)

// pool is one kind of memory. Bodies have their own pool, so that clients that
// send them slowly cannot block the reading of records.
type pool int

const (
	bodies pool = iota
	records
	pools
)

// inFlight counts the requests in flight of each client, and their memory.
type inFlight struct {
	maxRequests int   // of one client; 0: no limit
	uncounted   *slot // of all requests if there is no limit

	mu        sync.Mutex
	clients   map[inFlightKey]*inFlightUse
	spare     *inFlightUse  // of a client that was forgotten, for the next one; may be nil
	memory    [pools]int    // of all clients
	anonymous [pools]int    // of all clients without credentials
	freed     chan struct{} // closed when memory is released, if a request waits for it
}

// inFlightKey identifies the requests that are counted together: those of a
// user or Oneprovider, or those without credentials of an address. The zero key
// belongs to no client.
type inFlightKey struct {
	subject   caveat.Subject
	anonymous bool
	address   netip.Addr // with only the first 64 bits of an IPv6 address
}

// inFlightUse is what the requests of a client use.
type inFlightUse struct {
	requests int
	memory   [pools]int
}

func newInFlight(maxRequests int) *inFlight {
	f := &inFlight{maxRequests: maxRequests, clients: make(map[inFlightKey]*inFlightUse)}
	f.uncounted = &slot{inFlight: f}
	return f
}

// inFlightKeyOf returns the key under which the requests of the client are
// counted.
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

// slot is one request in flight.
type slot struct {
	*inFlight
	key    inFlightKey
	client *inFlightUse // of the key; nil if the request does not count
	memory [pools]int
}

// enter counts a request of the client. The caller must call leave on the slot.
// The error is errTooManyRequests.
func (f *inFlight) enter(c Client) (*slot, error) {
	if f.maxRequests <= 0 {
		return f.uncounted, nil
	}
	s := &slot{inFlight: f}
	return s, s.reassign(c)
}

// reassign counts the request for another client, after it was authenticated.
// The error is errTooManyRequests; the slot then stays with the previous
// client.
func (s *slot) reassign(c Client) error {
	if s.maxRequests <= 0 {
		return nil
	}
	key := inFlightKeyOf(c)
	if key == s.key {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	client := s.clients[key]
	switch {
	case client == nil:
		if client = s.spare; client == nil {
			client = new(inFlightUse)
		}
		s.clients[key], s.spare = client, nil
	case client.requests >= s.maxRequests:
		return errTooManyRequests
	}
	client.requests++
	s.leaveClient()
	s.key, s.client = key, client
	return nil
}

// leaveClient stops counting the request for its client, and forgets a client
// without requests. The request holds no memory: that is reserved only after
// authentication.
func (s *slot) leaveClient() {
	if s.client == nil {
		return
	}
	if s.client.requests--; s.client.requests == 0 {
		delete(s.clients, s.key)
		s.spare = s.client
	}
}

// reserve waits until the pool has the memory for the request. Errors:
// errTooManyRequests if the requests of the client reach its limit,
// errOverloaded if those of all clients reach theirs, and the error of ctx.
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

// take takes memory, or returns the problem and the channel to wait for.
func (s *slot) take(p pool, memory int) (freed <-chan struct{}, problem error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.client.memory[p]+memory > maxClientMemory:
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
	s.client.memory[p] += memory
	if memory < 0 && s.freed != nil {
		close(s.freed)
		s.freed = nil
	}
}

// release returns the reserved memory to the pool.
func (s *slot) release(p pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(p, -s.memory[p])
}

// leave releases the request and its memory.
func (s *slot) leave() {
	if s.maxRequests <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range pools {
		if s.memory[p] != 0 {
			s.change(p, -s.memory[p])
		}
	}
	s.leaveClient()
	s.key, s.client = inFlightKey{}, nil
}

// busyError is the status of a refusal after which the client may retry.
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

// admit authenticates the request and counts it, at first for its address. The
// caller must call leave on the slot, also after an error.
func (c *config) admit(r *http.Request) (Client, *slot, error) {
	s, err := c.inFlight.enter(Client{Subject: caveat.Nobody(), PeerIP: macaroon.ActorFrom(r.Context()).Address})
	if err != nil {
		return Client{}, s, err
	}
	client, err := c.authenticate(r)
	if err == nil {
		err = s.reassign(client)
	}
	return client, s, err
}

// reservedBody is a body that reserves memory when it is not small.
type reservedBody struct {
	io.ReadCloser
	call *call
	read int
	done bool
}

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
