package postgres_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// twoHosts returns a store over two hosts. They are proxies to one server, of
// which the first is the primary as long as it answers.
func twoHosts(t *testing.T) (s *postgres.Store, first, second *proxy) {
	t.Helper()
	first, second = newProxy(t), newProxy(t)
	at, err := url.Parse(first.url)
	require.NoError(t, err)
	other, err := url.Parse(second.url)
	require.NoError(t, err)
	at.Host += "," + other.Host
	second.refusing.Store(true)
	s, err = postgres.Open(t.Context(), at.String(), postgres.Options{Schema: newSchema(t, newPool(t, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	prepare(t, s)
	second.refusing.Store(false)
	return s, first, second
}

// replace makes the second host the primary, although connections to the first
// one are open. Calls that are in flight at that time may fail.
func replace(t *testing.T, s *postgres.Store, first, second *proxy) {
	t.Helper()
	first.refusing.Store(true)
	eventually(t, func() bool {
		atOnce(8, func(int) error { _, err := s.NamedKey(t.Context(), "a"); return err })
		return second.asked.Load() > 0
	}, "a call opens a connection to the second host")
	first.refusing.Store(false)
}

func TestAPrimaryThatWasReplacedIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	s, first, second := twoHosts(t)
	replace(t, s, first, second)
	asked := first.asked.Load()
	for range 20 {
		for _, err := range atOnce(4, func(int) error { _, err := s.NamedKey(t.Context(), "a"); return err }) {
			require.NoError(t, err)
		}
	}
	require.Equal(t, asked, first.asked.Load(), "the old primary was asked")
}

// TestTheAnswerOfAPrimaryThatWasReplacedDoesNotCount replaces the primary
// during an update.
func TestTheAnswerOfAPrimaryThatWasReplacedDoesNotCount(t *testing.T) {
	t.Parallel()
	s, first, second := twoHosts(t)
	err := s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
		replace(t, s, first, second)
		token.Revoked = true
		return nil
	})
	requireOperational(t, err)
	require.ErrorContains(t, err, "another server became the primary during the call")
	_, err = s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
}
