package seal_test

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/seal"
)

// TestReplaceTemporarySecretWhileResealing lets callers of two replicas with
// different primary keys count in secrets while both reseal. Each secret is
// replaced by exactly one of the callers, however often it is resealed
// concurrently.
func TestReplaceTemporarySecretWhileResealing(t *testing.T) {
	t.Parallel()
	const subjects, callers, replacements = 4, 4, 50
	backend := newHooked()
	replicas := []seal.Store{sealed(t, backend, ring(t, key1, key2)), sealed(t, backend, ring(t, key2, key1))}
	subject := func(i int) caveat.Subject { return caveat.User(fmt.Sprint("n", i)) }
	for i := range subjects {
		_, err := replicas[0].EnsureTemporaryKey(t.Context(), subject(i), store.NewSecret("0"))
		require.NoError(t, err)
	}
	// Between the read and the replacement of a secret, one replica reseals all
	// secrets, and then the other one, in two of three cases.
	var resealing, turn atomic.Int64
	backend.before = func() {
		defer resealing.Add(-1)
		if resealing.Add(1) > 1 {
			return // by Reseal itself, or another caller
		}
		n := turn.Add(1) % 3
		if n == 2 {
			return
		}
		if _, err := replicas[n].Reseal(t.Context(), seal.ResealOptions{PageSize: 2}); err != nil {
			t.Error(err)
		}
	}
	var counting sync.WaitGroup
	var replaced [subjects]atomic.Int64
	for c := range callers {
		for i := range subjects {
			counting.Go(func() {
				for n := 0; n < replacements; {
					s := replicas[(c+n)%2]
					key, err := s.TemporaryKey(t.Context(), subject(i))
					if err != nil {
						t.Error(err)
						return
					}
					n, err = strconv.Atoi(key.Secret.Reveal())
					if err != nil {
						t.Error("a secret that was never written:", err)
						return
					}
					ok, err := s.ReplaceTemporarySecret(t.Context(), subject(i), key.Secret, store.NewSecret(strconv.Itoa(n+1)))
					if err != nil {
						t.Error(err)
						return
					}
					if ok {
						replaced[i].Add(1)
						continue
					}
					now, err := s.TemporaryKey(t.Context(), subject(i))
					if err != nil || now.Secret.Equal(key.Secret) {
						t.Error("not replaced, although no other caller has:", err)
						return
					}
				}
			})
		}
	}
	counting.Wait()
	for i := range subjects {
		key, err := replicas[0].TemporaryKey(t.Context(), subject(i))
		require.NoError(t, err)
		require.Equal(t, strconv.FormatInt(replaced[i].Load(), 10), key.Secret.Reveal(), "each replacement succeeds once")
		require.EqualValues(t, 1, key.Generation)
	}
}
