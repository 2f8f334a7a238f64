package redistest

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is a proxy between clients and a server that simulates network faults.
type Proxy struct {
	Addr     string
	Received atomic.Int64 // bytes that came from clients

	listener net.Listener
	server   string

	mu    sync.Mutex
	flow  *sync.Cond
	held  bool                  // data for clients is held back
	slow  string                // clients that send this get their data late; "": none
	word  string                // cut is set when a client sends this; "": never
	cut   bool                  // the next data for a client closes all connections
	conns map[net.Conn]struct{} // to clients and to the server
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

// Close stops the proxy and closes all connections through it.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.Release()
	p.Cut()
	p.wg.Wait()
}

// Hold holds back the data from the server until Release.
func (p *Proxy) Hold() { p.set(func() { p.held = true }) }

// Release ends Hold.
func (p *Proxy) Release() { p.set(func() { p.held = false }) }

// Cut closes all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeAll()
}

// CutAtAnswer closes all connections when the server answers a client that has
// sent the word. The server has executed the command, but the client gets no
// answer.
func (p *Proxy) CutAtAnswer(word string) { p.set(func() { p.word = word }) }

// Delay makes data late for clients that send the word from now on.
func (p *Proxy) Delay(word string) { p.set(func() { p.slow = word }) }

// lateness is how late delayed data is.
const lateness = 20 * time.Millisecond

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
		var late atomic.Bool
		p.wg.Go(func() { p.pass(client, server, func(data []byte) bool { return p.fromClient(data, &late) }) })
		p.wg.Go(func() { p.pass(server, client, func([]byte) bool { return p.toClient(&late) }) })
	}
}

// pass copies data from one connection to the other while may allows it.
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

func (p *Proxy) fromClient(data []byte, late *atomic.Bool) bool {
	p.Received.Add(int64(len(data)))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow != "" && bytes.Contains(data, []byte(p.slow)) {
		late.Store(true)
	}
	if p.word != "" && bytes.Contains(data, []byte(p.word)) {
		p.word, p.cut = "", true
	}
	return true
}

// toClient waits while data is held back, and reports whether it may be sent.
func (p *Proxy) toClient(late *atomic.Bool) bool {
	if late.Load() {
		<-time.After(lateness)
	}
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
