package postgres_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
)

// proxy is a proxy between a pool and the shared server that simulates network
// faults.
type proxy struct {
	url      string
	server   string
	refusing atomic.Bool  // new connections are closed
	stalled  atomic.Bool  // bytes are lost silently
	budget   atomic.Int64 // bytes that pass, both ways together, before all is cut
	passed   atomic.Int64 // bytes that passed
	asked    atomic.Int64 // times that a client sent something

	mu    sync.Mutex
	conns map[net.Conn]bool
}

const unlimited = 1 << 60

func newProxy(t *testing.T) *proxy {
	t.Helper()
	address, err := url.Parse(pgtest.URL(t))
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{server: address.Host, conns: make(map[net.Conn]bool)}
	address.Host = l.Addr().String()
	p.url = address.String()
	p.budget.Store(unlimited)
	var accepting sync.WaitGroup
	accepting.Go(func() { p.accept(l) })
	t.Cleanup(func() {
		l.Close()
		accepting.Wait()
		p.cut()
	})
	return p
}

func (p *proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil || p.refusing.Load() {
			client.Close()
			if err == nil {
				server.Close()
			}
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		go p.pass(client, server, &p.asked)
		go p.pass(server, client, new(atomic.Int64))
	}
}

// pass copies data in one direction until a connection is closed, and counts
// the reads.
func (p *proxy) pass(from, to net.Conn, times *atomic.Int64) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 1<<14)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		times.Add(1)
		if p.stalled.Load() {
			continue
		}
		left := p.budget.Add(-int64(n))
		if left < 0 {
			n = max(0, n+int(left)) // the part that still passes
		}
		p.passed.Add(int64(n))
		if _, err := to.Write(buffer[:n]); err != nil && err != io.EOF {
			return
		}
		if left < 0 {
			p.cut()
			return
		}
	}
}

// cut closes every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		conn.Close()
	}
	clear(p.conns)
}
