package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// claims is what a token of the comparison says, in whatever form a peer writes
// that.
type claims struct {
	domain   string // of the service that issues it
	id       string // where the service finds its secret
	secret   string
	user     string
	expires  time.Time
	networks []netip.Prefix // where it may be used from
	through  string         // the interface that it may be used through
}

// use is the request with which a token comes.
type use struct {
	from    netip.Addr
	through string
}

var (
	workload = claims{
		domain:   "onezone.example.org",
		id:       "8d1ff3ae0b3f4d3a9d6a3f5e7c2b1a09",
		secret:   strings.Repeat("0123456789abcdef", 4),
		user:     "4c7c4c4d1e0a47d7a6c2f9be0a5b8f63",
		expires:  noon().Add(time.Hour),
		networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.0.0.0/8")},
		through:  "rest",
	}

	request = use{from: netip.MustParseAddr("10.1.2.3"), through: "rest"}
)

var fixedTime = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// noon is the clock of the services.
func noon() time.Time { return fixedTime }

// numbered returns the claims with another id, secret and user.
func (c claims) numbered(i int) claims {
	const users = 1000
	c.id = fmt.Sprintf("%032x", uint64(i)*0x9e3779b97f4a7c15)
	c.secret = fmt.Sprintf("%064x", i)
	c.user = fmt.Sprintf("%032x", i%users)
	return c
}

// record is what the service of a peer knows of a token that it has issued.
type record struct {
	secret []byte
	user   string
	active bool // the user exists and is not blocked
}

// records is what the service knows that has issued the one token, by its id.
func (c claims) records() map[string]record {
	return map[string]record{c.id: {secret: []byte(c.secret), user: c.user, active: true}}
}

// Why the peers refuse a token.
var (
	errUnknownToken = errors.New("there is no such token")
	errForbidden    = errors.New("a condition of the token does not hold")
)
