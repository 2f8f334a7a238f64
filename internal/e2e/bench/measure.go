package main

import (
	"slices"
	"testing"
)

// measurements holds the results of all rounds, by contender.
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

// ratio returns the median over the rounds of over / under.
func (m measurements) ratio(over, under string) float64 {
	ratios := slices.Clone(m[over].ns)
	for i, ns := range m[under].ns {
		ratios[i] /= ns
	}
	return median(ratios)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}
