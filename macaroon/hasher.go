package macaroon

import (
	"context"
	"crypto/subtle"
	"fmt"
	"runtime"

	"github.com/onezone-go/onezone/store"
)

// hasher hashes passwords, with limited concurrency.
type hasher struct {
	slots      semaphore
	iterations int // of new hashes
	derive     func(h passwordHash, password string) ([]byte, error)
}

func newHasher() hasher {
	slots := make(semaphore, max(1, runtime.GOMAXPROCS(0)/2)) // half of the CPUs
	return hasher{slots, defaultPasswordIterations, passwordHash.derive}
}

// dummyHash replaces the hash of a user who does not exist or has no password.
// No password matches it; a comparison takes as long as with a new hash.
func (p hasher) dummyHash() passwordHash {
	return passwordHash{iterations: p.iterations, salt: make([]byte, passwordSaltSize)}
}

// hash returns the hash of a password under the salt, with the current number
// of iterations.
func (p hasher) hash(ctx context.Context, password string, salt []byte) (hashed store.Secret, err error) {
	h := passwordHash{iterations: p.iterations, salt: salt}
	err = p.slots.do(ctx, func() error {
		var err error
		h.hash, err = p.derive(h, password)
		return err
	})
	if err != nil {
		return store.Secret{}, err
	}
	return h.secret(), nil
}

// compare returns the index of the form that matches the hash, or -1. A
// mismatch takes the same time for every hash with at most p.iterations.
func (p hasher) compare(ctx context.Context, h passwordHash, forms []string) (right int, err error) {
	right = -1
	err = p.slots.do(ctx, func() error {
		for i, form := range forms {
			derived, err := p.derive(h, form)
			if err != nil {
				return err
			}
			if subtle.ConstantTimeCompare(derived, h.hash) == 1 {
				right = i
				return nil
			}
		}
		return p.padWork(h, forms)
	})
	return right, err
}

// padWork spends the remaining time of comparing the forms with a new hash.
func (p hasher) padWork(h passwordHash, forms []string) error {
	rest := p.dummyHash()
	rest.iterations = len(forms) * (p.iterations - h.iterations)
	if rest.iterations <= 0 {
		return nil
	}
	_, err := p.derive(rest, forms[0])
	return err
}

// semaphore limits the number of concurrent callers of an expensive operation.
type semaphore chan struct{}

func (s semaphore) do(ctx context.Context, f func() error) error {
	select {
	case s <- struct{}{}:
		defer func() { <-s }()
		return f()
	case <-ctx.Done():
		return fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
}
