package rest

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
)

func anonymous(address string) Client {
	c := Client{Subject: caveat.Nobody()}
	if address != "" {
		c.PeerIP = netip.MustParseAddr(address)
	}
	return c
}

func user(id string) Client {
	return Client{Subject: caveat.User(id), PeerIP: netip.MustParseAddr("192.0.2.1")}
}

func TestRequestsInFlightAreLimitedPerClient(t *testing.T) {
	t.Parallel()
	f := newInFlight(2)
	var slots []*slot
	admit := func(c Client) error {
		s, err := f.enter(c)
		if err == nil {
			slots = append(slots, s)
		}
		return err
	}
	for _, c := range []struct{ first, same, other Client }{
		{anonymous("192.0.2.1"), anonymous("192.0.2.1"), anonymous("192.0.2.2")},
		{anonymous("2001:db8::1"), anonymous("2001:db8::2%eth0"), anonymous("2001:db8:0:1::1")},
		{anonymous(""), anonymous(""), anonymous("192.0.2.3")},
		{user("alice"), user("alice"), user("bob")},
	} {
		require.NoError(t, admit(c.first))
		require.NoError(t, admit(c.same))
		require.Equal(t, errTooManyRequests, admit(c.first))
		require.Equal(t, errTooManyRequests, admit(c.same))
		require.NoError(t, admit(c.other))
	}

	// A request counts for its address until the client is authenticated.
	s, err := f.enter(anonymous("192.0.2.9"))
	require.NoError(t, err)
	require.Equal(t, errTooManyRequests, s.reassign(user("alice")))
	require.NoError(t, s.reassign(user("carol")))
	slots = append(slots, s)
	for range 2 {
		require.NoError(t, admit(anonymous("192.0.2.9")))
	}
	for _, s := range slots {
		s.leave()
	}
	require.Empty(t, f.clients, "clients without requests take no memory")
	require.NoError(t, admit(user("alice")))

	off := newInFlight(0)
	for range 1000 {
		s, err := off.enter(user("alice"))
		require.NoError(t, err)
		require.NoError(t, s.reserve(t.Context(), bodies, maxMemory))
	}
	require.Empty(t, off.clients)
}

func TestMemoryOfRequestsInFlightIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newInFlight(10)
		enter := func(id string) *slot {
			s, err := f.enter(user(id))
			require.NoError(t, err)
			return s
		}
		a, b := enter("alice"), enter("alice")
		require.NoError(t, a.reserve(t.Context(), bodies, 2*maxClientMemory), "one request has what it needs")
		start := time.Now()
		require.Equal(t, errTooManyRequests, b.reserve(t.Context(), bodies, 1))
		require.Equal(t, memoryWait, time.Since(start))
		require.NoError(t, b.reserve(t.Context(), records, 1), "another pool")

		c := enter("bob")
		require.NoError(t, c.reserve(t.Context(), bodies, maxClientMemory))
		d := enter("carol")
		require.Equal(t, errOverloaded, d.reserve(t.Context(), bodies, 1))
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, d.reserve(canceled, bodies, 1), context.Canceled)

		start = time.Now()
		var waiting sync.WaitGroup
		waiting.Go(func() { require.NoError(t, d.reserve(t.Context(), bodies, 1)) })
		time.AfterFunc(time.Second, a.leave)
		waiting.Wait()
		require.Equal(t, time.Second, time.Since(start), "waiting requests continue as soon as memory is released")
		for _, s := range []*slot{b, c, d} {
			s.leave()
		}
		require.Empty(t, f.clients)
		require.Zero(t, f.memory)
	})
}

// Clients without credentials can have any number of addresses. Together they
// leave memory for authenticated clients.
func TestClientsWithoutCredentialsLeaveMemoryForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newInFlight(10)
		var slots []*slot
		enter := func(c Client) *slot {
			s, err := f.enter(c)
			require.NoError(t, err)
			slots = append(slots, s)
			return s
		}
		for i, address := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", ""} {
			err := enter(anonymous(address)).reserve(t.Context(), bodies, bodyFactor*maxBody)
			if i == 0 {
				require.NoError(t, err)
			} else {
				require.Equal(t, errOverloaded, err)
			}
		}
		require.NoError(t, enter(user("alice")).reserve(t.Context(), bodies, bodyFactor*maxBody))
		for _, s := range slots {
			s.leave()
		}
		require.Empty(t, f.clients)
		require.Zero(t, f.memory)
		require.Zero(t, f.anonymous)
	})
}

// No counts are lost, and no client exceeds its limits.
func TestRequestsInFlightAddUp(t *testing.T) {
	t.Parallel()
	f := newInFlight(4)
	var all sync.WaitGroup
	for worker := range 8 {
		random := rand.New(rand.NewPCG(1, uint64(worker)))
		all.Go(func() {
			for range 500 {
				s, err := f.enter(anonymous([]string{"192.0.2.1", "192.0.2.2"}[random.IntN(2)]))
				if err == nil && random.IntN(2) == 0 {
					_ = s.reassign(user([]string{"alice", "bob"}[random.IntN(2)]))
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				if err == nil && s.reserve(ctx, pool(random.IntN(int(pools))), random.IntN(maxClientMemory)) == nil && random.IntN(2) == 0 {
					s.release(records)
				}
				cancel()
				f.mu.Lock()
				for _, u := range f.clients {
					require.LessOrEqual(t, u.requests, 4)
					require.LessOrEqual(t, max(u.memory[bodies], u.memory[records]), maxClientMemory)
				}
				require.LessOrEqual(t, max(f.memory[bodies], f.memory[records]), maxMemory)
				f.mu.Unlock()
				s.leave()
			}
		})
	}
	all.Wait()
	require.Empty(t, f.clients)
	require.Zero(t, f.memory)
}
