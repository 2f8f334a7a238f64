// Package freeport finds ports for the servers of tests.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
)

// attempts is the number of ports to try.
const attempts = 100

// Find returns a free port of the loopback interface, outside the range that
// systems assign automatically. The port therefore stays free while its server
// is down, unless another call of Find returns it.
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
