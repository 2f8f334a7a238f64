package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// claims is the content of a token, in every peer.
type claims struct {
	domain   string // of the service that issues it
	id       string // key of its secret in the store
	secret   string
	user     string
	expires  time.Time
	networks []netip.Prefix // from which it may be used
	through  string         // the interface that it may be used through
}

// use is the request that presents a token.
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

// numbered returns the claims with the id, secret and user of number i.
func (c claims) numbered(i int) claims {
	const users = 1000
	c.id = fmt.Sprintf("%032x", uint64(i)*0x9e3779b97f4a7c15)
	c.secret = fmt.Sprintf("%064x", i)
	c.user = fmt.Sprintf("%032x", i%users)
	return c
}

// record is the stored data of an issued token.
type record struct {
	secret []byte
	user   string
	active bool // the user exists and is not blocked
}

// records returns the records of a service that has issued only this token, by
// id.
func (c claims) records() map[string]record {
	return map[string]record{c.id: {secret: []byte(c.secret), user: c.user, active: true}}
}

// Errors of the peers.
var (
	errUnknownToken = errors.New("there is no such token")
	errForbidden    = errors.New("a condition of the token does not hold")
)
