package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
	"github.com/onezone-go/onezone/store/transfer"
)

var (
	alice = caveat.User("alice")
	bob   = caveat.User("bob")
)

// newPath returns the path of a file that does not exist.
func newPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "onezone.db") }

// openAt returns a store over the file, with its tables.
func openAt(tb testing.TB, path string, o sqlite.Options) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(context.Background(), path, o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	require.NoError(tb, s.Migrate(context.Background()))
	return s
}

// newHandle returns a handle of an application. The settings are parameters of
// the driver, as alternating names and values.
func newHandle(tb testing.TB, path string, settings ...string) *sql.DB {
	tb.Helper()
	parameters := url.Values{}
	for i := 0; i < len(settings); i += 2 {
		parameters.Add(settings[i], settings[i+1])
	}
	db, err := sql.Open("sqlite", "file:"+path+"?"+parameters.Encode())
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

// newOver returns a store over the handle, with its tables.
func newOver(tb testing.TB, db *sql.DB, o sqlite.Options) *sqlite.Store {
	tb.Helper()
	s := sqlite.New(db, o)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	require.NoError(tb, s.Migrate(context.Background()))
	return s
}

func execute(tb testing.TB, db *sql.DB, statement string, args ...any) {
	tb.Helper()
	_, err := db.ExecContext(context.Background(), statement, args...)
	require.NoError(tb, err, statement)
}

// ask returns the single value of the query.
func ask[T any](tb testing.TB, db *sql.DB, query string, args ...any) (value T) {
	tb.Helper()
	require.NoError(tb, db.QueryRowContext(context.Background(), query, args...).Scan(&value), query)
	return value
}

func newToken(id string) store.Token {
	return store.Token{
		ID: id, Name: "name of " + id, Version: 2, Subject: alice, Type: "act",
		Secret: store.NewSecret("secret of " + id), Created: 1_600_000_000,
	}
}

func newUser(name string) store.Identity {
	return store.Identity{
		Subject: caveat.User(name), Username: name, FullName: name, Password: store.NewSecret("hash of " + name),
	}
}

// populate writes a token, an identity and a temporary key of alice.
func populate(tb testing.TB, s store.Store) {
	tb.Helper()
	ctx := context.Background()
	require.NoError(tb, second(s.CreateToken(ctx, newToken("a"), 0)))
	require.NoError(tb, s.CreateIdentity(ctx, newUser("alice")))
	require.NoError(tb, second(s.RotateTemporaryKey(ctx, alice, store.NewSecret("temporary"))))
}

// requireOperational requires an error that is not in the catalogue.
func requireOperational(tb testing.TB, err error, about ...any) {
	tb.Helper()
	require.Error(tb, err, about...)
	e, ok := errors.AsType[*errors.Error](err)
	require.False(tb, ok, "an operational error was reported as %v %v", e, about)
}

// testTimeout is how long a test waits for an expected event.
const testTimeout = 30 * time.Second

// receive waits for a value.
func receive[T any](tb testing.TB, ch <-chan T, what string) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(testTimeout):
		require.FailNow(tb, "gave up waiting: "+what)
	}
	panic("not reached")
}

// atOnce runs n calls concurrently and returns their errors.
func atOnce(n int, call func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// listAll returns all tokens that the query selects.
func listAll(tb testing.TB, s store.Store, q store.Query) (all []store.Token) {
	tb.Helper()
	for {
		page, next, err := s.ListTokens(context.Background(), q)
		require.NoError(tb, err)
		all = append(all, page...)
		if next.IsZero() {
			return all
		}
		q.After = next
	}
}

// feed is a running call of Watch.
type feed struct {
	changes chan store.Change
	ended   chan error
	cancel  context.CancelFunc
}

// watch starts a feed and returns when it is connected. Changes wait until they
// are received.
func watch(t *testing.T, s store.Watcher) feed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := feed{make(chan store.Change, 100_000), make(chan error, 1), cancel}
	go func() { f.ended <- s.Watch(ctx, func(c store.Change) { f.changes <- c }) }()
	t.Cleanup(cancel)
	require.Equal(t, store.Change{Kind: store.FeedUp}, receive(t, f.changes, "the feed is connected"))
	return f
}

func (f feed) next(t *testing.T) store.Change {
	t.Helper()
	return receive(t, f.changes, "a change")
}

func tokenChanged(id string) store.Change {
	return store.Change{Kind: store.TokenChanged, TokenID: id}
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

func revoke(t *store.Token) error {
	t.Revoked = true
	return nil
}

func count(t *store.Token) error {
	t.UsageCount++
	return nil
}

func block(i *store.Identity) error {
	i.Blocked = true
	return nil
}

// call is a call of a store with its name.
type call struct {
	name   string
	writes bool
	do     func(ctx context.Context) error
}

// calls contains one call of each method except Watch. All have an effect on a
// populated store.
func calls(s *sqlite.Store) []call {
	secret := store.NewSecret("another")
	token, identity := newToken("new"), newUser("new")
	return []call{
		{"Migrate", false, s.Migrate},
		{"NamedKey", false, func(ctx context.Context) error { return second(s.NamedKey(ctx, "a")) }},
		{"TemporaryKey", false, func(ctx context.Context) error { return second(s.TemporaryKey(ctx, alice)) }},
		{"GetToken", false, func(ctx context.Context) error { return second(s.GetToken(ctx, "a")) }},
		{"ListTokens", false, func(ctx context.Context) error { return third(s.ListTokens(ctx, store.Query{})) }},
		{"ListTokenIDs", false, func(ctx context.Context) error { return third(s.ListTokenIDs(ctx, store.Query{})) }},
		{"CountTokens", false, func(ctx context.Context) error { return second(s.CountTokens(ctx, alice)) }},
		{"GetIdentity", false, func(ctx context.Context) error { return second(s.GetIdentity(ctx, alice)) }},
		{"GetIdentityByUsername", false, func(ctx context.Context) error { return second(s.GetIdentityByUsername(ctx, "alice")) }},
		{"LastUses", false, func(ctx context.Context) error { return second(s.LastUses(ctx, []string{"a"})) }},
		{"Export", false, func(ctx context.Context) error { return third(s.Export(ctx, store.TokenRecords, "", 0)) }},
		{"EnsureTemporaryKey", true, func(ctx context.Context) error { return second(s.EnsureTemporaryKey(ctx, bob, secret)) }},
		{"RotateTemporaryKey", true, func(ctx context.Context) error { return second(s.RotateTemporaryKey(ctx, alice, secret)) }},
		{"ReplaceTemporarySecret", true, func(ctx context.Context) error {
			return second(s.ReplaceTemporarySecret(ctx, alice, store.NewSecret("temporary"), secret))
		}},
		{"DeleteTemporaryKey", true, func(ctx context.Context) error { return s.DeleteTemporaryKey(ctx, alice) }},
		{"CreateToken", true, func(ctx context.Context) error { return second(s.CreateToken(ctx, token, 0)) }},
		{"UpdateToken", true, func(ctx context.Context) error { return s.UpdateToken(ctx, "a", revoke) }},
		{"RecordUses", true, func(ctx context.Context) error {
			return s.RecordUses(ctx, []store.Use{{TokenID: "a", At: 60, Count: 1}})
		}},
		{"DeleteToken", true, func(ctx context.Context) error { return s.DeleteToken(ctx, "a") }},
		{"CreateIdentity", true, func(ctx context.Context) error { return s.CreateIdentity(ctx, identity) }},
		{"UpdateIdentity", true, func(ctx context.Context) error { return s.UpdateIdentity(ctx, alice, block) }},
		{"DeleteIdentity", true, func(ctx context.Context) error { return s.DeleteIdentity(ctx, alice) }},
		{"Import", true, func(ctx context.Context) error {
			return s.Import(ctx, []store.Record{{Identity: &identity}, {Token: &token}})
		}},
	}
}

// contents returns everything that a store contains as one text.
func contents(tb testing.TB, s *sqlite.Store) (text string) {
	tb.Helper()
	for page, err := range transfer.Walk(context.Background(), s, transfer.Position{}, store.MaxPage) {
		require.NoError(tb, err)
		for _, r := range page.Records {
			switch {
			case r.Identity != nil:
				text += fmt.Sprintf("%+v %q\n", *r.Identity, r.Identity.Password.Reveal())
			case r.Temporary != nil:
				text += fmt.Sprintf("%+v %q\n", *r.Temporary, r.Temporary.Secret.Reveal())
			case r.Use != nil:
				text += fmt.Sprintf("%+v\n", *r.Use)
			default:
				text += fmt.Sprintf("%+v %q\n", *r.Token, r.Token.Secret.Reveal())
			}
		}
	}
	return text
}
