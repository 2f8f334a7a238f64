package main

import (
	"slices"
	"testing"
)

// measurements are what the rounds gave, by contender.
type measurements map[string]*series

type series struct {
	ns     []float64 // per operation, one for each round
	allocs int64     // per operation
}

// measure runs the contenders in turn, round after round.
func (m measurements) measure(rounds int, cs []contender) {
	for range rounds {
		for _, c := range cs {
			r := testing.Benchmark(c.run)
			if r.N == 0 {
				panic("the benchmark " + c.name + " failed")
			}
			s := m[c.name]
			if s == nil {
				s = &series{}
				m[c.name] = s
			}
			s.ns = append(s.ns, float64(r.T.Nanoseconds())/float64(r.N))
			s.allocs = r.AllocsPerOp()
		}
	}
}

// best is the time of the round that went best: whatever else a machine does, and
// those that share its caches, only ever adds to the time that work takes.
func (m measurements) best(name string) float64 { return slices.Min(m[name].ns) }

// ratio is the time of the one in terms of the other.
func (m measurements) ratio(over, under string) float64 { return m.best(over) / m.best(under) }
