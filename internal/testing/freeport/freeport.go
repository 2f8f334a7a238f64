// Package freeport finds ports for the servers of tests.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
)

// attempts is on how many ports it is tried.
const attempts = 100

// Find returns a port of the loopback interface that nobody listens on, of those
// that systems give to nobody who does not ask for one: neither listeners nor
// outgoing connections. It so stays free while the server that has it is down,
// unless another server finds it then.
func Find() (port string, err error) {
	for range attempts {
		port = strconv.Itoa(10_000 + rand.IntN(20_000))
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			return port, l.Close()
		}
	}
	return "", err
}
