//go:build e2e

package regressions

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
)

// host is an HTTP server that counts its requests.
type host struct {
	*httptest.Server
	requests atomic.Int64
}

func newHost(t *testing.T, answer http.HandlerFunc) *host {
	t.Helper()
	h := new(host)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.requests.Add(1)
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func notFound(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// fetch asks a client of one discharger for a discharge from a location.
func fetch(t *testing.T, discharger, location string) error {
	t.Helper()
	client, err := discharge.NewClient([]string{discharger})
	require.NoError(t, err)
	m, err := discharge.Add(newMacaroon(t, "album 7", rootKey), discharge.Caveat{Location: location, Identifier: "user", Key: keyOf("user")})
	require.NoError(t, err)
	_, err = client.Discharge(t.Context(), m)
	return err
}

func onlyListedLocationsAreAsked(t *testing.T) {
	discharger, internal := newHost(t, notFound), newHost(t, notFound)
	require.Error(t, fetch(t, discharger.URL, discharger.URL))
	require.EqualValues(t, 1, discharger.requests.Load())
	for _, location := range []string{
		internal.URL, internal.URL + "/", strings.Replace(internal.URL, "http://", "http://"+strings.TrimPrefix(discharger.URL, "http://")+"@", 1),
		discharger.URL + "/../admin", discharger.URL + "?x=" + internal.URL, discharger.URL + "#", strings.ToUpper(discharger.URL),
		discharger.URL + ".evil.example.com", "", "/", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data",
	} {
		require.ErrorIs(t, fetch(t, discharger.URL, location), errors.IDBadData, location)
	}
	require.Zero(t, internal.requests.Load())
	require.EqualValues(t, 1, discharger.requests.Load())
}

func redirectsAreNotFollowed(t *testing.T) {
	internal := newHost(t, notFound)
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		discharger := newHost(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, internal.URL+r.URL.Path, status) })
		require.Error(t, fetch(t, discharger.URL, discharger.URL))
		require.EqualValues(t, 1, discharger.requests.Load())
	}
	require.Zero(t, internal.requests.Load())
}

func malformedCaveatIdentifiersAreRefused(t *testing.T) {
	key := discharge.NewKey()
	c, err := key.Public().Caveat("https://id.example.org", "the user is alice")
	require.NoError(t, err)
	condition, _, err := key.Open(c.Identifier)
	require.NoError(t, err)
	require.Equal(t, "the user is alice", condition)
	identifiers := []string{"e", "e30", "e30=", "eyJOb25jZSI6IiJ9", "eyJUaGlyZFBhcnR5UHVibGljS2V5IjpudWxsfQ=="}
	for size := range len(c.Identifier) {
		identifiers = append(identifiers, c.Identifier[:size], "\x02"+c.Identifier[:size])
	}
	for _, identifier := range identifiers {
		_, _, err := key.Open(identifier)
		require.ErrorIs(t, err, errors.IDBadData, "%q", identifier)
	}
}
