package main

import (
	"container/list"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// spareDescriptors is the number of file descriptors for other uses than client
// connections.
const spareDescriptors = 64

// refusalsLogged is the shortest interval between log lines about refused
// connections.
const refusalsLogged = time.Minute

// connections is a listener that limits the open connections, in total and per
// address. At the limit, a new connection replaces the one that has been idle
// for the longest; if none is idle, the new one is closed.
type connections struct {
	net.Listener
	most, perAddress int
	exempt           func(netip.Addr) bool // from perAddress
	log              *slog.Logger

	mu        sync.Mutex
	open      int
	addresses map[netip.Addr]int
	idle      *list.List // of *connection, longest idle first
	refused   int        // since the last line of the log
	logged    time.Time
}

// connection is a counted connection.
type connection struct {
	net.Conn
	of      *connections
	address netip.Addr
	idle    *list.Element // nil while a request is in flight
	closed  bool
}

// bounded returns a listener with the limits of the settings.
func (s settings) bounded(l net.Listener, log *slog.Logger) *connections {
	most := s.limits.connections
	if n := maxDescriptors(); n > 0 {
		most = min(most, max(n-spareDescriptors, 1))
	}
	return &connections{
		Listener: l, most: most, perAddress: s.limits.perAddress, log: log, exempt: s.isProxy,
		addresses: make(map[netip.Addr]int), idle: list.New(),
	}
}

// Accept implements [net.Listener].
func (c *connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if admitted := c.admit(conn); admitted != nil {
			return admitted, nil
		}
		_ = conn.Close()
	}
}

// admit makes room for the connection and counts it. It returns nil if there is
// no room.
func (c *connections) admit(conn net.Conn) *connection {
	peer := addressOf(conn.RemoteAddr())
	address := clientNetwork(peer)
	var crowded *connection
	defer func() {
		if crowded != nil {
			_ = crowded.Close()
		}
	}()
	c.mu.Lock()
	defer c.mu.Unlock()
	full := c.open >= c.most
	if c.addresses[address] >= c.perAddress && !c.exempt(peer) {
		full = true
		crowded = c.longestIdle(func(other *connection) bool { return other.address == address })
	} else if full {
		crowded = c.longestIdle(func(*connection) bool { return true })
	}
	if full && crowded == nil {
		c.refuse()
		return nil
	}
	if crowded != nil {
		c.forget(crowded)
	}
	admitted := &connection{Conn: conn, of: c, address: address}
	admitted.idle = c.idle.PushBack(admitted)
	c.open++
	c.addresses[address]++
	return admitted
}

func (c *connections) longestIdle(matches func(*connection) bool) *connection {
	for e := c.idle.Front(); e != nil; e = e.Next() {
		if other := e.Value.(*connection); matches(other) {
			return other
		}
	}
	return nil
}

// refuse counts and logs a connection that was closed for lack of room.
func (c *connections) refuse() {
	c.refused++
	if now := time.Now(); now.Sub(c.logged) >= refusalsLogged {
		c.log.Warn("connections refused: too many are open", "refused", c.refused, "open", c.open)
		c.refused, c.logged = 0, now
	}
}

// forget stops counting a connection.
func (c *connections) forget(conn *connection) {
	if conn.closed {
		return
	}
	conn.closed = true
	conn.busy()
	c.open--
	if c.addresses[conn.address]--; c.addresses[conn.address] == 0 {
		delete(c.addresses, conn.address)
	}
}

func (conn *connection) busy() {
	if conn.idle != nil {
		conn.of.idle.Remove(conn.idle)
		conn.idle = nil
	}
}

// Close implements [net.Conn].
func (conn *connection) Close() error {
	conn.of.mu.Lock()
	conn.of.forget(conn)
	conn.of.mu.Unlock()
	return conn.Conn.Close()
}

// state is the ConnState of [http.Server]. It records which connections are
// idle.
func (c *connections) state(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	counted, ok := conn.(*connection)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case counted.closed:
	case state == http.StateActive:
		counted.busy()
	case state == http.StateIdle && counted.idle == nil:
		counted.idle = c.idle.PushBack(counted)
	}
}

// addressOf returns the address of a TCP peer, invalid for others.
func addressOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

// clientNetwork returns the part of an address that identifies one client: an
// IPv4 address, or the first 64 bits of an IPv6 address.
func clientNetwork(address netip.Addr) netip.Addr {
	if address.Is6() {
		return netip.PrefixFrom(address, 64).Masked().Addr()
	}
	return address
}
