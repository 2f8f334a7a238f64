//go:build e2e

package stores_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

var (
	alice = caveat.User("alice")
	bob   = caveat.User("bob")
)

// access is the grant of alice's tokens.
var access = macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()}

// clock is a clock that only the test moves.
type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.move(1_700_000_000 * time.Second)
	return c
}

func (c *clock) Now() time.Time { return time.Unix(0, c.now.Load()) }

func (c *clock) move(d time.Duration) { c.now.Add(int64(d)) }

func newAuthority(tb testing.TB, s store.Store, options ...macaroon.Option) *macaroon.Authority {
	tb.Helper()
	a, err := macaroon.NewAuthority(s, options...)
	require.NoError(tb, err)
	return a
}

// createUser makes alice.
func createUser(tb testing.TB, a *macaroon.Authority) {
	tb.Helper()
	subject, err := a.CreateUser(tb.Context(), macaroon.NewUser{ID: "alice"})
	require.NoError(tb, err)
	require.Equal(tb, alice, subject)
}

func verify(ctx context.Context, a *macaroon.Authority, t macaroon.Token) error {
	_, err := a.VerifyAccess(ctx, t.String(), caveat.Request{})
	return err
}

// isOperational reports whether the error is operational, that is, not of the
// catalogue.
func isOperational(err error) bool {
	_, catalogued := errors.AsType[*errors.Error](err)
	return err != nil && !catalogued
}

// inParallel calls do for each number below n, with the given number of
// workers.
func inParallel(n, workers int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

// issue returns n named tokens of alice.
func issue(tb testing.TB, a *macaroon.Authority, n int) []macaroon.Token {
	tb.Helper()
	tokens := make([]macaroon.Token, n)
	inParallel(n, 8, func(i int) {
		var err error
		tokens[i], err = a.IssueNamed(tb.Context(), name(i), access)
		assert.NoError(tb, err)
	})
	require.False(tb, tb.Failed())
	return tokens
}

func name(i int) string { return fmt.Sprint("token ", i) }

// eventually waits until the condition holds.
func eventually(tb testing.TB, holds func() bool, what string) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !holds(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			require.FailNow(tb, "gave up waiting: "+what)
		}
	}
}
