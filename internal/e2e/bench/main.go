// Bench compares the speed of this library with other token libraries on one
// machine, and checks it against the targets of the project:
//
//	go run ./internal/e2e/bench
//
// Each library does the same job: parse the text of an access token with a
// time, an ip and an interface caveat, look up its secret in memory, check the
// signature and the caveats, and return the user. All get the same claims and
// the same request. The tests check that all reject the same invalid tokens.
//
// The libraries take turns in every round, so that other load on the machine
// affects all of them. Times are medians over the rounds, and ratios are
// medians of the rounds' ratios. The exit status is 1 if a target is missed.
//
// An authority recognizes tokens that it has verified before. Recognition is
// off in the rows for a token seen for the first time and for growth. They
// measure a new copy of a token in use, whose secret is in memory; the very
// first copy takes one more HMAC.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
)

// The time of a contender in a round. It is longer for several cores, because
// goroutines do not begin and end at the same time.
const (
	slice      = 20 * time.Millisecond
	coresSlice = 100 * time.Millisecond
)

func main() {
	rounds := flag.Int("rounds", 15, "how often everything is measured")
	flag.Parse()
	testing.Init()
	m := make(measurements)
	run := func(slice time.Duration, cs []contender) {
		must(flag.Set("test.benchtime", slice.String()))
		m.measure(max(*rounds, 1), cs)
	}
	run(slice, slices.Concat(comparison(), formats(), discharges(), growth()))
	run(slice, remoteVerification()) // apart, because connections disturb the caches of the processor
	run(coresSlice, cores())
	// A full store makes garbage collection slower for all contenders, so it
	// comes last, together with the small store that it is compared with.
	run(slice, append(storage(10, 1_000_000), distinct(1_000_000)...))

	fmt.Printf("%s, %s/%s, %d cores, %d rounds\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), max(*rounds, 1))
	table, missed := m.table(rows())
	fmt.Print(table)
	if missed > 0 {
		fmt.Printf("\n%d targets missed\n", missed)
		os.Exit(1)
	}
}

// must panics on errors that only a bug in this program can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
