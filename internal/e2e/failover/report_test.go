//go:build e2e && failover && linux

package failover_test

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// result is the outcome of a round.
type result struct {
	engine, fault string
	tally
	// toWrites and toFeed are the times from the fault until the last user was
	// served. Election is the part of them in which there was no other leader.
	toWrites, toFeed, election time.Duration
}

// report collects the results of all rounds.
type report struct {
	mu      sync.Mutex
	results []result
}

func (r *report) add(result result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, result)
}

// print prints a row for each engine and fault: sums of counts, and the longest
// times.
func (r *report) print(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.results) == 0 {
		return
	}
	fmt.Fprint(w, "| store | fault of the leader | rounds | acknowledged writes, lost | verifications, wrong | errors | writes after | feed after | revoked accepted for |\n"+
		"| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: |\n")
	var done []string
	for _, first := range r.results {
		row := first.engine + " | " + first.fault
		if slices.Contains(done, row) {
			continue
		}
		done = append(done, row)
		sum, rounds := result{tally: newTally()}, 0
		for _, next := range r.results {
			if next.engine == first.engine && next.fault == first.fault {
				sum.add(next)
				rounds++
			}
		}
		fmt.Fprintf(w, "| %s | %d | %d, %d | %d, %d | %s | %s | %s | %s |\n", row, rounds, sum.written, sum.lost,
			sum.verified, total(sum.wrong), list(sum.outages, sum.wrong), seconds(sum.toWrites), seconds(sum.toFeed), seconds(sum.late))
	}
}

func (r *result) add(next result) {
	r.written += next.written
	r.lost += next.lost
	r.verified += next.verified
	for class, n := range next.outages {
		r.outages[class] += n
	}
	for class, n := range next.wrong {
		r.wrong[class] += n
	}
	r.toWrites, r.toFeed = max(r.toWrites, next.toWrites), max(r.toFeed, next.toFeed)
	r.late = max(r.late, next.late)
}

func total(counts map[string]int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// list prints the counts in the order of their names.
func list(all ...map[string]int) string {
	var items []string
	for _, counts := range all {
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			items = append(items, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	return strings.Join(items, ", ")
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
