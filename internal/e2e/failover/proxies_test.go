//go:build e2e && failover && linux

package failover_test

import (
	"fmt"
	"net"
	"os"
	"sync"
)

// proxies stand between a host without a namespace and everyone else. They hold
// back all data while the host is cut off, or the host that it is from.
type proxies struct {
	listen string // address of the host's own servers and of their connections to others

	mu        sync.Mutex
	changed   *sync.Cond
	held      bool
	closed    bool
	listeners []net.Listener
	conns     []net.Conn
	wg        sync.WaitGroup
}

// allProxies has the proxies of each host, by the address of its servers.
var allProxies sync.Map

// newProxied returns a host with two addresses of the loopback interface: one
// for its servers and one for its proxies.
func newProxied(n int64) *host {
	network := fmt.Sprintf("127.%d.%d", 1+os.Getpid()%250, n)
	p := &proxies{listen: network + ".1"}
	p.changed = sync.NewCond(&p.mu)
	allProxies.Store(p.listen, p)
	return &host{ip: network + ".2", listen: p.listen, proxies: p}
}

// start starts a proxy at the address front for the server at the address back.
func (p *proxies) start(front, back string) error {
	l, err := net.Listen("tcp", front)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners = append(p.listeners, l)
	p.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(client, back) })
		}
	})
	return nil
}

// serve connects the client to the server.
func (p *proxies) serve(client net.Conn, back string) {
	defer client.Close()
	from, _, _ := net.SplitHostPort(client.RemoteAddr().String())
	pass := func() bool { return p.pass() }
	if other, ok := allProxies.Load(from); ok {
		pass = func() bool { return other.(*proxies).pass() && p.pass() }
	}
	if !pass() {
		return
	}
	server, err := net.Dial("tcp", back)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { copyWhile(server, client, pass) })
	both.Go(func() { copyWhile(client, server, pass) })
	both.Wait()
}

// copyWhile copies data to a connection from another one until pass is false
// or one of them ends.
func copyWhile(to, from net.Conn, pass func() bool) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if !pass() || err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// pass waits while the host is cut off. It is false after close.
func (p *proxies) pass() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.held && !p.closed {
		p.changed.Wait()
	}
	return !p.closed
}

func (p *proxies) hold(held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = held
	p.changed.Broadcast()
}

func (p *proxies) close() {
	p.mu.Lock()
	p.closed = true
	for _, l := range p.listeners {
		_ = l.Close()
	}
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.changed.Broadcast()
	p.mu.Unlock()
	allProxies.Delete(p.listen)
}
