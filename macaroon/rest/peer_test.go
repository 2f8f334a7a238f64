package rest_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon/rest"
)

func TestPeer(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	networks := func(texts ...string) rest.Option {
		var list []netip.Prefix
		for _, text := range texts {
			list = append(list, netip.MustParsePrefix(text))
		}
		return rest.WithTrustedProxies(list...)
	}
	trusted := networks("10.0.0.0/8", "fd00::/8", "fe80::/10")
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		options      []rest.Option
		want         string // "": unknown
	}{
		{"connection", "192.0.2.1:1234", nil, nil, "192.0.2.1"},
		{"IPv6", "[2001:db8::1]:1", nil, nil, "2001:db8::1"},
		{"IPv4 on a dual-stack socket", "[::ffff:192.0.2.1]:1", nil, nil, "192.0.2.1"},
		{"no address", "@", nil, nil, ""},
		{"made up, no proxies", "192.0.2.1:1", []string{"1.2.3.4"}, nil, "192.0.2.1"},
		{"made up, not from a proxy", "192.0.2.1:1", []string{"1.2.3.4"}, []rest.Option{trusted}, "192.0.2.1"},
		{"proxy", "10.0.0.1:1", []string{"192.0.2.1"}, []rest.Option{trusted}, "192.0.2.1"},
		{"proxy on a dual-stack socket", "[::ffff:10.0.0.1]:1", []string{"::ffff:192.0.2.1"}, []rest.Option{trusted}, "192.0.2.1"},
		{"made up before the proxy's", "10.0.0.1:1", []string{"1.2.3.4, 192.0.2.1"}, []rest.Option{trusted}, "192.0.2.1"},
		{"made up in another line", "10.0.0.1:1", []string{"1.2.3.4", "192.0.2.1"}, []rest.Option{trusted}, "192.0.2.1"},
		{"two proxies", "10.0.0.1:1", []string{"1.2.3.4,192.0.2.1 , fd00::7"}, []rest.Option{trusted}, "192.0.2.1"},
		{"proxies only", "10.0.0.1:1", []string{"10.0.0.9, 10.0.0.2"}, []rest.Option{trusted}, "10.0.0.9"},
		{"proxy without a header", "10.0.0.1:1", nil, []rest.Option{trusted}, "10.0.0.1"},
		{"proxy with an empty header", "10.0.0.1:1", []string{" "}, []rest.Option{trusted}, "10.0.0.1"},
		{"proxy with many empty entries", "10.0.0.1:1", []string{"192.0.2.1" + strings.Repeat(" ,", 100_000)}, []rest.Option{trusted, nil}, "192.0.2.1"},
		{"port", "10.0.0.1:1", []string{"203.0.113.7:51008"}, []rest.Option{trusted}, "203.0.113.7"},
		{"brackets", "10.0.0.1:1", []string{"[2001:db8::1]"}, []rest.Option{trusted}, "2001:db8::1"},
		{"brackets and port", "10.0.0.1:1", []string{"[2001:db8::1]:4711"}, []rest.Option{trusted}, "2001:db8::1"},
		{"mapped", "10.0.0.1:1", []string{"::ffff:203.0.113.7"}, []rest.Option{trusted}, "203.0.113.7"},
		{"mapped, in hexadecimal", "10.0.0.1:1", []string{"::ffff:cb00:7107"}, []rest.Option{trusted}, "203.0.113.7"},
		{"mapped, brackets and port", "10.0.0.1:1", []string{"[::ffff:203.0.113.7]:4711"}, []rest.Option{trusted}, "203.0.113.7"},
		{"quotes", "10.0.0.1:1", []string{`"[2001:db8::1]:4711"`}, []rest.Option{trusted}, "2001:db8::1"},
		{"zone", "10.0.0.1:1", []string{"fec0::1%eth0"}, []rest.Option{trusted}, "fec0::1"},
		{"ports of all hops", "10.0.0.1:1", []string{"1.2.3.4:5, 203.0.113.7:51008, 10.0.0.2:80", "[fd00::1]:443"}, []rest.Option{trusted}, "203.0.113.7"},
		{"invalid port", "10.0.0.1:1", []string{"203.0.113.7:70000"}, []rest.Option{trusted}, ""},
		{"port that is not there", "10.0.0.1:1", []string{"203.0.113.7:"}, []rest.Option{trusted}, ""},
		{"half a bracket", "10.0.0.1:1", []string{"[2001:db8::1"}, []rest.Option{trusted}, ""},
		{"half a quote", "10.0.0.1:1", []string{`"203.0.113.7`}, []rest.Option{trusted}, ""},
		{"nothing in brackets", "10.0.0.1:1", []string{"[]"}, []rest.Option{trusted}, ""},
		{"nothing in quotes", "10.0.0.1:1", []string{`""`}, []rest.Option{trusted}, ""},
		{"quote", "10.0.0.1:1", []string{`"`}, []rest.Option{trusted}, ""},
		{"proxy with a zone", "[fe80::1%eth0]:1", []string{"203.0.113.7"}, []rest.Option{trusted}, "203.0.113.7"},
		{"connection without a port", "192.0.2.1", nil, nil, "192.0.2.1"}, // as some middleware writes it
		{"mapped network", "10.1.1.1:1", []string{"203.0.113.7"}, []rest.Option{networks("::ffff:10.0.0.0/104")}, "203.0.113.7"},
		{"mapped network, elsewhere", "11.1.1.1:1", []string{"203.0.113.7"}, []rest.Option{networks("::ffff:10.0.0.0/104")}, "11.1.1.1"},
		{"mapped address", "10.0.0.1:1", []string{"203.0.113.7"}, []rest.Option{networks("::ffff:10.0.0.1/128")}, "203.0.113.7"},
		{"all mapped addresses", "10.0.0.1:1", []string{"203.0.113.7, 192.0.2.1"}, []rest.Option{networks("::ffff:0:0/96")}, "203.0.113.7"},
		{"all IPv6 addresses", "10.0.0.1:1", []string{"203.0.113.7"}, []rest.Option{networks("::/0")}, "10.0.0.1"},
		{"no network", "10.0.0.1:1", []string{"203.0.113.7"}, []rest.Option{rest.WithTrustedProxies(netip.Prefix{})}, "10.0.0.1"},
		{"proxy talks nonsense", "10.0.0.1:1", []string{"192.0.2.1, unknown"}, []rest.Option{trusted}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var client rest.Client
			handler := rest.Authenticate(w.Authority, c.options...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				client, _ = rest.ClientFrom(r.Context())
			}))
			r := httptest.NewRequest("GET", "/", nil).WithContext(t.Context())
			r.RemoteAddr = c.remote
			for _, value := range c.forwarded {
				r.Header.Add("X-Forwarded-For", value)
			}
			handler.ServeHTTP(httptest.NewRecorder(), r)
			want, _ := netip.ParseAddr(c.want)
			require.Equal(t, want, client.PeerIP)
		})
	}
}

// An untrusted proxy on this machine is a common mistake: all clients then have
// the address 127.0.0.1.
func TestUntrustedLoopbackProxyIsLoggedOnce(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	for _, c := range []struct {
		name, remote, header string
		options              []rest.Option
		warnings             int
	}{
		{"IPv4", "127.0.0.1:1", "X-Forwarded-For", nil, 1},
		{"IPv6", "[::1]:1", "X-Forwarded-For", nil, 1},
		{"mapped", "[::ffff:127.0.0.1]:1", "X-Forwarded-For", nil, 1},
		{"the header of RFC 7239", "127.0.0.1:1", "Forwarded", nil, 1},
		{"trusted", "127.0.0.1:1", "X-Forwarded-For", []rest.Option{rest.WithTrustedProxies(netip.MustParsePrefix("127.0.0.0/8"))}, 0},
		{"from elsewhere", "192.0.2.1:1", "X-Forwarded-For", nil, 0},
		{"without the header", "127.0.0.1:1", "X-Other", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			options := append(c.options, rest.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			handler, err := rest.NewHandler(w.Authority, options...)
			require.NoError(t, err)
			for range 3 {
				r := httptest.NewRequest("GET", rest.Prefix+"/configuration", nil).WithContext(t.Context())
				r.RemoteAddr = c.remote
				r.Header.Set(c.header, "for=203.0.113.7")
				rec := httptest.NewRecorder()
				handler.ServeHTTP(rec, r)
				require.Equal(t, http.StatusOK, rec.Code)
			}
			require.Equal(t, c.warnings, strings.Count(log.String(), "level=WARN"), log.String())
			require.NotContains(t, log.String(), "203.0.113.7", "a client may have written it")
		})
	}
}

func TestClientAddressIsThatOfTheAPI(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "[::ffff:10.0.0.1]:1"
	r.Header.Set("X-Forwarded-For", "203.0.113.7:51008")
	require.Equal(t, netip.MustParseAddr("10.0.0.1"), rest.ClientAddress(r))
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	require.Equal(t, netip.MustParseAddr("203.0.113.7"), rest.ClientAddress(r, proxies...))
	require.Zero(t, testing.AllocsPerRun(10, func() { rest.ClientAddress(r, proxies...) }))
}
