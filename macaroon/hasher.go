package macaroon

import (
	"context"
	"crypto/subtle"
	"fmt"
	"runtime"

	"github.com/onezone-go/onezone/store"
)

// hasher hashes passwords, and bounds how many at a time.
type hasher struct {
	slots      semaphore
	iterations int // of new hashes
	derive     func(h passwordHash, password string) ([]byte, error)
}

func newHasher() hasher {
	return hasher{newHashSlots(), DefaultPasswordIterations, passwordHash.derive}
}

// nobodysHash stands for the hash of a user who does not exist or has no
// password. No password matches it, after the time that new hashes take.
func (p hasher) nobodysHash() passwordHash {
	return passwordHash{iterations: p.iterations, salt: make([]byte, passwordSaltSize)}
}

// isWeak reports whether the hash should be replaced once the password is known.
func (p hasher) isWeak(h passwordHash) bool { return h.iterations < p.iterations }

// hash returns the hash of a password under the salt, of the strength of new ones.
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

// compare returns the index of the form that was hashed, -1 if none was. A
// failure costs the same for every hash that is not stronger than new ones.
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
		return p.fill(h, forms)
	})
	return right, err
}

// fill does what is missing of the work of comparing the forms with a new hash.
func (p hasher) fill(h passwordHash, forms []string) error {
	rest := p.nobodysHash()
	rest.iterations = len(forms) * (p.iterations - h.iterations)
	if rest.iterations <= 0 {
		return nil
	}
	_, err := p.derive(rest, forms[0])
	return err
}

// semaphore bounds how many callers do something costly at a time.
type semaphore chan struct{}

// newHashSlots leaves half of the cores to everything else.
func newHashSlots() semaphore { return make(semaphore, max(1, runtime.GOMAXPROCS(0)/2)) }

func (s semaphore) do(ctx context.Context, f func() error) error {
	select {
	case s <- struct{}{}:
		defer func() { <-s }()
		return f()
	case <-ctx.Done():
		return fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
}
