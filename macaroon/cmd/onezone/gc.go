package main

import (
	"os"
	"runtime"
)

// ballastBytes are allocated and never used, so they take no memory of the
// machine. The garbage collector runs when the heap has doubled: the service
// needs few megabytes, and without ballast would be collected a hundred times
// per second under load. Under attack it needs more; twice that and the ballast
// must fit into the 128 MB that the manual promises.
const ballastBytes = 32 << 20

// holdBallast makes the garbage collector run less often until release is
// called. It does nothing if the variable GOGC is set.
func holdBallast() (release func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	ballast := make([]byte, ballastBytes)
	return func() { runtime.KeepAlive(ballast) }
}
