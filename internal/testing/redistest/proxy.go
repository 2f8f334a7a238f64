package redistest

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
)

// Proxy is between clients and a server, and does what networks do.
type Proxy struct {
	Addr     string
	Received atomic.Int64 // bytes that came from clients

	listener net.Listener
	server   string

	mu    sync.Mutex
	flow  *sync.Cond
	held  bool                  // nothing goes to clients
	word  string                // when it comes from a client, cut is set; "": never
	cut   bool                  // what goes to clients next cuts all connections
	conns map[net.Conn]struct{} // both ends
	wg    sync.WaitGroup
}

// NewProxy starts a proxy in front of the server.
func NewProxy(server string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{Addr: l.Addr().String(), listener: l, server: server, conns: make(map[net.Conn]struct{})}
	p.flow = sync.NewCond(&p.mu)
	p.wg.Go(p.accept)
	return p, nil
}

// Close ends the proxy and all connections through it.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.Release()
	p.Cut()
	p.wg.Wait()
}

// Hold keeps back what the server sends, until Release.
func (p *Proxy) Hold() { p.set(func() { p.held = true }) }

// Release ends Hold.
func (p *Proxy) Release() { p.set(func() { p.held = false }) }

// Cut closes all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeAll()
}

// CutAtAnswer closes all connections in place of passing on what the server
// sends next after a client has sent the word: the server did what it was asked
// to, and nobody learns of it.
func (p *Proxy) CutAtAnswer(word string) { p.set(func() { p.word = word }) }

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.flow.Broadcast()
}

func (p *Proxy) closeAll() {
	for c := range p.conns {
		_ = c.Close()
		delete(p.conns, c)
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.set(func() { p.conns[client], p.conns[server] = struct{}{}, struct{}{} })
		p.wg.Go(func() { p.pass(client, server, p.fromClient) })
		p.wg.Go(func() { p.pass(server, client, p.toClient) })
	}
}

// pass copies from one end to the other what may go there.
func (p *Proxy) pass(from, to net.Conn, may func(data []byte) bool) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil || !may(buffer[:n]) {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *Proxy) fromClient(data []byte) bool {
	p.Received.Add(int64(len(data)))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.word != "" && bytes.Contains(data, []byte(p.word)) {
		p.word, p.cut = "", true
	}
	return true
}

// toClient waits until something may go to clients, and reports whether it may.
func (p *Proxy) toClient([]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.held {
		p.flow.Wait()
	}
	if p.cut {
		p.cut = false
		p.closeAll()
		return false
	}
	return true
}
