//go:build unix

package main

import (
	"math"
	"time"
)

// Assumptions of the model. They are choices, not measurements.
const (
	missShare    = 0.01     // verifications that the cache of a replica does not answer
	serverRAM    = 64 << 30 // bytes of a large server for Redis
	serverDisk   = 1 << 40  // bytes of a disk for a database
	ramHeadroom  = 2        // Redis copies pages that change while it rewrites its log
	diskHeadroom = 2        // dead rows, the write-ahead log, a dump beside the tables
	maxMasters   = 16       // more bring no gain: the 64 shards of records spread unevenly
	maxClients   = 500      // connections that one PostgreSQL serves well without a pooler
	ownCores     = 2        // of the machine that measured
	halfBusy     = 0.5      // share of a processor to plan with
	serverCores  = 16       // of a large server for PostgreSQL
)

// cost is what the model knows of an engine. The values are in figures.go.
type cost struct {
	name    string
	bytes   float64       // of a token with its share of a user
	tokens  int           // the largest number of tokens that was measured
	replica time.Duration // processor time of a look-up in the replica
	server  time.Duration // processor time of a look-up in the server

	connections float64 // of a replica; in a Cluster, to all of its masters
	known       []known // in ascending order
}

// known is how long it took until the given number of watchers knew of a
// revocation.
type known struct {
	watchers int
	took     time.Duration
	spent    time.Duration // processor time of the server
}

// space returns the bytes of a number of tokens.
func (c cost) space(tokens float64) float64 { return c.bytes * tokens }

// everywhere returns how long it takes until all replicas know of a revocation.
// Between two measurements, and beyond the last two, it is a straight line.
func (c cost) everywhere(replicas int) time.Duration {
	return line(c.known, replicas, func(k known) time.Duration { return k.took })
}

// spent returns the processor time of the server for a revocation.
func (c cost) spent(replicas int) time.Duration {
	return line(c.known, replicas, func(k known) time.Duration { return k.spent })
}

// line interpolates between the neighbors among the measurements, which are in
// ascending order. It never falls.
func line(measured []known, watchers int, of func(known) time.Duration) time.Duration {
	for _, k := range measured {
		if k.watchers == watchers {
			return of(k)
		}
	}
	i := 1
	for i < len(measured)-1 && measured[i].watchers < watchers {
		i++
	}
	a, b := measured[i-1], measured[i]
	slope := max(0, float64(of(b)-of(a))/float64(b.watchers-a.watchers))
	return time.Duration(float64(of(b)) + slope*float64(watchers-b.watchers))
}

// isMeasured reports whether the fan-out to that number of replicas was
// measured.
func (c cost) isMeasured(replicas int) bool {
	for _, k := range c.known {
		if k.watchers == replicas {
			return true
		}
	}
	return false
}

// masters returns the number of masters of a Redis Cluster for the tokens.
func masters(c cost, tokens float64) int {
	return int(math.Ceil(c.space(tokens) * ramHeadroom / serverRAM))
}

// mostTokens returns how many tokens fit in a number of bytes.
func mostTokens(c cost, bytes, headroom float64) float64 { return bytes / headroom / c.bytes }

// cores returns the number of processors, half of which are busy, for work that
// takes the given time and is done as often a second.
func cores(each time.Duration, perSecond float64) float64 {
	return each.Seconds() * perSecond / halfBusy
}

// mostLookUps returns how many look-ups a second a server with that many
// processors answers while half of them are busy.
func mostLookUps(c cost, processors float64) float64 {
	return processors * halfBusy / c.server.Seconds()
}
