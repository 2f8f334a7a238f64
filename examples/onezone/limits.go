package main

import (
	"flag"

	"github.com/onezone-go/onezone/macaroon/rest"
)

// limits are the limits on clients.
type limits struct {
	headerBytes int // of a request, with its first line
	connections int // of all clients
	perAddress  int // connections from one address that is not a trusted proxy
	requests    int // of one client at once
}

// Defaults of the limits.
const (
	defaultHeaderBytes = 16 << 10
	defaultConnections = 1000
	defaultPerAddress  = 100
)

func (l *limits) flags(f *flag.FlagSet) {
	*l = limits{defaultHeaderBytes, defaultConnections, defaultPerAddress, rest.DefaultMaxInFlight}
	f.Var(count(&l.headerBytes, 4<<10), "max-header-bytes", "most `BYTES` of a request without its body; new tokens have up to half of that")
	f.Var(count(&l.connections, 1), "max-connections", "most connections, `N`, of all clients")
	f.Var(count(&l.perAddress, 1), "max-connections-per-address", "most connections, `N`, from one address that is not a trusted proxy")
	f.Var(count(&l.requests, 1), "max-requests-per-client", "most requests, `N`, that are served at once for one user, or without credentials for one address")
}

// issuedSize returns the longest text of a new token, in characters. Two such
// tokens fit into the headers of a request.
func (l limits) issuedSize() int { return l.headerBytes / 2 }
