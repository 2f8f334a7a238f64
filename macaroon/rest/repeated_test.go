package rest_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// A repeated header costs almost nothing: HTTP/2 can send a line in one byte.
// The test runs alone, because it measures allocations of the process.
func TestRepeatedHeadersAreNotJoined(t *testing.T) {
	h := macaroontest.New(t)
	handler, err := rest.NewHandler(h.Authority, rest.WithTrustedProxies(netip.MustParsePrefix("192.0.2.0/24")))
	require.NoError(t, err)
	good := h.Token()
	const lines, most = 100_000, 32 << 10 // bytes
	for _, c := range []struct {
		header, value string
		status        int
	}{
		{"Accept", "text/html", 406},
		{"X-Auth-Token", "x", 401},
		{"Macaroon", "x", 401},
		{"Authorization", "Bearer x", 401},
		{"Authorization", "Basic eDp5", 401},
		{"X-Onedata-Service-Token", "x", 401},
		{"X-Onedata-Consumer-Token", "x", 401},
		{"X-Forwarded-For", "192.0.2.9", 200},
		{"Origin", "http://example.com", 403},
		{"Sec-Fetch-Site", "none", 403},
		{"Content-Type", "application/json", 200},
		{"Access-Control-Request-Method", "POST", 200},
	} {
		t.Run(c.header+" "+c.value, func(t *testing.T) {
			r := httptest.NewRequest("GET", rest.Prefix+"/user", nil)
			switch c.header {
			case "Macaroon", "Authorization":
			case "Origin", "Sec-Fetch-Site": // which count for passwords
				macaroontest.Basic("alice")(r)
			default:
				macaroontest.Bearer(good)(r)
			}
			r.Header[http.CanonicalHeaderKey(c.header)] = slices.Repeat([]string{c.value}, lines)
			serve := func() int {
				rec := httptest.NewRecorder()
				handler.ServeHTTP(rec, r)
				return rec.Code
			}
			require.Equal(t, c.status, serve())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			serve()
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(most), "bytes allocated")
		})
	}
}
