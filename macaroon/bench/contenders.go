package main

import (
	"runtime"
	"strconv"
	"testing"
)

// contender is a benchmark that is run in turn with others.
type contender struct {
	name string
	run  func(b *testing.B)
}

// comparison returns this library and its peers, at both jobs.
func comparison() (cs []contender) {
	for _, p := range peers(workload, noon) {
		cs = append(cs, contender{"verify/" + p.name, p.benchVerify}, contender{"mint/" + p.name, p.benchMint})
	}
	c, err := chainOf(workload)
	must(err)
	return append(cs, contender{"verify/chain", c.bench})
}

// growth returns verifications of which there is more of something.
func growth() (cs []contender) {
	s, texts := temporaries()
	cs = append(cs, contender{"temporary", func(b *testing.B) { s.loop(b, texts...) }})
	for _, n := range []int{1, 10, 100} {
		s, text := caveated(n)
		cs = append(cs, contender{"caveats/" + strconv.Itoa(n), func(b *testing.B) { s.loop(b, text) }})
	}
	return cs
}

// cores returns verifications on one core, and on two if there are as many.
func cores() (cs []contender) {
	for n := 1; n <= min(2, runtime.NumCPU()); n++ {
		s, text := caveated(3)
		cs = append(cs, contender{"cores/" + strconv.Itoa(n), func(b *testing.B) { s.loopOn(b, n, text) }})
	}
	return cs
}

// storage returns verifications with so many tokens in the store.
func storage(sizes ...int) (cs []contender) {
	for _, n := range sizes {
		s, texts := crowd(n)
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

// loop verifies the texts in turn.
func (s *service) loop(b *testing.B, texts ...string) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.verify(texts[i%len(texts)], request); err != nil {
			b.Fatal(err)
		}
	}
}

// loopOn verifies the text on as many cores at once.
func (s *service) loopOn(b *testing.B, cores int, text string) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.verify(text, request); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
