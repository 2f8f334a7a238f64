package seal_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

// fillMany writes n records of each kind with secrets that are their names.
func fillMany(t *testing.T, s store.Store, n int) {
	t.Helper()
	for i, name := range names(n) {
		subject := caveat.User(name)
		require.NoError(t, s.CreateIdentity(t.Context(), identity(subject, name)))
		require.NoError(t, second(s.CreateToken(t.Context(), token(name, subject, name), 0)))
		for range i%3 + 1 {
			_, err := s.RotateTemporaryKey(t.Context(), subject, store.NewSecret(name))
			require.NoError(t, err)
		}
	}
	require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{Subject: caveat.Provider("no password")}))
}

// requireMany requires that the ring opens the secrets of fillMany.
func requireMany(t *testing.T, backend store.Store, keys seal.KeyRing, n int) {
	t.Helper()
	s := sealed(t, backend, keys)
	for i, name := range names(n) {
		subject := caveat.User(name)
		id, err := s.GetIdentity(t.Context(), subject)
		require.NoError(t, err)
		require.Equal(t, identity(subject, name), id)
		record, err := s.GetToken(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, token(name, subject, name), record)
		temporary, err := s.TemporaryKey(t.Context(), subject)
		require.NoError(t, err)
		require.Equal(t, name, temporary.Secret.Reveal())
		require.EqualValues(t, i%3+1, temporary.Generation)
	}
}

func TestResealMovesAllToThePrimaryKey(t *testing.T) {
	t.Parallel()
	const n = 10
	backend := newHooked()
	fillMany(t, sealed(t, backend, ring(t, key1)), n)
	s := sealed(t, backend, ring(t, key2, key1))
	require.NoError(t, second(s.CreateToken(t.Context(), token("new", alice, "new"), 0)))

	var reported []seal.ResealProgress
	o := seal.ResealOptions{PageSize: 4, Progress: func(p seal.ResealProgress) { reported = append(reported, p) }}
	done, err := s.Reseal(t.Context(), o)
	require.NoError(t, err)
	require.EqualValues(t, 3*n+2, done.Records)
	require.EqualValues(t, 3*n, done.Resealed, "records under the primary key or without a secret are not changed")
	require.True(t, done.Next.IsEnd())
	require.Len(t, reported, 9)
	require.Equal(t, done, reported[8])
	requireMany(t, backend, ring(t, key2), n)

	before := secretsOf(t, backend)
	done, err = s.Reseal(t.Context(), seal.ResealOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 3*n+2, done.Records)
	require.Zero(t, done.Resealed)
	require.Equal(t, before, secretsOf(t, backend))
}

func TestResealSealsAStoreThatWasInUse(t *testing.T) {
	t.Parallel()
	backend := newHooked()
	fillMany(t, backend, 5)
	s := sealed(t, backend, ring(t, key1), seal.Options{AllowPlaintext: true})
	before := secretsOf(t, backend)
	done, err := s.Reseal(t.Context(), seal.ResealOptions{})
	requireOperational(t, err, seal.ErrNotSealed)
	require.Zero(t, done.Resealed)
	require.Equal(t, before, secretsOf(t, backend), "secrets in clear were sealed without SealPlaintext")

	done, err = s.Reseal(t.Context(), seal.ResealOptions{SealPlaintext: true})
	require.NoError(t, err)
	require.EqualValues(t, 15, done.Resealed)
	requireMany(t, backend, ring(t, key1), 5)
	for _, secrets := range secretsOf(t, backend) {
		for _, secret := range secrets {
			require.NotContains(t, secret, "n00")
		}
	}
}

func TestPlaintextIsSealedForTheCurrentSubjectOfTheToken(t *testing.T) {
	t.Parallel()
	backend := newHooked()
	fill(t, backend.Store)
	backend.before = func() {
		moved := token("a", bob, "plain 3")
		require.NoError(t, backend.Import(t.Context(), []store.Record{{Token: &moved}}))
		backend.before = func() {}
	}
	s := sealed(t, backend, ring(t, key1), seal.Options{AllowPlaintext: true})
	_, err := s.Reseal(t.Context(), seal.ResealOptions{From: transfer.Position{Kind: store.TokenRecords}, SealPlaintext: true})
	require.NoError(t, err)
	key, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, bob, key.Subject)
}

func TestResealCanBeResumed(t *testing.T) {
	t.Parallel()
	const n = 4
	for failAt := 1; failAt <= 3*n; failAt++ {
		backend := newHooked()
		fillMany(t, sealed(t, backend, ring(t, key1)), n)
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		backend.before = func() {
			if calls++; calls == failAt {
				cancel()
			}
		}
		s := sealed(t, backend, ring(t, key2, key1))
		done, err := s.Reseal(ctx, seal.ResealOptions{PageSize: 3})
		requireOperational(t, err, context.Canceled)
		require.EqualValues(t, failAt-1, done.Resealed)

		rest, err := s.Reseal(t.Context(), seal.ResealOptions{From: done.Next, PageSize: 3})
		require.NoError(t, err)
		require.EqualValues(t, 3*n, done.Resealed+rest.Resealed)
		require.EqualValues(t, 3*n+1, done.Records+rest.Records)
		requireMany(t, backend, ring(t, key2), n)
	}
}

// TestResealLosesNoChange lets another process, which still seals under the old
// key, write between the read and the replacement of a secret.
func TestResealLosesNoChange(t *testing.T) {
	t.Parallel()
	type change = func(ctx context.Context, s store.Store) error
	for what, c := range map[string]struct {
		change change
		check  func(t *testing.T, s store.Store)
		left   int64 // records that there are after all
		kind   store.RecordKind
	}{
		"nothing": {
			func(context.Context, store.Store) error { return nil },
			requireFilled, 3, store.TokenRecords,
		},
		"temporary rotated": {
			func(ctx context.Context, s store.Store) error {
				_, err := s.RotateTemporaryKey(ctx, alice, store.NewSecret("rotated"))
				return err
			},
			func(t *testing.T, s store.Store) {
				key, err := s.TemporaryKey(t.Context(), alice)
				require.NoError(t, err)
				require.Equal(t, "rotated", key.Secret.Reveal())
				require.EqualValues(t, 2, key.Generation)
			}, 3, store.TemporaryRecords,
		},
		"temporary deleted": {
			func(ctx context.Context, s store.Store) error { return s.DeleteTemporaryKey(ctx, alice) },
			func(t *testing.T, s store.Store) {
				_, err := s.TemporaryKey(t.Context(), alice)
				require.ErrorIs(t, err, errors.IDNotFound)
			}, 2, store.TemporaryRecords,
		},
		"temporary deleted and made again": {
			func(ctx context.Context, s store.Store) error {
				if err := s.DeleteTemporaryKey(ctx, alice); err != nil {
					return err
				}
				_, err := s.EnsureTemporaryKey(ctx, alice, store.NewSecret("again"))
				return err
			},
			func(t *testing.T, s store.Store) {
				key, err := s.TemporaryKey(t.Context(), alice)
				require.NoError(t, err)
				require.Equal(t, "again", key.Secret.Reveal())
			}, 3, store.TemporaryRecords,
		},
		"token revoked": {
			func(ctx context.Context, s store.Store) error {
				return s.UpdateToken(ctx, "a", func(t *store.Token) error { t.Revoked = true; return nil })
			},
			func(t *testing.T, s store.Store) {
				requireFilled(t, s)
				key, err := s.NamedKey(t.Context(), "a")
				require.NoError(t, err)
				require.True(t, key.Revoked)
			}, 3, store.TokenRecords,
		},
		"token's secret replaced": {
			func(ctx context.Context, s store.Store) error {
				return s.UpdateToken(ctx, "a", func(t *store.Token) error { t.Secret = store.NewSecret("other"); return nil })
			},
			func(t *testing.T, s store.Store) {
				key, err := s.NamedKey(t.Context(), "a")
				require.NoError(t, err)
				require.Equal(t, "other", key.Secret.Reveal())
			}, 3, store.TokenRecords,
		},
		"token deleted": {
			func(ctx context.Context, s store.Store) error { return s.DeleteToken(ctx, "a") },
			func(t *testing.T, s store.Store) {
				_, err := s.NamedKey(t.Context(), "a")
				require.ErrorIs(t, err, errors.IDNotFound)
			}, 2, store.TokenRecords,
		},
		"token given to another subject": {
			func(ctx context.Context, s store.Store) error {
				moved := token("a", bob, "plain 3")
				return s.Import(ctx, []store.Record{{Token: &moved}})
			},
			func(t *testing.T, s store.Store) {
				key, err := s.NamedKey(t.Context(), "a")
				require.NoError(t, err)
				require.Equal(t, bob, key.Subject)
			}, 3, store.TokenRecords,
		},
		"password changed": {
			func(ctx context.Context, s store.Store) error {
				return s.UpdateIdentity(ctx, alice, func(i *store.Identity) error {
					i.Password = store.NewSecret("changed")
					return nil
				})
			},
			func(t *testing.T, s store.Store) {
				i, err := s.GetIdentity(t.Context(), alice)
				require.NoError(t, err)
				require.Equal(t, "changed", i.Password.Reveal())
			}, 3, store.IdentityRecords,
		},
		"identity deleted": {
			func(ctx context.Context, s store.Store) error { return s.DeleteIdentity(ctx, alice) },
			func(t *testing.T, s store.Store) {
				_, err := s.GetIdentity(t.Context(), alice)
				require.ErrorIs(t, err, errors.IDNotFound)
			}, 2, store.IdentityRecords,
		},
	} {
		for turn := range 3 {
			backend := newHooked()
			old := sealed(t, backend.Store, ring(t, key1, key2)) // does not come by before
			fill(t, old)
			var once sync.Once
			calls := 0
			backend.before = func() {
				if calls++; calls > turn {
					once.Do(func() { require.NoError(t, c.change(t.Context(), old), what) })
				}
			}
			_, err := sealed(t, backend, ring(t, key2, key1)).Reseal(t.Context(), seal.ResealOptions{})
			require.NoError(t, err, what)
			// Records that changed behind the position may still be under the
			// old key.
			due := int64(0)
			if store.RecordKind(turn) >= c.kind {
				due = 1
			}
			done, err := sealed(t, backend, ring(t, key2, key1)).Reseal(t.Context(), seal.ResealOptions{})
			require.NoError(t, err, what)
			require.LessOrEqual(t, done.Resealed, due, what)
			require.EqualValues(t, c.left, done.Records, what)
			t.Run(what, func(t *testing.T) { c.check(t, sealed(t, backend, ring(t, key2))) })
		}
	}
}

// TestResealWithConcurrentWriters runs many writers and several resealers.
func TestResealWithConcurrentWriters(t *testing.T) {
	t.Parallel()
	const n, rotations = 8, 40
	backend := newHooked()
	fillMany(t, sealed(t, backend, ring(t, key1)), n)
	old, current := sealed(t, backend, ring(t, key1, key2)), sealed(t, backend, ring(t, key2, key1))
	var writers, resealers sync.WaitGroup
	for _, name := range names(n) {
		writers.Go(func() {
			for i := range rotations {
				s := []store.Store{old, current}[i%2]
				_, err := s.RotateTemporaryKey(t.Context(), caveat.User(name), store.NewSecret(strings.Repeat("x", i+1)))
				if err == nil {
					err = s.UpdateToken(t.Context(), name, func(t *store.Token) error {
						t.UsageCount++
						t.Secret = store.NewSecret(strings.Repeat("x", i+1))
						return nil
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	stop := make(chan struct{})
	for range 2 {
		resealers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := current.Reseal(t.Context(), seal.ResealOptions{PageSize: 2}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	resealers.Wait()
	_, err := current.Reseal(t.Context(), seal.ResealOptions{})
	require.NoError(t, err)
	only := sealed(t, backend, ring(t, key2))
	for i, name := range names(n) {
		key, err := only.TemporaryKey(t.Context(), caveat.User(name))
		require.NoError(t, err)
		require.EqualValues(t, i%3+1+rotations, key.Generation)
		require.Len(t, key.Secret.Reveal(), rotations)
		record, err := only.GetToken(t.Context(), name)
		require.NoError(t, err)
		require.EqualValues(t, rotations, record.UsageCount)
		require.Len(t, record.Secret.Reveal(), rotations)
	}
}

func TestResealNamesTheRecordThatDoesNotOpen(t *testing.T) {
	t.Parallel()
	backend := newHooked()
	s := sealed(t, backend, ring(t, key2, key1))
	fill(t, sealed(t, backend, ring(t, key1, key2)))
	require.NoError(t, second(sealed(t, backend, ring(t, key("lost", 7), key2)).CreateToken(t.Context(), token("z", alice, "plain"), 0)))
	done, err := s.Reseal(t.Context(), seal.ResealOptions{})
	requireOperational(t, err, seal.ErrUnknownKey)
	require.ErrorContains(t, err, `"z"`)
	require.ErrorContains(t, err, `"lost"`)
	require.NoError(t, s.DeleteToken(t.Context(), "z"))
	_, err = s.Reseal(t.Context(), seal.ResealOptions{From: done.Next})
	require.NoError(t, err)
	requireFilled(t, sealed(t, backend, ring(t, key2)))
}

func TestResealRejectsInvalidPositions(t *testing.T) {
	t.Parallel()
	m := newHooked()
	_, err := sealed(t, m, ring(t, key1)).Reseal(t.Context(), seal.ResealOptions{From: transfer.Position{Kind: store.TokenRecords, After: "?"}})
	require.ErrorIs(t, err, errors.IDBadData)
}

// lostAfter is a store that fails after a secret should be replaced.
type lostAfter struct{ *memory.Store }

func (l lostAfter) ReplaceTemporarySecret(context.Context, caveat.Subject, store.Secret, store.Secret) (bool, error) {
	return false, errLost
}

var errLost = errors.New("the connection is lost")

func TestResealReportsALostStore(t *testing.T) {
	t.Parallel()
	backend := lostAfter{memory.New()}
	fill(t, sealed(t, backend, ring(t, key1)))
	_, err := sealed(t, backend, ring(t, key2, key1)).Reseal(t.Context(), seal.ResealOptions{})
	requireOperational(t, err, errLost)
	require.ErrorContains(t, err, `temporary tokens of "usr-alice"`)
}

func TestRingsThatCannotWrapChangeNothing(t *testing.T) {
	t.Parallel()
	backend := newHooked()
	fill(t, sealed(t, backend, ring(t, key1)))
	before := secretsOf(t, backend)
	s := sealed(t, backend, &openingRing{KeyRing: ring(t, key2, key1)})
	_, err := s.Reseal(t.Context(), seal.ResealOptions{})
	requireOperational(t, err, errLost)
	requireOperational(t, writes(s)["UpdateToken"](t.Context()), errLost)
	requireOperational(t, writes(s)["UpdateIdentity"](t.Context()), errLost)
	require.Equal(t, before, secretsOf(t, backend))
	requireFilled(t, s)
}

func TestASealedStoreCanBeCopied(t *testing.T) {
	t.Parallel()
	src, dst := memory.New(), memory.New()
	from, to := sealed(t, src, ring(t, key1)), sealed(t, dst, ring(t, key2))
	fillMany(t, from, 5)
	_, err := transfer.Copy(t.Context(), to, from, transfer.Options{})
	require.NoError(t, err)
	requireMany(t, dst, ring(t, key2), 5)
	for d, err := range transfer.Compare(t.Context(), to, from) {
		t.Error(d, err)
	}

	raw := memory.New()
	_, err = transfer.Copy(t.Context(), raw, src, transfer.Options{})
	require.NoError(t, err)
	requireMany(t, raw, ring(t, key1), 5)
}
