package remote_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/remote"
)

func TestNewRefusesURLsToWhichNoTokenMayBeSent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, hint string }{
		{"", "form"},
		{"onezone.example.org", "form"},
		{"https://", "form"},
		{"https://:443", "form"},
		{"https://one zone.example.org", "form"},
		{"ftp://onezone.example.org", "https"},
		{"http://onezone.example.org", "https"},
		{"http://10.0.0.1", "https"},
		{"http://127.0.0.1.example.org", "https"},
		{"http://localhost.example.org", "https"},
		{"https://user:secret@onezone.example.org", "password"},
		{"https://onezone.example.org/api/v3/onezone", "leave out /api/v3/onezone"},
		{"https://onezone.example.org/elsewhere", "end after the host"},
		{"https://onezone.example.org?a=b", "end after the host"},
		{"https://onezone.example.org/?", "end after the host"},
		{"https://onezone.example.org#a", "end after the host"},
	} {
		_, err := remote.New(c.url)
		require.ErrorIs(t, err, errors.IDBadData, c.url)
		require.ErrorContains(t, err, c.hint, c.url)
		require.NotContains(t, err.Error(), "secret")
	}
	for _, url := range []string{
		"https://onezone.example.org", "https://onezone.example.org/", "https://onezone.example.org:8443", "https://[2001:db8::1]",
		"http://localhost:8080", "http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:8080",
	} {
		c, err := remote.New(url)
		require.NoError(t, err, url)
		require.NoError(t, c.Close())
	}
}

func TestNewRefusesBadOptions(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]remote.Option{
		"maxAge":             remote.WithMaxAge(-1, 0),
		"maxEntries":         remote.WithMaxEntries(0),
		"staleIfUnreachable": remote.WithStaleIfUnreachable(301 * time.Second),
		"timeout":            remote.WithTimeout(0),
		"retries":            remote.WithRetries(-1),
		"maxRate":            remote.WithMaxRate(0),
		"domains":            remote.WithDomains(""),
	} {
		_, err := remote.New("https://onezone.example.org", option)
		require.ErrorIs(t, err, errors.IDBadData, name)
		require.ErrorContains(t, err, name)
	}
	_, err := remote.New("https://onezone.example.org", remote.WithServiceToken("no token"))
	require.ErrorIs(t, err, errors.IDBadServiceToken)
	require.NotContains(t, err.Error(), "no token")
}
