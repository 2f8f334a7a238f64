package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// patience is the timeout of a check for expected events, unless the test
// binary has less time left.
const patience = 20 * time.Second

// The subjects of the suite. Some share an id and differ in type.
var (
	alice    = caveat.User("alice")
	bob      = caveat.User("bob")
	provider = caveat.Provider("alice")

	subjects = []caveat.Subject{alice, bob, provider}
)

// newToken returns a small valid record of alice with a unique name.
func newToken(id string) store.Token {
	return store.Token{
		ID:      id,
		Name:    "name of " + id,
		Version: 2,
		Subject: alice,
		Type:    "act",
		Secret:  store.NewSecret("secret of " + id),
		Created: 1_600_000_000,
	}
}

// fullToken returns a record of alice in which every field is set.
func fullToken(id string) store.Token {
	t := newToken(id)
	t.Type = "ujg:group-1"
	t.Caveats = []string{"time < 1700000000", "ip = 10.0.0.0/8,192.168.0.0/16"}
	t.Revoked = true
	t.RevokedTails = []store.Tail{store.TailOf([]byte("one")), store.TailOf([]byte("two"))}
	t.Custom = json.RawMessage(`{"purpose":["backup",{"of":"home"}]}`)
	t.Privileges = []string{"group_add_child", "group_view"}
	t.UsageLimit = 7
	t.UsageCount = 3
	t.Parent = "parent-1"
	t.Tightened = []store.OwnerCaveat{{Text: "ip = 10.0.0.0/9", Added: 1_650_000_000}, {Text: "time < 1680000000", Added: 1_660_000_000}}
	t.Bait = store.BaitRevokesFamily
	return t
}

// newIdentity returns an identity of the subject without a user name.
func newIdentity(subject caveat.Subject) store.Identity {
	return store.Identity{
		Subject:  subject,
		FullName: "Name of " + subject.String(),
		Password: store.NewSecret("hash of " + subject.String()),
		Created:  1_500_000_000,
	}
}

// newUser returns the identity of a user with the same id and user name.
func newUser(name string) store.Identity {
	i := newIdentity(caveat.User(name))
	i.Username = name
	return i
}

// createToken creates the token, whatever the status of its holder.
func createToken(ctx context.Context, s store.Store, token store.Token) error {
	holder, err := s.CreateToken(ctx, token, 0)
	if err == nil && holder != 0 {
		return fmt.Errorf("the returned holder status is %d, but no status was required", holder)
	}
	return err
}

func createTokens(t *testing.T, s store.Store, tokens ...store.Token) {
	t.Helper()
	for _, token := range tokens {
		require.NoError(t, createToken(t.Context(), s, token), "create the token %q", token.ID)
	}
}

func createIdentities(t *testing.T, s store.Store, identities ...store.Identity) {
	t.Helper()
	for _, i := range identities {
		require.NoError(t, s.CreateIdentity(t.Context(), i), "create the identity of %s", i.Subject)
	}
}

func getToken(t *testing.T, s store.Store, id string) store.Token {
	t.Helper()
	token, err := s.GetToken(t.Context(), id)
	require.NoError(t, err, "get the token %q", id)
	return token
}

func namedKey(t *testing.T, s store.Store, id string) store.Key {
	t.Helper()
	key, err := s.NamedKey(t.Context(), id)
	require.NoError(t, err, "look up the key of the token %q", id)
	return key
}

func temporaryKey(t *testing.T, s store.Store, subject caveat.Subject) store.Key {
	t.Helper()
	key, err := s.TemporaryKey(t.Context(), subject)
	require.NoError(t, err, "look up the temporary key of %s", subject)
	return key
}

func getIdentity(t *testing.T, s store.Store, subject caveat.Subject) store.Identity {
	t.Helper()
	i, err := s.GetIdentity(t.Context(), subject)
	require.NoError(t, err, "get the identity of %s", subject)
	return i
}

func updateToken(t *testing.T, s store.Store, id string, change func(*store.Token)) {
	t.Helper()
	require.NoError(t, s.UpdateToken(t.Context(), id, func(token *store.Token) error {
		change(token)
		return nil
	}), "update the token %q", id)
}

func updateIdentity(t *testing.T, s store.Store, subject caveat.Subject, change func(*store.Identity)) {
	t.Helper()
	require.NoError(t, s.UpdateIdentity(t.Context(), subject, func(i *store.Identity) error {
		change(i)
		return nil
	}), "update the identity of %s", subject)
}

// requireTokens requires equal records in the same order, with the contract's
// definition of equal.
func requireTokens(t *testing.T, want, got []store.Token, about ...any) {
	t.Helper()
	require.Equal(t, ids(want), ids(got), about...)
	for i := range want {
		require.Equal(t, normal(want[i]), normal(got[i]), about...)
	}
}

func requireToken(t *testing.T, want, got store.Token, about ...any) {
	t.Helper()
	requireTokens(t, []store.Token{want}, []store.Token{got}, about...)
}

// normal returns the record in a form in which values that the contract does
// not distinguish are the same.
func normal(t store.Token) store.Token {
	if len(t.Caveats) == 0 {
		t.Caveats = nil
	}
	if len(t.RevokedTails) == 0 {
		t.RevokedTails = nil
	}
	if len(t.Tightened) == 0 {
		t.Tightened = nil
	}
	if t.Custom != nil {
		d := json.NewDecoder(bytes.NewReader(t.Custom))
		d.UseNumber() // large integers differ although they are the same float
		var value any
		if d.Decode(&value) == nil {
			t.Custom, _ = json.Marshal(value)
		}
	}
	return t
}

func ids(tokens []store.Token) []string {
	out := make([]string, len(tokens))
	for i, t := range tokens {
		out[i] = t.ID
	}
	return out
}

// listAll returns all tokens of a query. It fails the test if the pages do not
// end.
func listAll(t *testing.T, s store.Store, q store.Query) []store.Token {
	t.Helper()
	var all []store.Token
	for range 2000 {
		page, next, err := s.ListTokens(t.Context(), q)
		require.NoError(t, err, "list tokens")
		require.LessOrEqual(t, len(page), q.PageSize(), "the page is larger than asked for")
		all = append(all, page...)
		if next.IsZero() {
			return all
		}
		q.After = next
	}
	require.FailNow(t, "the listing does not end")
	return nil
}

// content is everything that can be read from a store.
type content struct {
	Tokens     []store.Token
	Uses       []store.Use // of the tokens
	Identities []store.Identity
	Temporary  []store.Key
}

// contentOf reads the content of the store, with the temporary keys and
// identities of the given subjects.
func contentOf(t *testing.T, s store.Store, subjects ...caveat.Subject) content {
	t.Helper()
	var c content
	for _, token := range listAll(t, s, store.Query{}) {
		c.Tokens = append(c.Tokens, normal(token))
		c.Uses = append(c.Uses, lastUses(t, s, token.ID)...)
	}
	for _, subject := range subjects {
		i, err := s.GetIdentity(t.Context(), subject)
		if err == nil {
			c.Identities = append(c.Identities, i)
		} else {
			requireID(t, err, errors.IDNotFound)
		}
		key, err := s.TemporaryKey(t.Context(), subject)
		if err == nil {
			c.Temporary = append(c.Temporary, key)
		} else {
			requireID(t, err, errors.IDNotFound)
		}
	}
	return c
}

// requireID requires an error of the catalogue with the id.
func requireID(t *testing.T, err error, id errors.ID, about ...any) {
	t.Helper()
	require.Error(t, err, about...)
	e, ok := errors.AsType[*errors.Error](err)
	require.True(t, ok, "want %s, which is an error of the catalogue; got %T: %v %v", id, err, err, about)
	require.Equal(t, id, e.ID, about...)
}

// requireOccupied requires the error for a taken name, with the key.
func requireOccupied(t *testing.T, err error, key string, about ...any) {
	t.Helper()
	requireID(t, err, errors.IDBadValueIdentifierOccupied, about...)
	e, _ := errors.AsType[*errors.Error](err)
	require.Equal(t, key, e.Details["key"], about...)
}

// requireOperational requires an operational error.
func requireOperational(t *testing.T, err, target error, about ...any) {
	t.Helper()
	require.ErrorIs(t, err, target, about...)
	e, ok := errors.AsType[*errors.Error](err)
	require.False(t, ok, "the environment is reported as %v %v", e, about)
}

// requireOneWinner requires that exactly one call of a race succeeded. It calls
// fail with the errors of the others.
func requireOneWinner(t *testing.T, errs []error, fail func(error)) {
	t.Helper()
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
			continue
		}
		fail(err)
	}
	require.Equal(t, 1, winners, "of %d concurrent calls %d succeeded", len(errs), winners)
}

// race makes n calls concurrently and returns their errors.
func race(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var ready atomic.Int64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			// If the goroutines slept here, the first to wake up would often
			// finish before the second starts.
			for ready.Add(1); ready.Load() < int64(n); {
				runtime.Gosched()
			}
			errs[i] = call(i)
		})
	}
	wg.Wait()
	return errs
}

// linger is called in the middle of an update, so that concurrent calls can
// interleave if the store allows it.
func linger() {
	for range 20 {
		runtime.Gosched()
	}
}

func requireAllNil(t *testing.T, errs []error) {
	t.Helper()
	for i, err := range errs {
		require.NoError(t, err, "concurrent call %d", i)
	}
}

// await receives from ch. It fails the test after a timeout, before the test
// binary would be killed.
func await[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(limitOf(t)):
		require.FailNow(t, fmt.Sprintf("gave up waiting: %s", what))
	}
	panic("not reached")
}

// limitOf returns the timeout of the test for one event.
func limitOf(t *testing.T) time.Duration {
	if deadline, ok := t.Deadline(); ok {
		return min(patience, time.Until(deadline)/4)
	}
	return patience
}
