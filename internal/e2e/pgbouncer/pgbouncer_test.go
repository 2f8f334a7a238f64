//go:build e2e

package pgbouncer_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// unprepared disables prepared statements, which PgBouncer before 1.21 does not
// support in transaction pooling.
const unprepared = "&default_query_exec_mode=exec"

// shortTTL is the maximum age of answers of a cache without a feed.
const shortTTL = time.Second

// slack is the tolerance for deadlines on a busy machine.
const slack = 3 * time.Second

var schemas atomic.Int64

func newSchema() string { return fmt.Sprint("pgbouncer_", schemas.Add(1)) }

func open(t *testing.T, url string, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

func eventually(t *testing.T, holds func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); <-time.After(time.Millisecond) {
		require.False(t, time.Now().After(deadline), "gave up waiting: "+what)
	}
}

// replicas are two authorities, each with its own cache and store handle.
type replicas struct {
	here, there *macaroon.Authority
	elsewhere   cache.Store // of there
}

func newReplicas(t *testing.T, url string, o postgres.Options) replicas {
	t.Helper()
	o.Schema = newSchema()
	authority := func() (*macaroon.Authority, cache.Store) {
		c, err := cache.New(open(t, url, o), cache.Options{ShortTTL: shortTTL})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		a, err := macaroon.NewAuthority(c)
		require.NoError(t, err)
		return a, c
	}
	var r replicas
	r.here, _ = authority()
	r.there, r.elsewhere = authority()
	_, err := r.here.CreateUser(t.Context(), macaroon.NewUser{ID: "alice"})
	require.NoError(t, err)
	return r
}

// revoke revokes a token that the other replica has just verified. It returns
// how long the other replica still accepts it.
func (r replicas) revoke(t *testing.T, name string) time.Duration {
	t.Helper()
	token, err := r.here.IssueNamed(t.Context(), name, macaroon.Grant{Subject: caveat.User("alice"), Type: macaroon.AccessToken()})
	require.NoError(t, err)
	_, err = r.there.VerifyAccess(t.Context(), token.String(), caveat.Request{})
	require.NoError(t, err)
	require.NoError(t, r.here.Revoke(t.Context(), token.ID()))
	start := time.Now()
	eventually(t, func() bool {
		_, err := r.there.VerifyAccess(t.Context(), token.String(), caveat.Request{})
		return errors.Is(err, errors.IDTokenRevoked)
	}, "the token is refused")
	return time.Since(start)
}

// TestAFeedThatCannotWorkIsNeverUp tests transaction pooling, which loses
// LISTEN.
func TestAFeedThatCannotWorkIsNeverUp(t *testing.T) {
	t.Parallel()
	url := pgtest.Own(t, "fsync=off").Bouncer(t, "transaction") + unprepared
	var said syncbuffer.Buffer
	r := newReplicas(t, url, postgres.Options{Logger: said.Logger()})
	for i := range 3 {
		took := r.revoke(t, fmt.Sprint("token ", i))
		t.Logf("a revoked token is refused by the other replica after %v; the feed is up: %v", took, r.elsewhere.Stats().FeedUp)
		require.Less(t, took, shortTTL+slack)
		require.False(t, r.elsewhere.Stats().FeedUp, "the feed is said to be up")
	}
	eventually(t, func() bool { return strings.Contains(said.String(), "FeedURL") }, "the log says why there is no feed")
	require.False(t, r.elsewhere.Stats().FeedUp, "the feed is said to be up")
	require.LessOrEqual(t, bytes.Count([]byte(said.String()), []byte("level=WARN")), 2, "each replica says so once: %s", said.String())
}

func TestAFeedThatGoesPastThePoolerIsUp(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, "fsync=off")
	r := newReplicas(t, server.Bouncer(t, "transaction")+unprepared, postgres.Options{FeedURL: server.URL})
	eventually(t, func() bool { return r.elsewhere.Stats().FeedUp }, "the feed is up")
	took := r.revoke(t, "token")
	t.Logf("a revoked token is refused by the other replica after %v", took)
	require.True(t, r.elsewhere.Stats().FeedUp)
}

func TestAFeedThroughAPoolerOfSessionsIsUp(t *testing.T) {
	t.Parallel()
	r := newReplicas(t, pgtest.Own(t, "fsync=off").Bouncer(t, "session"), postgres.Options{})
	eventually(t, func() bool { return r.elsewhere.Stats().FeedUp }, "the feed is up")
	took := r.revoke(t, "token")
	t.Logf("a revoked token is refused by the other replica after %v", took)
	require.True(t, r.elsewhere.Stats().FeedUp)
}

// TestConformanceBehindAPoolerOfTransactions runs the suite with a feed that
// bypasses the pooler.
func TestConformanceBehindAPoolerOfTransactions(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, "fsync=off")
	url := server.Bouncer(t, "transaction") + unprepared
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := postgres.Open(t.Context(), url, postgres.Options{Schema: newSchema(), FeedURL: server.URL})
		require.NoError(t, err)
		require.NoError(t, s.Migrate(t.Context()))
		return s
	})
}
