package main

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// onezonePeer returns a peer with this library.
func onezonePeer(c claims, now func() time.Time) peer {
	s := newService(now)
	s.issue(c)
	return peer{
		name: "onezone",
		mint: func(c claims) (string, error) {
			t, err := macaroon.Mint(c.spec(), store.NewSecret(c.secret))
			return t.String(), err
		},
		verify: s.verify,
	}
}

// spec returns the claims as a Spec of this library.
func (c claims) spec() macaroon.Spec {
	through, _ := caveat.ParseInterface(c.through)
	return macaroon.Spec{
		Domain: c.domain, ID: c.id, Subject: caveat.User(c.user), Type: macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Until(c.expires), caveat.IP(c.networks), through},
	}
}

// service is an authority over a store in memory.
type service struct {
	store     *memory.Store
	authority *macaroon.Authority
	turn      int // of the texts in a loop
}

func newService(now func() time.Time) *service {
	s := &service{store: memory.New()}
	return s.recognizing(now, macaroon.DefaultRecognizedTokens)
}

// recognizing returns a service over the same store with a recognition cache
// for the number of tokens.
func (s *service) recognizing(now func() time.Time, tokens int) *service {
	authority, err := macaroon.NewAuthority(s.store, macaroon.WithClock(now),
		macaroon.WithRecognition(tokens, macaroon.DefaultRecognizedBytes))
	must(err)
	return &service{store: s.store, authority: authority}
}

// issue stores records for the tokens, as if the service had issued them.
func (s *service) issue(tokens ...claims) {
	records := make([]store.Record, 0, 2*len(tokens))
	for _, c := range tokens {
		user := caveat.User(c.user)
		records = append(records,
			store.Record{Identity: &store.Identity{Subject: user}},
			store.Record{Token: &store.Token{
				ID: c.id, Name: c.id, Version: 2, Subject: user, Type: macaroon.AccessToken().String(), Secret: store.NewSecret(c.secret),
			}})
	}
	must(s.store.Import(context.Background(), records))
}

// verify does the job: it takes the text of a token and returns the user.
func (s *service) verify(text string, u use) (user string, err error) {
	through, _ := caveat.ParseInterface(u.through)
	auth, err := s.authority.VerifyAccess(context.Background(), text, caveat.Request{IP: u.from, Interface: through})
	if err != nil {
		return "", err
	}
	return auth.Subject.ID, nil
}
