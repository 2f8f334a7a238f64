// Package eventid makes the ids of events and requests: UUIDs of version 7 (RFC
// 9562).
package eventid

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// last is the time of the newest id, in the form of now.
var last atomic.Int64

// New returns a new id. In one process, later ids are greater. Nobody may rely on
// an id to be a secret: its random bits come from the fast source of the runtime,
// because two ids are made for each request.
func New() string {
	at := next()
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(at>>12)<<16|0x7000|uint64(at&0xfff))
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()>>2|1<<63)
	var text [36]byte
	hex.Encode(text[:], id[:4])
	for _, group := range [...]struct{ at, from, to int }{{9, 4, 6}, {14, 6, 8}, {19, 8, 10}, {24, 10, 16}} {
		text[group.at-1] = '-'
		hex.Encode(text[group.at:], id[group.from:group.to])
	}
	return string(text[:])
}

// next returns the time of the next id: that of the clock, or the one after the
// last.
func next() int64 {
	for {
		before := last.Load()
		at := max(now(), before+1)
		if last.CompareAndSwap(before, at) {
			return at
		}
	}
}

// now returns the time in milliseconds, and in its last 12 bits the rest in units
// of 256 ns.
func now() int64 {
	t := time.Now()
	return t.UnixMilli()<<12 | int64(t.Nanosecond()%int(time.Millisecond))>>8
}
