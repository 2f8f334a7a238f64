package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

// testTimeout is how long a test waits for an expected event.
const testTimeout = 20 * time.Second

var (
	alice, bob, carol = caveat.User("alice"), caveat.User("bob"), caveat.User("carol")
	subjects          = []caveat.Subject{alice, bob, carol}
)

func newToken(id string) store.Token {
	return store.Token{
		ID: id, Name: "name of " + id, Version: 2, Subject: alice, Type: "act",
		Secret: store.NewSecret("secret of " + id), Created: 1_600_000_000,
	}
}

func newUser(name string) store.Identity {
	return store.Identity{
		Subject: caveat.User(name), Username: name, FullName: "Name of " + name, Created: 1_500_000_000,
		Password: store.NewSecret("hash of " + name),
	}
}

// call is one call on a store.
type call struct {
	name   string
	writes bool
	do     func(ctx context.Context) error
}

// calls returns a valid call of each method, except Watch and Close.
func calls(s *redis.Store) []call {
	secret := store.NewSecret("another secret")
	identity, token := newUser("imported"), newToken("imported")
	imported := []store.Record{{Identity: &identity}, {Token: &token}}
	return []call{
		{"Migrate", false, s.Migrate},
		{"NamedKey", false, func(ctx context.Context) error { _, err := s.NamedKey(ctx, "a"); return err }},
		{"TemporaryKey", false, func(ctx context.Context) error { _, err := s.TemporaryKey(ctx, alice); return err }},
		{"EnsureTemporaryKey", true, func(ctx context.Context) error { _, err := s.EnsureTemporaryKey(ctx, bob, secret); return err }},
		{"RotateTemporaryKey", true, func(ctx context.Context) error { _, err := s.RotateTemporaryKey(ctx, alice, secret); return err }},
		{"ReplaceTemporarySecret", true, func(ctx context.Context) error {
			_, err := s.ReplaceTemporarySecret(ctx, alice, store.NewSecret("temporary"), secret)
			return err
		}},
		{"DeleteTemporaryKey", true, func(ctx context.Context) error { return s.DeleteTemporaryKey(ctx, bob) }},
		{"CreateToken", true, func(ctx context.Context) error { return second(s.CreateToken(ctx, newToken("b"), 0)) }},
		{"GetToken", false, func(ctx context.Context) error { _, err := s.GetToken(ctx, "a"); return err }},
		{"ListTokens", false, func(ctx context.Context) error { _, _, err := s.ListTokens(ctx, store.Query{}); return err }},
		{"ListTokens of a subject", false, func(ctx context.Context) error {
			_, _, err := s.ListTokens(ctx, store.Query{Subject: alice})
			return err
		}},
		{"ListTokens by name", false, func(ctx context.Context) error {
			_, _, err := s.ListTokens(ctx, store.Query{Subject: alice, Name: "name of a"})
			return err
		}},
		{"ListTokenIDs", false, func(ctx context.Context) error { _, _, err := s.ListTokenIDs(ctx, store.Query{}); return err }},
		{"ListTokenIDs of a subject", false, func(ctx context.Context) error {
			_, _, err := s.ListTokenIDs(ctx, store.Query{Subject: alice})
			return err
		}},
		{"CountTokens", false, func(ctx context.Context) error { _, err := s.CountTokens(ctx, alice); return err }},
		{"UpdateToken", true, func(ctx context.Context) error { return s.UpdateToken(ctx, "a", revoke) }},
		{"DeleteToken", true, func(ctx context.Context) error { return s.DeleteToken(ctx, "a") }},
		{"CreateIdentity", true, func(ctx context.Context) error { return s.CreateIdentity(ctx, newUser("bob")) }},
		{"GetIdentity", false, func(ctx context.Context) error { _, err := s.GetIdentity(ctx, alice); return err }},
		{"GetIdentityByUsername", false, func(ctx context.Context) error { _, err := s.GetIdentityByUsername(ctx, "alice"); return err }},
		{"UpdateIdentity", true, func(ctx context.Context) error {
			return s.UpdateIdentity(ctx, alice, func(i *store.Identity) error { i.Username = "alice2"; return nil })
		}},
		{"DeleteIdentity", true, func(ctx context.Context) error { return s.DeleteIdentity(ctx, alice) }},
		{"Export", false, func(ctx context.Context) error { _, _, err := s.Export(ctx, store.TokenRecords, "", 10); return err }},
		{"Import", true, func(ctx context.Context) error { return s.Import(ctx, imported) }},
	}
}

// fill writes the records that calls use.
func fill(t *testing.T, s *redis.Store) {
	t.Helper()
	require.NoError(t, s.CreateIdentity(t.Context(), newUser("alice")))
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("a"), 0)))
	_, err := s.RotateTemporaryKey(t.Context(), alice, store.NewSecret("temporary"))
	require.NoError(t, err)
}

func revoke(t *store.Token) error {
	t.Revoked = true
	return nil
}

// requireOperational requires an error that is not in the catalogue.
func requireOperational(t *testing.T, err error, about ...any) {
	t.Helper()
	require.Error(t, err, about...)
	e, ok := errors.AsType[*errors.Error](err)
	require.False(t, ok, "an operational error was reported as %v %v", e, about)
}

// eventually waits until the condition holds.
func eventually(t testing.TB, ok func() bool, what string) {
	t.Helper()
	deadline := time.NewTimer(testTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			require.FailNow(t, "gave up waiting: "+what)
		case <-tick.C:
		}
	}
}

// await receives from the channel.
func await[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	deadline := time.NewTimer(testTimeout)
	defer deadline.Stop()
	select {
	case v := <-ch:
		return v
	case <-deadline.C:
		require.FailNow(t, "gave up waiting: "+what)
	}
	panic("not reached")
}

// watch starts a feed and returns its changes when it is connected.
func watch(t testing.TB, s *redis.Store) <-chan store.Change {
	t.Helper()
	changes := make(chan store.Change, 10_000)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Watch(ctx, func(c store.Change) { changes <- c })
	}()
	t.Cleanup(func() { cancel(); <-ended })
	require.Equal(t, store.FeedUp, await(t, changes, "the feed is connected").Kind)
	return changes
}

// awaitKind receives changes up to one of the kind.
func awaitKind(t testing.TB, changes <-chan store.Change, kind store.ChangeKind) {
	t.Helper()
	for await(t, changes, fmt.Sprint("a change of kind ", kind)).Kind != kind {
	}
}

// requireSound requires that all pointers and indexes lead to the same records.
func requireSound(t *testing.T, s *redis.Store) {
	t.Helper()
	ctx := t.Context()
	all := listAll(t, s, store.Query{})
	ofSubjects := 0
	for _, subject := range subjects {
		ofSubjects += len(listAll(t, s, store.Query{Subject: subject}))
	}
	require.Len(t, all, ofSubjects, "the lists of subjects and the list of all tokens differ")
	for _, token := range all {
		got, err := s.GetToken(ctx, token.ID)
		require.NoError(t, err, "the token %q is listed and not there", token.ID)
		require.Equal(t, token, got)
		named := listAll(t, s, store.Query{Subject: token.Subject, Name: token.Name})
		require.Equal(t, []store.Token{token}, named, "the token %q is not found by its name", token.ID)
		key, err := s.NamedKey(ctx, token.ID)
		require.NoError(t, err)
		require.True(t, key.Secret.Equal(token.Secret))
	}
	for _, subject := range subjects {
		i, err := s.GetIdentity(ctx, subject)
		if err == nil && i.Username != "" {
			named, err := s.GetIdentityByUsername(ctx, i.Username)
			require.NoError(t, err, "the user %s is not found by name", subject)
			require.Equal(t, i, named)
		}
	}
}

func listAll(t *testing.T, s *redis.Store, q store.Query) (all []store.Token) {
	t.Helper()
	for {
		page, next, err := s.ListTokens(t.Context(), q)
		require.NoError(t, err)
		all = append(all, page...)
		if next.IsZero() {
			return all
		}
		q.After = next
	}
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }
