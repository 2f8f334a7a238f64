//go:build unix

package main

import (
	"fmt"
	"time"
)

// The figures that were measured. The model reads all of its constants here.
// When you measure again, change them and run
//
//	go run ./internal/e2e/scale > docs/scale.md

const (
	// serviceRate is the number of verify_access_token requests a second of the
	// service with SQLite, on ownCores processors that its clients used too.
	serviceRate = 17_444
	// verification is the time of a verification in a program that knows a
	// thousand tokens.
	verification = 558 * time.Nanosecond
	// cacheEntry is the memory of an entry of the cache, in bytes.
	cacheEntry = 571
	// clusterMasters is the number of masters that were measured.
	clusterMasters = 3
)

// The times of known are medians until all watchers knew, and the processor time
// of the server for one revocation.

var memoryCost = cost{
	name: "memory", bytes: 856, tokens: 100_000, replica: 201 * time.Nanosecond,
	known: []known{{1, 10 * time.Microsecond, 0}, {10, 57 * time.Microsecond, 0}, {100, 156 * time.Microsecond, 0}},
}

var sqliteCost = cost{
	name: "SQLite", bytes: 653, tokens: 10_000_000, replica: 25500 * time.Nanosecond,
	known: []known{{1, 29 * time.Millisecond, 0}, {10, 28300 * time.Microsecond, 0}, {100, 47900 * time.Microsecond, 0}},
}

var postgresCost = cost{
	name: "PostgreSQL", bytes: 811, tokens: 10_000_000, connections: 2.1,
	replica: 50300 * time.Nanosecond, server: 43 * time.Microsecond,
	known: []known{
		{1, 339 * time.Microsecond, 900 * time.Microsecond},
		{10, 1340 * time.Microsecond, 1400 * time.Microsecond},
		{100, 6530 * time.Microsecond, 10500 * time.Microsecond},
	},
}

var redisCost = cost{
	name: "Redis", bytes: 901, tokens: 100_000, connections: 3,
	replica: 37500 * time.Nanosecond, server: 23700 * time.Nanosecond,
	known: []known{
		{1, 16 * time.Microsecond, 477 * time.Microsecond},
		{10, 267 * time.Microsecond, 512 * time.Microsecond},
		{100, 2170 * time.Microsecond, 1500 * time.Microsecond},
		{300, 7110 * time.Microsecond, 3840 * time.Microsecond},
	},
}

var clusterCost = cost{
	name: "Redis Cluster", bytes: 901, tokens: 100_000, connections: 6,
	replica: 71900 * time.Nanosecond, server: 39500 * time.Nanosecond,
	known: []known{
		{1, 0, 625 * time.Microsecond},
		{10, 274 * time.Microsecond, 738 * time.Microsecond},
		{100, 1940 * time.Microsecond, 2050 * time.Microsecond},
	},
}

// feeds are the measurements with many watchers: medians and 99th percentiles.
var feeds = []struct {
	store            string
	watchers         int
	first, half, all string
	server           string
}{
	{"memory", 100, "0, 5.8 ms", "0.04, 5.9 ms", "0.2, 6.1 ms", "0.5 ms, of the process"},
	{"SQLite", 100, "8, 30 ms", "28, 81 ms", "48, 206 ms", "9.8 ms, of the replicas"},
	{"PostgreSQL", 100, "0, 0.2 ms", "0.4, 8 ms", "6.5, 40 ms", "10.5 ms"},
	{"Redis", 100, "0.1, 1.3 ms", "1.6, 21 ms", "2.2, 22 ms", "1.5 ms"},
	{"Redis", 300, "0.05, 26 ms", "4.0, 70 ms", "7.1, 117 ms", "3.8 ms"},
	{"Redis Cluster of 3", 100, "0, 44 ms", "1.2, 45 ms", "1.9, 46 ms", "2.1 ms"},
}

// filled are the measurements with 10,000,000 tokens.
var filled = []struct{ what, sqlite, postgres string }{
	{"loaded a second", "2063", "4474"},
	{"bytes of a token with its share of a user", "653", "811"},
	{"open and migrate, cold", "27.6 ms", "184 ms"},
	{"look-up of any token, cold", "253 us, 6.59 ms", "2.08 ms, 26.9 ms"},
	{"look-up of 10,000 tokens in use, warm", "21.3 us, 3.79 ms", "61.6 us, 1.43 ms"},
	{"list the 10 tokens of a user", "1.08 ms, 24 ms", "3.77 ms, 49.7 ms"},
	{"list the 10,000 tokens of a user, pages of 1,000", "591 ms, 726 ms", "310 ms, 553 ms"},
	{"create, 1 caller", "1.63 ms, 34.3 ms", "10.7 ms, 80.1 ms"},
	{"created a second, 64 callers", "390", "447"},
	{"revoke, 1 caller", "605 us, 9.39 ms", "13.8 ms, 132 ms"},
	{"clean-up: tokens read a second", "6884", "30315"},
	{"clean-up: delete a token", "379 us, 12.1 ms", "4.57 ms, 34.3 ms"},
	{"backup", "29.4s, 6535 MB", "6m33s, 3963 MB"},
}

// constant is a row of the table of all constants.
type constant struct{ what, value, command string }

func constants() []constant {
	const (
		run     = "`go run ./internal/e2e/scale "
		fan     = run + "-fanout %s`"
		fill    = run + "-measure %s -tokens %d`"
		service = "`macaroon/cmd/onezone/load.sh`, two cores with the clients"
	)
	all := []constant{
		{"requests a second of the service, verify_access_token", fmt.Sprint(serviceRate), service},
		{"verification in a program, token seen before", verification.String(), "`make bench`, 1,000 tokens on one core"},
		{"bytes of memory of an entry of the cache", fmt.Sprint(cacheEntry), fmt.Sprintf(fill, "redis", redisCost.tokens)},
	}
	for _, c := range []cost{memoryCost, sqliteCost, postgresCost, redisCost} {
		engine := engineName(c)
		all = append(all, constant{c.name + ": bytes of a token with its share of a user", fmt.Sprint(c.bytes), fmt.Sprintf(fill, engine, c.tokens)})
	}
	for _, c := range []cost{memoryCost, sqliteCost, postgresCost, redisCost, clusterCost} {
		all = append(all, constant{c.name + ": processor time of a look-up in the replica, in the server", c.replica.String() + ", " + c.server.String(), fmt.Sprintf(fan, engineName(c))})
	}
	for _, c := range []cost{postgresCost, redisCost, clusterCost} {
		all = append(all, constant{c.name + ": connections of a replica", fmt.Sprint(c.connections), fmt.Sprintf(fan, engineName(c))})
	}
	return all
}

// engineName returns the name of the engine in commands.
func engineName(c cost) string {
	return map[string]string{"memory": "memory", "SQLite": "sqlite", "PostgreSQL": "postgres", "Redis": "redis", "Redis Cluster": "rediscluster"}[c.name]
}
