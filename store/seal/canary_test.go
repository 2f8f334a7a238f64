package seal_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

// backends are a real store and a fake of one.
func backends() map[string]store.Store {
	return map[string]store.Store{
		"memory":        memory.New(),
		"memory inside": struct{ store.Store }{memory.New()},
	}
}

// TestSealedStoresAreRejectedWithoutTheirRing opens one without a ring, and
// with another.
func TestSealedStoresAreRejectedWithoutTheirRing(t *testing.T) {
	t.Parallel()
	for name, backend := range backends() {
		require.NoError(t, store.CheckSeal(t.Context(), backend), "%s: nothing is sealed", name)
		s := sealed(t, backend, ring(t, key1))
		fill(t, s)
		requireOperational(t, store.CheckSeal(t.Context(), backend), store.ErrSealed, name)
		require.NoError(t, store.CheckSeal(t.Context(), s), "%s: it opens what is sealed", name)
		_, err := seal.New(t.Context(), backend, ring(t, key2), seal.Options{})
		requireOperational(t, err, seal.ErrUnknownKey, name)
		require.ErrorContains(t, err, `"one"`)
		_, err = seal.New(t.Context(), backend, ring(t, key("one", 9)), seal.Options{})
		requireOperational(t, err, seal.ErrCannotOpen, name)
		requireFilled(t, sealed(t, backend, ring(t, key2, key1)))
	}
}

// TestSealedStoresOfAnEarlierReleaseAreRejectedWithAnotherRing uses sealed
// records without a canary.
func TestSealedStoresOfAnEarlierReleaseAreRejectedWithAnotherRing(t *testing.T) {
	t.Parallel()
	for name, backend := range backends() {
		fillVersion1(t, backend, ring(t, key1))
		_, err := seal.New(t.Context(), backend, ring(t, key2), seal.Options{AllowOutdated: true})
		requireOperational(t, err, seal.ErrUnknownKey, name)
		require.NoError(t, store.CheckSeal(t.Context(), backend), "%s: a canary was written", name)
		requireFilled(t, sealed(t, backend, ring(t, key1), seal.Options{AllowOutdated: true}))
		requireOperational(t, store.CheckSeal(t.Context(), backend), store.ErrSealed, name)
	}
}

// TestSealedBytesAreNeverAKey is an attack: someone who reads the database uses
// the sealed bytes as a key.
func TestSealedBytesAreNeverAKey(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	require.NoError(t, backend.CreateIdentity(t.Context(), store.Identity{Subject: alice}))
	owner, err := macaroon.NewAuthority(sealed(t, backend, ring(t, key1)))
	require.NoError(t, err)
	named, err := owner.IssueNamed(t.Context(), "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	require.NoError(t, err)
	read, err := backend.GetToken(t.Context(), named.ID())
	require.NoError(t, err)
	require.True(t, read.Secret.IsSealed())

	_, err = macaroon.Mint(macaroon.Spec{Domain: "onezone", ID: named.ID(), Subject: alice, Type: macaroon.AccessToken()}, read.Secret)
	requireOperational(t, err, store.ErrSealed, "Mint")
	careless, err := macaroon.NewAuthority(backend)
	require.NoError(t, err)
	_, err = careless.Get(t.Context(), named.ID())
	requireOperational(t, err, store.ErrSealed, "Get")
	_, err = careless.IssueNamed(t.Context(), "in clear", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	requireOperational(t, err, store.ErrSealed, "IssueNamed")
	for kind, secrets := range secretsOf(t, backend) {
		for _, secret := range secrets {
			require.True(t, secret == "" || store.NewSecret(secret).IsSealed(), "kind %s", kind)
		}
	}
}

func TestTheCanaryIsHidden(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	_, err := s.TemporaryKey(t.Context(), canary)
	require.ErrorIs(t, err, errors.IDNotFound)
	for page, err := range transfer.Walk(t.Context(), s, transfer.Position{}, 1) {
		require.NoError(t, err)
		require.Empty(t, page.Records)
	}

	// Changes of its subject affect another record.
	_, err = s.EnsureTemporaryKey(t.Context(), canary, store.NewSecret("plain"))
	require.NoError(t, err)
	key, err := s.TemporaryKey(t.Context(), canary)
	require.NoError(t, err)
	require.Equal(t, "plain", key.Secret.Reveal())
	generation, err := s.RotateTemporaryKey(t.Context(), canary, store.NewSecret("plain"))
	require.NoError(t, err)
	require.EqualValues(t, 2, generation)
	require.NoError(t, s.DeleteTemporaryKey(t.Context(), canary))
	imported := store.Temporary{Subject: canary, Generation: 1, Secret: store.NewSecret("plain")}
	require.NoError(t, s.Import(t.Context(), []store.Record{{Temporary: &imported}}))
	for page, err := range transfer.Walk(t.Context(), s, transfer.Position{}, 1) {
		require.NoError(t, err)
		for _, r := range page.Records {
			require.Equal(t, canary, r.Temporary.Subject)
		}
	}
	require.NoError(t, s.Check(t.Context()))
	sealed(t, backend, ring(t, key1))
}

func TestSealedStoresCanBeSealedAgain(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	outer := sealed(t, sealed(t, backend, ring(t, key1)), ring(t, key2))
	fill(t, outer)
	requireFilled(t, sealed(t, sealed(t, backend, ring(t, key1)), ring(t, key2)))
	inner := sealed(t, backend, ring(t, key1))
	requireOperational(t, store.CheckSeal(t.Context(), inner), store.ErrSealed, "the inner seal only")
	_, err := seal.New(t.Context(), inner, ring(t, key1), seal.Options{})
	requireOperational(t, err, seal.ErrUnknownKey)
	copied := memory.New()
	_, err = transfer.Copy(t.Context(), copied, outer, transfer.Options{})
	require.NoError(t, err)
	requireFilled(t, copied)
}

func TestTheFeedDoesNotReportTheCanary(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	up, ended := make(chan struct{}), make(chan struct{})
	var changes []store.Change
	go func() {
		defer close(ended)
		_ = s.Watch(ctx, func(c store.Change) {
			switch {
			case c.Kind == store.FeedUp:
				close(up)
			case c.Subject == bob:
				cancel()
			default:
				changes = append(changes, c)
			}
		})
	}()
	<-up
	_, err := backend.RotateTemporaryKey(t.Context(), canary, store.NewSecret("x"))
	require.NoError(t, err)
	_, err = s.RotateTemporaryKey(t.Context(), canary, store.NewSecret("of an outer seal"))
	require.NoError(t, err)
	_, err = s.RotateTemporaryKey(t.Context(), bob, store.NewSecret("last"))
	require.NoError(t, err)
	<-ended
	require.Equal(t, []store.Change{{Kind: store.TemporaryChanged, Subject: canary}}, changes, "only the canary of the outer seal")
}

func TestCopiesKeepTheCanary(t *testing.T) {
	t.Parallel()
	src, dst := memory.New(), memory.New()
	s := sealed(t, src, ring(t, key1))
	fill(t, s)
	_, err := transfer.Copy(t.Context(), dst, src, transfer.Options{})
	require.NoError(t, err)
	requireOperational(t, store.CheckSeal(t.Context(), dst), store.ErrSealed)
	requireFilled(t, sealed(t, dst, ring(t, key1)))

	opened := memory.New()
	_, err = transfer.Copy(t.Context(), opened, s, transfer.Options{})
	require.NoError(t, err)
	require.NoError(t, store.CheckSeal(t.Context(), opened), "the store has no sealed records")
	requireFilled(t, opened)

	_, err = transfer.Copy(t.Context(), dst, opened, transfer.Options{})
	require.ErrorIs(t, err, errors.IDBadData, "secrets in clear must not be copied to a sealed store")
	_, err = transfer.Copy(t.Context(), dst, src, transfer.Options{})
	require.NoError(t, err, "the backend again, with sealed secrets")
	_, err = transfer.Copy(t.Context(), sealed(t, dst, ring(t, key1)), opened, transfer.Options{})
	require.NoError(t, err)

	// Records that were copied to the wrong store are rejected.
	twice := sealed(t, memory.New(), ring(t, key1))
	_, err = transfer.Copy(t.Context(), twice, src, transfer.Options{})
	require.NoError(t, err)
	requireOperational(t, store.CheckSeal(t.Context(), twice), store.ErrSealed)
}

func TestCheckDetectsAChangedBackend(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	require.NoError(t, s.Check(t.Context()))
	kept, err := backend.TemporaryKey(t.Context(), canary)
	require.NoError(t, err)
	replace := func(secret string) {
		r := store.Temporary{Subject: canary, Generation: 1, Secret: store.NewSecret(secret)}
		require.NoError(t, backend.Import(t.Context(), []store.Record{{Temporary: &r}}))
	}
	replace("planted")
	requireOperational(t, s.Check(t.Context()), seal.ErrNotSealed)
	replace(kept.Secret.Reveal() + "x")
	requireOperational(t, s.Check(t.Context()), seal.ErrCannotOpen)
	require.NoError(t, backend.DeleteTemporaryKey(t.Context(), canary))
	err = s.Check(t.Context())
	requireFault(t, err, nil)
	require.ErrorContains(t, err, "missing")
	replace(kept.Secret.Reveal())
	require.NoError(t, s.Check(t.Context()))
}

// TestOneRingWins opens a store concurrently in processes with different rings.
func TestOneRingWins(t *testing.T) {
	t.Parallel()
	for range 50 {
		backend := memory.New()
		var all sync.WaitGroup
		rings := []*seal.StaticKeys{ring(t, key1), ring(t, key2)}
		opened, failed := make([]seal.Store, 2), make([]error, 2)
		for i, keys := range rings {
			all.Go(func() { opened[i], failed[i] = seal.New(t.Context(), backend, keys, seal.Options{}) })
		}
		all.Wait()
		require.NotEqual(t, failed[0] == nil, failed[1] == nil)
		for i := range failed {
			if failed[i] == nil {
				fill(t, opened[i])
			} else {
				requireOperational(t, failed[i], seal.ErrUnknownKey)
			}
		}
	}
}

// TestStoresOpenDespiteOneDamagedRecord uses a store without a canary.
func TestStoresOpenDespiteOneDamagedRecord(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	fillVersion1(t, backend, ring(t, key1))
	plant(t, backend, "in clear")
	s := sealed(t, backend, ring(t, key1), seal.Options{AllowOutdated: true})
	_, err := s.NamedKey(t.Context(), "a")
	requireOperational(t, err, seal.ErrNotSealed)
	_, err = s.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
}

// TestARecordThatDoesNotOpenHidesNoOthers lists records, ids and tokens.
func TestARecordThatDoesNotOpenHidesNoOthers(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	s := sealed(t, backend, ring(t, key1))
	require.NoError(t, second(s.CreateToken(t.Context(), token("b", alice, "plain b"), 0)))
	for what, planted := range map[string]struct {
		secret string
		why    error
	}{
		"in clear":         {"planted", seal.ErrNotSealed},
		"damaged":          {"\x00ozseal\x02 damaged", seal.ErrCannotOpen},
		"in an old form":   {string(version1(t, ring(t, key1), 3, "a", alice, "plain")), seal.ErrOutdated},
		"under a lost key": {lostKeySecret(t), seal.ErrUnknownKey},
	} {
		plant(t, backend, planted.secret)
		page, _, err := s.ListTokens(t.Context(), store.Query{})
		require.NoError(t, err, what)
		require.Len(t, page, 2)
		require.Equal(t, "a", page[0].ID)
		require.True(t, page[0].Secret.IsZero(), what)
		require.Equal(t, "plain b", page[1].Secret.Reveal())
		_, err = s.GetToken(t.Context(), "a")
		requireOperational(t, err, planted.why, what)
		ids, _, err := s.ListTokenIDs(t.Context(), store.Query{})
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, ids)

		a, err := macaroon.NewAuthority(s)
		require.NoError(t, err)
		tokens, _, err := a.List(t.Context(), store.Query{Subject: alice})
		require.NoError(t, err, what)
		require.Len(t, tokens, 1)
		require.Equal(t, "b", tokens[0].ID())
		_, err = a.GetByName(t.Context(), alice, "name of a")
		requireOperational(t, err, planted.why, what)
		require.NoError(t, a.Delete(t.Context(), "a"), "the record can be deleted")
	}
}

// lostKeySecret is the sealed secret of the token "a" under a key that no ring has.
func lostKeySecret(t *testing.T) string {
	t.Helper()
	backend := memory.New()
	require.NoError(t, second(sealed(t, backend, ring(t, key("lost", 7))).CreateToken(t.Context(), token("a", alice, "plain"), 0)))
	return secretsOf(t, backend)[store.TokenRecords][0]
}
