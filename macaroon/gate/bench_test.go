package gate_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/gate"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// discard is a response that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// BenchmarkGate measures the gate without a network.
func BenchmarkGate(b *testing.B) {
	h := macaroontest.New(b)
	proxies := gate.WithTrustedProxies(netip.MustParsePrefix("192.0.2.0/24"))
	g, err := gate.New(h.Authority, parse(b, nginx+ruleFile), proxies)
	if err != nil {
		b.Fatal(err)
	}
	file := h.Token(caveat.MustParse("api = opw/get/file.*.*:*"), caveat.DataPath{"/s1"}, caveat.DataReadonly{})
	for _, c := range []struct {
		name, target string
		token        macaroon.Token
	}{
		{"anonymous", "/public/a/b", file},
		{"identity", "/me", h.TokenOf(h.Alice, macaroon.IdentityToken())},
		{"file", "/files/s1/dir/a.txt", file},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("X-Original-Method", http.MethodGet)
			r.Header.Set("X-Original-Uri", c.target)
			r.Header.Set("X-Forwarded-For", "10.0.0.1")
			r.Header.Set("Authorization", "Bearer "+c.token.String())
			b.ReportAllocs()
			for b.Loop() {
				w := discard{header: make(http.Header)}
				if g.ServeHTTP(&w, r); w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		})
	}
}
