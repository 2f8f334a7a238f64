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
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// issuers are the ways to issue a token of alice. The attack uses all of them
// concurrently.
var issuers = []func(ctx context.Context, a *macaroon.Authority, name string) (macaroon.Token, error){
	func(ctx context.Context, a *macaroon.Authority, name string) (macaroon.Token, error) {
		return a.IssueNamed(ctx, name, access)
	},
	func(ctx context.Context, a *macaroon.Authority, name string) (macaroon.Token, error) {
		return a.IssueNamed(ctx, name, macaroon.Grant{
			Subject: alice, Type: macaroon.AccessToken(),
			Caveats: []caveat.Caveat{caveat.Services{{Type: caveat.OzWorker, ID: caveat.OnezoneID}}},
		})
	},
	func(ctx context.Context, a *macaroon.Authority, _ string) (macaroon.Token, error) {
		return a.Issue(ctx, macaroon.Grant{
			Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(a.Now().Add(time.Hour))},
		})
	},
}

// handedOut holds the tokens that calls returned most recently.
type handedOut struct {
	mu     sync.Mutex
	tokens []macaroon.Token
	count  atomic.Int64
}

// maxHandedOut is the number of tokens checked after each deletion. The most
// recent ones were issued during the deletion.
const maxHandedOut = 200

func (h *handedOut) add(t macaroon.Token) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tokens = append(h.tokens, t); len(h.tokens) == 2*maxHandedOut {
		h.tokens = append([]macaroon.Token{}, h.tokens[maxHandedOut:]...)
	}
	h.count.Add(1)
}

func (h *handedOut) take() []macaroon.Token {
	h.mu.Lock()
	defer h.mu.Unlock()
	tokens := h.tokens
	h.tokens = nil
	return tokens
}

// recreation is an attack: a user is deleted and created again with the same id
// while others issue tokens.
type recreation struct {
	rounds         int
	issuing        *macaroon.Authority // issues tokens
	deleting       *macaroon.Authority // deletes and creates the user, and verifies tokens
	remove, create func(ctx context.Context) error
}

// run returns how many tokens were handed out before the user was created again,
// and how many of them worked afterwards.
func (r recreation) run(t *testing.T) (handed, alive int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	require.NoError(t, r.create(ctx))
	var out handedOut
	var created atomic.Pointer[chan struct{}] // closed when the user is created again
	again := func() chan struct{} {
		c := make(chan struct{})
		created.Store(&c)
		return c
	}
	next := again()
	var running sync.WaitGroup
	for i := range 6 {
		running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				wait := *created.Load()
				token, err := issuers[i%len(issuers)](ctx, r.issuing, fmt.Sprint("token ", i, " ", n))
				if err == nil {
					out.add(token)
					continue
				}
				select {
				case <-wait:
				case <-ctx.Done():
				}
			}
		})
	}
	for range r.rounds {
		before := out.count.Load()
		eventually(t, func() bool { return out.count.Load() >= before+6 }, "tokens are issued")
		require.NoError(t, r.remove(ctx))
		tokens := out.take() // all were handed out before the next line
		require.NoError(t, r.create(ctx))
		created := next
		next = again()
		close(created)
		handed += len(tokens)
		for _, token := range tokens {
			switch err := verify(ctx, r.deleting, token); {
			case err == nil:
				alive++
			default:
				assert.False(t, isOperational(err), "%v", err)
			}
		}
	}
	stop()
	running.Wait()
	return handed, alive
}

// recreating returns the attack on users of the store.
func recreating(rounds int, issuing, deleting *macaroon.Authority) recreation {
	return recreation{
		rounds: rounds, issuing: issuing, deleting: deleting,
		remove: func(ctx context.Context) error { return deleting.DeleteUser(ctx, alice) },
		create: func(ctx context.Context) error {
			_, err := deleting.CreateUser(ctx, macaroon.NewUser{ID: alice.ID})
			return err
		},
	}
}

// TestNoTokenOfADeletedUserWorksForTheNextWithThatID attacks in several setups:
// with one handle, with the handles of two processes, with a cache, while an
// administrator unblocks the user, and with users of the application.
func TestNoTokenOfADeletedUserWorksForTheNextWithThatID(t *testing.T) {
	t.Parallel()
	const rounds = 4
	attacks := map[string]func(t *testing.T, p place) recreation{
		"one handle": func(t *testing.T, p place) recreation {
			a := newAuthority(t, p(t))
			return recreating(rounds, a, a)
		},
		"two handles": func(t *testing.T, p place) recreation {
			return recreating(rounds, newAuthority(t, p(t)), newAuthority(t, p(t)))
		},
		"cached": func(t *testing.T, p place) recreation {
			a := newAuthority(t, followed(t, sealed(t, p(t), "k"), forgetsNothing))
			return recreating(rounds, a, a)
		},
		"unblocked": func(t *testing.T, p place) recreation {
			a := newAuthority(t, p(t))
			r := recreating(rounds, a, a)
			r.remove = func(ctx context.Context) error {
				done := make(chan error, 1)
				go func() { done <- a.DeleteUser(ctx, alice) }()
				for range 20 {
					_ = a.SetBlocked(ctx, alice, false)
				}
				return <-done
			}
			return r
		},
		"of a directory": func(t *testing.T, p place) recreation {
			d := new(directory)
			a := newAuthority(t, p(t), macaroon.WithDirectory(d))
			return recreation{
				rounds: rounds, issuing: a, deleting: a,
				remove: func(ctx context.Context) error {
					d.active.Store(false)
					return a.Forget(ctx, alice)
				},
				create: func(context.Context) error {
					d.active.Store(true)
					return nil
				},
			}
		},
	}
	for _, e := range engines {
		for name, attack := range attacks {
			t.Run(e.name+" "+name, func(t *testing.T) {
				r := attack(t, e.make(t))
				handed, alive := r.run(t)
				t.Logf("%d of %d tokens worked after the user was created again", alive, handed)
				require.Greater(t, handed, r.rounds)
				require.Zero(t, alive, "of %d tokens", handed)
			})
		}
	}
}

// directory is a Directory that returns whether alice is active.
type directory struct{ active atomic.Bool }

func (d *directory) Holder(context.Context, caveat.Subject) (store.Status, error) {
	if d.active.Load() {
		return store.HolderActive, nil
	}
	return store.HolderMissing, nil
}
