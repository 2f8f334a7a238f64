package seal_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	keys := ring(t, key1, key2)
	for name, open := range map[string]func(t *testing.T) store.Store{
		"memory": func(t *testing.T) store.Store { return sealed(t, memory.New(), keys) },
		"plaintext allowed": func(t *testing.T) store.Store {
			return sealed(t, memory.New(), keys, seal.Options{AllowPlaintext: true})
		},
		"sealed twice": func(t *testing.T) store.Store {
			return sealed(t, sealed(t, memory.New(), keys), keys)
		},
	} {
		t.Run(name, func(t *testing.T) { storetest.Run(t, open) })
	}
}

func TestNewNeedsBackendAndRing(t *testing.T) {
	t.Parallel()
	_, err := seal.New(t.Context(), nil, ring(t, key1), seal.Options{})
	require.ErrorIs(t, err, errors.IDBadData)
	_, err = seal.New(t.Context(), memory.New(), nil, seal.Options{})
	require.ErrorIs(t, err, errors.IDBadData)
}

func TestCloseLeavesTheBackendOpen(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	require.NoError(t, sealed(t, backend, ring(t, key1)).Close())
	fill(t, backend)
}

// spy records the record of the backend after each change.
type spy struct {
	*memory.Store
	seen []string
}

func (s *spy) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	return s.Store.UpdateToken(ctx, id, func(t *store.Token) error {
		defer func() { s.seen = append(s.seen, t.Secret.Reveal()) }()
		return change(t)
	})
}

func (s *spy) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	return s.Store.UpdateIdentity(ctx, subject, func(i *store.Identity) error {
		defer func() { s.seen = append(s.seen, i.Password.Reveal()) }()
		return change(i)
	})
}

func TestPlaintextNeverReachesTheBackend(t *testing.T) {
	t.Parallel()
	errNo := errors.New("no")
	writeAll := func(s store.Store) {
		fill(t, s)
		for name, write := range writes(s) {
			require.NoError(t, write(t.Context()), name)
		}
		for name, read := range reads(s) {
			require.NoError(t, read(t.Context()), name)
		}
		require.ErrorIs(t, s.UpdateToken(t.Context(), "a", func(*store.Token) error { return errNo }), errNo)
		require.ErrorIs(t, s.UpdateIdentity(t.Context(), alice, func(*store.Identity) error { return errNo }), errNo)
	}
	hits := func(texts []string) int {
		n := 0
		for _, text := range texts {
			if strings.Contains(text, "plain ") {
				n++
			}
		}
		return n
	}
	backend, open := &spy{Store: memory.New()}, &spy{Store: memory.New()}
	writeAll(sealed(t, backend, ring(t, key1)))
	writeAll(open)
	for kind, secrets := range secretsOf(t, backend) {
		require.NotEmpty(t, secrets)
		require.Zero(t, hits(secrets), "kind %s", kind)
		require.Equal(t, len(secrets), hits(secretsOf(t, open)[kind]), "the search does not find existing secrets")
	}
	require.Zero(t, hits(backend.seen), "an update passed the open secret to the backend")
	require.Len(t, backend.seen, len(open.seen))
	require.Zero(t, hits(dump(backend)))
	require.GreaterOrEqual(t, hits(dump(open)), 6, "the search does not find existing secrets")
}

func TestEachSecretHasItsOwnDataKey(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	for _, id := range names(3) {
		require.NoError(t, second(s.CreateToken(t.Context(), token(id, alice, "the same"), 0)))
	}
	secrets := secretsOf(t, backend)[store.TokenRecords]
	tail := func(i int) string { return secrets[i][len(secrets[i])-24:] } // ciphertext and tag
	require.NotEqual(t, tail(0)[:8], tail(1)[:8])
	require.NotEqual(t, tail(1)[:8], tail(2)[:8])
}

func TestAnUpdateSealsOnlyASecretThatChanged(t *testing.T) {
	t.Parallel()
	backend, keys := memory.New(), &countingRing{KeyRing: ring(t, key1)}
	s := sealed(t, backend, keys)
	fill(t, s)
	before := secretsOf(t, backend)
	keys.wraps = 0
	require.NoError(t, s.UpdateToken(t.Context(), "a", func(t *store.Token) error { t.Revoked = true; return nil }))
	require.NoError(t, s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error { i.Blocked = true; return nil }))
	_, err := s.EnsureTemporaryKey(t.Context(), alice, store.NewSecret("another"))
	require.NoError(t, err)
	require.Equal(t, before, secretsOf(t, backend))
	require.Zero(t, keys.wraps)
	requireFilled(t, s)

	require.NoError(t, s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
		i.Password = store.Secret{}
		return nil
	}))
	i, err := backend.GetIdentity(t.Context(), alice)
	require.NoError(t, err)
	require.True(t, i.Password.IsZero(), "an empty password was sealed")
	require.Zero(t, keys.wraps)
}

func TestOnlyOneUnwrapIsNeededForAVerification(t *testing.T) {
	t.Parallel()
	keys := &countingRing{KeyRing: ring(t, key1)}
	s := sealed(t, memory.New(), keys)
	fill(t, s)
	keys.unwraps = 0
	_, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	_, err = s.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, 2, keys.unwraps)
}

// plant replaces the secret of the token "a" by the text.
func plant(t testing.TB, backend *memory.Store, text string) {
	t.Helper()
	planted := token("a", alice, text)
	require.NoError(t, backend.Import(t.Context(), []store.Record{{Token: &planted}}))
}

func TestADamagedSecretDoesNotOpen(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	fill(t, s)
	good := secretsOf(t, backend)[store.TokenRecords][0]
	var damaged []string
	for i := range good {
		for _, flip := range []byte{1, 0x80, 0xff} {
			b := []byte(good)
			b[i] ^= flip
			damaged = append(damaged, string(b))
		}
		if i > 0 {
			damaged = append(damaged, good[:i])
		}
	}
	damaged = append(damaged, good+"\x00", good+good)
	for _, text := range damaged {
		plant(t, backend, text)
		_, err := s.NamedKey(t.Context(), "a")
		require.Error(t, err)
		_, catalogued := errors.AsType[*errors.Error](err)
		require.False(t, catalogued, "%v", err)
	}
	plant(t, backend, good)
	requireFilled(t, s)
}

func TestMissingOrWrongKeysAreOperationalErrors(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	fill(t, sealed(t, backend, ring(t, key1)))
	for name, read := range reads(later(t, backend, ring(t, key1), ring(t, key2))) {
		requireOperational(t, read(t.Context()), seal.ErrUnknownKey, name)
	}
	for name, read := range reads(later(t, backend, ring(t, key1), ring(t, key("one", 9)))) {
		requireOperational(t, read(t.Context()), seal.ErrCannotOpen, name)
	}
	requireFilled(t, sealed(t, backend, ring(t, key2, key1)))
	_, err := seal.New(t.Context(), backend, ring(t, key2), seal.Options{})
	requireOperational(t, err, seal.ErrUnknownKey, "New")
	require.ErrorContains(t, err, `"one"`, "the error names the missing key")
	_, err = seal.New(t.Context(), backend, ring(t, key("one", 9)), seal.Options{})
	requireOperational(t, err, seal.ErrCannotOpen, "New")
}

func TestATokenIsNotInvalidBecauseAKeyIsMissing(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	authority, err := macaroon.NewAuthority(sealed(t, backend, ring(t, key1)))
	require.NoError(t, err)
	require.NoError(t, backend.CreateIdentity(t.Context(), store.Identity{Subject: alice}))
	grant := macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Time{ValidUntil: authority.Now().Unix() + 60}},
	}
	named, err := authority.IssueNamed(t.Context(), "laptop", grant)
	require.NoError(t, err)
	temporary, err := authority.Issue(t.Context(), grant)
	require.NoError(t, err)
	other, err := macaroon.NewAuthority(later(t, backend, ring(t, key1), ring(t, key2)))
	require.NoError(t, err)
	for _, issued := range []macaroon.Token{named, temporary} {
		_, err = authority.VerifyAccess(t.Context(), issued.String(), caveat.Request{})
		require.NoError(t, err)
		_, err = other.VerifyAccess(t.Context(), issued.String(), caveat.Request{})
		requireOperational(t, err, seal.ErrUnknownKey)
	}
}

func TestErrorsOfARingAreOperational(t *testing.T) {
	t.Parallel()
	errKMS := errors.New("the key service is down")
	for _, c := range []struct{ returned, want error }{
		{errKMS, errKMS},
		{context.DeadlineExceeded, context.DeadlineExceeded},
		{errors.NotFound(), nil},
		{errors.TokenInvalid().WithCause(errKMS), nil},
	} {
		backend := memory.New()
		fill(t, sealed(t, backend, ring(t, key1)))
		s := later(t, backend, ring(t, key1), fixedRing{err: c.returned})
		for name, call := range reads(s) {
			requireFault(t, call(t.Context()), c.want, name)
		}
		for name, call := range writes(s) {
			requireFault(t, call(t.Context()), c.want, name)
		}
		_, err := later(t, newHooked(), ring(t, key1), fixedRing{err: c.returned}).Reseal(t.Context(), seal.ResealOptions{})
		requireFault(t, err, c.want, "Reseal")
		_, err = seal.New(t.Context(), backend, fixedRing{err: c.returned}, seal.Options{})
		requireFault(t, err, c.want, "New")
		requireFilled(t, sealed(t, backend, ring(t, key1)))
		require.Len(t, secretsOf(t, backend)[store.TokenRecords], 1, "something was written")
	}
}

// requireFault requires an operational error that wraps the target, unless that
// is nil.
func requireFault(t *testing.T, err, target error, about ...any) {
	t.Helper()
	require.Error(t, err, about...)
	if target == nil {
		target = err
	}
	requireOperational(t, err, target, about...)
}

func TestRingsThatBreakTheContractAreDetected(t *testing.T) {
	t.Parallel()
	for what, broken := range map[string]fixedRing{
		"no key id":          {wrapped: []byte("w")},
		"a long key id":      {keyID: strings.Repeat("k", 256)},
		"a long wrapped key": {keyID: "k", wrapped: make([]byte, 65536)},
	} {
		backend := memory.New()
		_, err := later(t, backend, ring(t, key1), broken).RotateTemporaryKey(t.Context(), alice, store.NewSecret("plain"))
		requireFault(t, err, nil, what)
		require.Empty(t, secretsOf(t, backend)[store.TemporaryRecords], "a secret that cannot be opened was written")
	}
	for what, broken := range map[string]fixedRing{
		"an unwrapped nothing": {keyID: "k", wrapped: []byte("w")},
		"a short key":          {keyID: "k", wrapped: []byte("w"), key: make([]byte, 16)},
		"another key":          {keyID: "k", wrapped: []byte("w"), key: make([]byte, 32)},
	} {
		s := later(t, memory.New(), ring(t, key1), broken)
		_, err := s.EnsureTemporaryKey(t.Context(), alice, store.NewSecret("plain"))
		requireFault(t, err, nil, what)
	}
	longest := fixedRing{keyID: strings.Repeat("k", 255), wrapped: make([]byte, 65535)}
	_, err := later(t, memory.New(), ring(t, key1), longest).RotateTemporaryKey(t.Context(), alice, store.NewSecret("plain"))
	require.NoError(t, err)
}

func TestPlaintextIsRejectedUnlessAllowed(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	strict := sealed(t, backend, ring(t, key1))
	fill(t, backend)
	for name, read := range reads(strict) {
		requireOperational(t, read(t.Context()), seal.ErrNotSealed, name)
	}

	backend = memory.New()
	fill(t, backend)
	_, err := seal.New(t.Context(), backend, ring(t, key1), seal.Options{})
	requireOperational(t, err, seal.ErrNotSealed)
	require.NoError(t, store.CheckSeal(t.Context(), backend), "a canary was written")
	lenient := sealed(t, backend, ring(t, key1), seal.Options{AllowPlaintext: true})
	requireFilled(t, lenient)
	require.NoError(t, lenient.UpdateToken(t.Context(), "a", func(*store.Token) error { return nil }))
	require.NoError(t, lenient.UpdateIdentity(t.Context(), alice, func(*store.Identity) error { return nil }))
	secrets := secretsOf(t, backend)
	for _, kind := range []store.RecordKind{store.TokenRecords, store.IdentityRecords} {
		require.NotContains(t, secrets[kind][0], "plain", "an update did not seal the secret")
	}
	requireFilled(t, lenient)
	_, err = sealed(t, backend, ring(t, key1)).NamedKey(t.Context(), "a")
	require.NoError(t, err)

	// AllowPlaintext does not affect sealed secrets.
	good := secretsOf(t, backend)[store.TokenRecords][0]
	plant(t, backend, good[:len(good)-1])
	_, err = lenient.NamedKey(t.Context(), "a")
	requireOperational(t, err, seal.ErrCannotOpen)
}

func TestNewPrimaryKeySealsAndOldKeysOpen(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	fill(t, sealed(t, backend, ring(t, key1)))
	rotated := sealed(t, backend, ring(t, key2, key1))
	requireFilled(t, rotated)
	require.NoError(t, second(rotated.CreateToken(t.Context(), token("b", alice, "new"), 0)))

	_, err := later(t, backend, ring(t, key1), ring(t, key2)).NamedKey(t.Context(), "b")
	require.NoError(t, err)
	_, err = sealed(t, backend, ring(t, key1)).NamedKey(t.Context(), "b")
	requireOperational(t, err, seal.ErrUnknownKey)
}

func TestListingsAreOpened(t *testing.T) {
	t.Parallel()
	s := sealed(t, memory.New(), ring(t, key1))
	for _, id := range names(5) {
		require.NoError(t, second(s.CreateToken(t.Context(), token(id, alice, "secret of "+id), 0)))
	}
	page, _, err := s.ListTokens(t.Context(), store.Query{})
	require.NoError(t, err)
	require.True(t, slices.EqualFunc(names(5), page, func(id string, t store.Token) bool {
		return t.Secret.Reveal() == "secret of "+id
	}))
}

func FuzzWhateverIsStored(f *testing.F) {
	backend := memory.New()
	s := sealed(f, backend, ring(f, key1))
	fill(f, s)
	good := secretsOf(f, backend)[store.TokenRecords][0]
	for _, seed := range []string{good, good[:8], good[:9], good[:len(good)/2], good[:8] + "\xff", "plain", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		backend := memory.New()
		if text == "" {
			return // no backend keeps it
		}
		s := sealed(t, backend, ring(t, key1))
		plant(t, backend, text)
		key, err := s.NamedKey(t.Context(), "a")
		_, catalogued := errors.AsType[*errors.Error](err)
		require.False(t, catalogued)
		if err == nil {
			require.Equal(t, "plain 3", key.Secret.Reveal(), "a secret in clear is returned unchanged")
		}
	})
}
