package main

import (
	"math/rand/v2"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// sampled is the number of tokens of a full store that are verified in turn.
const sampled = 10

// crowd returns a service that has issued n tokens, and their texts. All are
// valid for the request.
func crowd(n int) (s *service, texts []string) {
	s = newService(noon)
	all := make([]claims, n)
	for i := range all {
		all[i] = workload.numbered(i)
	}
	for batch := range slices.Chunk(all, 10_000) {
		s.issue(batch...)
	}
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(n) { // so that consecutive records are not adjacent in memory
		c := all[i]
		t, err := macaroon.Mint(c.spec(), store.NewSecret(c.secret))
		must(err)
		texts = append(texts, t.String())
	}
	return s, texts
}

// caveated returns a service without a recognition cache, and the text of a
// token with n caveats. They repeat the caveats of the workload.
func caveated(n int) (s *service, text string) {
	s = newService(noon).recognizing(noon, 0)
	s.issue(workload)
	spec := workload.spec()
	some := spec.Caveats
	spec.Caveats = make([]caveat.Caveat, n)
	for i := range spec.Caveats {
		spec.Caveats[i] = some[i%len(some)]
	}
	t, err := macaroon.Mint(spec, store.NewSecret(workload.secret))
	must(err)
	return s, t.String()
}
