package main

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// contender is a benchmark that takes turns with others.
type contender struct {
	name string
	run  func(b *testing.B)
}

// comparison returns the benchmarks of this library and its peers, for both
// jobs.
func comparison() (cs []contender) {
	for _, p := range peers(workload, noon) {
		cs = append(cs, contender{"verify/" + p.name, p.benchVerify}, contender{"mint/" + p.name, p.benchMint})
	}
	c, err := chainOf(workload)
	must(err)
	first := newService(noon).recognizing(noon, 0)
	first.issue(workload)
	t, err := macaroon.Mint(workload.spec(), store.NewSecret(workload.secret))
	must(err)
	return append(cs, contender{"verify/chain", c.bench},
		contender{"first/onezone", func(b *testing.B) { first.loop(b, t.String()) }})
}

// growth returns verifications with growing numbers of caveats and tokens.
func growth() (cs []contender) {
	for _, n := range []int{1, 10, 100} {
		s, text := caveated(n)
		cs = append(cs, contender{"caveats/" + strconv.Itoa(n), func(b *testing.B) { s.loop(b, text) }})
	}
	return cs
}

// cores returns verifications of one token and of many tokens, on one core and,
// if available, on two.
func cores() (cs []contender) {
	one, texts := crowd(manyTokens)
	many := one.recognizing(noon, macaroon.DefaultRecognizedTokens)
	for n := 1; n <= min(2, runtime.NumCPU()); n++ {
		cs = append(cs,
			contender{"one token, cores/" + strconv.Itoa(n), func(b *testing.B) { one.loopOn(b, n, texts[0]) }},
			contender{"many tokens, cores/" + strconv.Itoa(n), func(b *testing.B) { many.loopOn(b, n, texts...) }})
	}
	return cs
}

// manyTokens is the number of tokens for several cores. All are recognized.
const manyTokens = 1000

// distinct returns verifications of n tokens in turn, with and without the
// recognition cache. n must exceed the capacity of the cache.
func distinct(n int) []contender {
	with, texts := crowd(n)
	without := with.recognizing(noon, 0)
	return []contender{
		{"distinct/recognition", func(b *testing.B) { with.loop(b, texts...) }},
		{"distinct/none", func(b *testing.B) { without.loop(b, texts...) }},
	}
}

// storage returns verifications with each number of tokens in the store.
func storage(sizes ...int) (cs []contender) {
	for _, n := range sizes {
		s, texts := crowd(n)
		s = s.recognizing(noon, 0)
		texts = texts[:sampled]
		cs = append(cs, contender{"stored/" + strconv.Itoa(n), func(b *testing.B) { s.loop(b, texts...) }})
	}
	return cs
}

func (p peer) benchVerify(b *testing.B) {
	text, err := p.mint(workload)
	must(err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.verify(text, request); err != nil {
			b.Fatal(err)
		}
	}
}

func (p peer) benchMint(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.mint(workload); err != nil {
			b.Fatal(err)
		}
	}
}

func (c *chain) bench(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if !c.verify() {
			b.Fatal("the chain does not end in the signature")
		}
	}
}

// loop verifies the texts in turn, starting after the last text of the previous
// loop.
func (s *service) loop(b *testing.B, texts ...string) {
	b.ReportAllocs()
	for b.Loop() {
		s.turn++
		if _, err := s.verify(texts[s.turn%len(texts)], request); err != nil {
			b.Fatal(err)
		}
	}
}

// loopOn verifies the texts in turn, concurrently on the given number of cores.
func (s *service) loopOn(b *testing.B, cores int, texts ...string) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	b.ReportAllocs()
	var goroutines atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		i := int(goroutines.Add(1)) * len(texts) / 3 // each goroutine starts at a different text
		for ; pb.Next(); i++ {
			if _, err := s.verify(texts[i%len(texts)], request); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
