package main

import (
	"context"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// sampled is how many of a service's tokens are verified in turn.
const sampled = 10

// crowd returns a service that has issued n tokens, and the texts of a few of
// them, which are good for the request.
func crowd(n int) (s *service, texts []string) {
	s = newService(noon)
	all := make([]claims, n)
	for i := range all {
		all[i] = workload.numbered(i)
	}
	for batch := range slices.Chunk(all, 10_000) {
		s.issue(batch...)
	}
	for i := range min(sampled, n) {
		c := all[i*(n/sampled)]
		t, err := macaroon.Mint(c.spec(), store.NewSecret(c.secret))
		must(err)
		texts = append(texts, t.String())
	}
	return s, texts
}

// caveated returns a service and the text of a token with n caveats, which are
// those of the workload over and over again.
func caveated(n int) (s *service, text string) {
	s = newService(noon)
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

// temporaries returns a service and the texts of temporary tokens of one user:
// no two verifications in a row see the same.
func temporaries() (s *service, texts []string) {
	s = newService(noon)
	s.issue(workload)
	user, secret := caveat.User(workload.user), store.NewSecret(workload.secret)
	must(s.store.Import(context.Background(), []store.Record{{Temporary: &store.Temporary{Subject: user, Secret: secret, Generation: 1}}}))
	for i := range sampled {
		spec := workload.numbered(i).spec()
		spec.Subject, spec.Generation = user, 1
		t, err := macaroon.Mint(spec, secret)
		must(err)
		texts = append(texts, t.String())
	}
	return s, texts
}
