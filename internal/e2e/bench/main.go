// Bench compares this library with the other ways to do its job, in one run on
// one machine, and holds it to what the project promises of its speed:
//
//	go run ./internal/e2e/bench
//
// The job is text in, identity out: the text of an access token with a time, an
// ip and an interface caveat is parsed, its secret looked up in memory, its
// signature and its caveats checked, and its user returned. The peers get the
// same claims and the same request, and refuse what they should: its tests
// see to that.
//
// All are measured in turn, round after round, so that whatever else the machine
// does falls on all of them. The times are medians of the rounds, and a ratio is
// the median of the rounds' ratios. The exit status is 1 where a target is missed.
//
// An authority recognizes tokens that it has verified before. The rows about a
// token seen for the first time, and those of growth, are without that.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// How long a contender runs in a round: longer on several cores, which do not
// begin and end at the same time.
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
	run(slice, append(comparison(), growth()...))
	run(coresSlice, cores())
	// A full store changes what the garbage collector costs everybody, so it
	// comes last, and together with the small one that it is compared with.
	run(slice, append(storage(10, 1_000_000), distinct(1_000_000)...))

	fmt.Printf("%s, %s/%s, %d cores, %d rounds\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), max(*rounds, 1))
	table, missed := m.table(rows())
	fmt.Print(table)
	if missed > 0 {
		fmt.Printf("\n%d targets missed\n", missed)
		os.Exit(1)
	}
}

// must is for what cannot go wrong, because it is of this program's own making.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
