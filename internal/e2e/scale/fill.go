//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

const (
	batchSize   = 10_000
	tokensEach  = 10     // of an ordinary user
	heavyTokens = 10_000 // of the first user, the default limit
	firstMoment = 1_700_000_000
	logInterval = 30 * time.Second
)

// dataset describes the records of a measurement: ten tokens for
// each user, and for the first user as many as the default limit allows.
type dataset struct{ tokens int }

func (d dataset) heavy() int { return min(heavyTokens, d.tokens/tokensEach) }

// holder returns the number of the user who holds the token.
func (d dataset) holder(token int) int {
	if token < d.heavy() {
		return 0
	}
	return 1 + (token-d.heavy())/tokensEach
}

// mix returns 64 bits that look random, different for each number.
func mix(n int) uint64 {
	x := uint64(n) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func tokenID(token int) string { return fmt.Sprintf("%016x%016x", mix(token), token) }

func subjectOf(user int) caveat.Subject {
	return caveat.User(fmt.Sprintf("%016x%016x", mix(-user-1), user))
}

// token returns a record as an authority makes it: an access token with an end,
// a network and an interface. One in ten has metadata.
func (d dataset) token(n int) *store.Token {
	t := &store.Token{
		ID: tokenID(n), Name: fmt.Sprintf("token of machine %d", n), Version: 2, Subject: subjectOf(d.holder(n)), Type: "act",
		Caveats: []string{fmt.Sprintf("time < %d", firstMoment+n+31_536_000), "ip = 10.0.0.0/8", "interface = rest"},
		Secret:  store.NewSecret(fmt.Sprintf("%016x%016x%016x%016x", mix(n), mix(n+1), mix(n+2), mix(n+3))),
		Created: int64(firstMoment + n),
	}
	if n%10 == 0 {
		t.Custom = []byte(`{"purpose":"nightly transfers","owner":"data team"}`)
	}
	return t
}

func identity(user int) *store.Identity {
	return &store.Identity{
		Subject: subjectOf(user), Username: fmt.Sprintf("user%d", user), FullName: fmt.Sprintf("User Number %d", user),
		Password: store.NewSecret(fmt.Sprintf("$pbkdf2-sha512$i=210000$%016x%016x$%0128x", mix(user), mix(user+1), mix(user+2))),
		Created:  firstMoment,
	}
}

// batch returns the tokens from one number to another, and the users that the
// first of their tokens in it introduces.
func (d dataset) batch(from, to int) (records []store.Record) {
	for n := from; n < to; n++ {
		if n == 0 || d.holder(n) != d.holder(n-1) {
			records = append(records, store.Record{Identity: identity(d.holder(n))})
		}
		records = append(records, store.Record{Token: d.token(n)})
	}
	return records
}

// fill imports all records with concurrent calls, and returns how long it took.
func (d dataset) fill(ctx context.Context, s store.Store, importers int) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	for range importers {
		all.Go(func() {
			for ctx.Err() == nil {
				from := int(next.Add(batchSize)) - batchSize
				if from >= d.tokens {
					return
				}
				if err := s.Import(ctx, d.batch(from, min(from+batchSize, d.tokens))); err != nil {
					cancel(err)
				}
			}
		})
	}
	stop := d.logProgress(&next, start)
	all.Wait()
	stop()
	return time.Since(start), context.Cause(ctx)
}

// logProgress logs the number of records until the returned function is called.
func (d dataset) logProgress(next *atomic.Int64, start time.Time) (stop func()) {
	ticks := time.NewTicker(logInterval)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-ticks.C:
				fmt.Fprintf(os.Stderr, "%s: %d of %d tokens\n", time.Since(start).Round(time.Second), next.Load(), d.tokens)
			}
		}
	}()
	return func() { ticks.Stop(); close(done) }
}
