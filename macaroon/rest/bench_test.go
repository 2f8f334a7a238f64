package rest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// Measures the cost of the API without that of net/http: the handler is called
// without a network. "empty" is a handler behind the same mux that only reads
// the body.
func BenchmarkHandler(b *testing.B) {
	h := macaroontest.New(b)
	handler, err := rest.NewHandler(h.Authority)
	if err != nil {
		b.Fatal(err)
	}
	const verify, list = rest.Prefix + "/tokens/verify_access_token", rest.Prefix + "/user/tokens/named"
	empty := http.NewServeMux()
	empty.HandleFunc("POST "+verify, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	body := `{"token":"` + h.Temporary().String() + `","peerIp":"192.0.2.1","interface":"rest"}`
	for _, c := range []struct {
		name, method, path, body string
		handler                  http.Handler
	}{
		{"empty", http.MethodPost, verify, body, empty},
		{"verify", http.MethodPost, verify, body, handler},
		{"list", http.MethodGet, list, "", handler},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(c.method, c.path, nil)
			r.Header.Set("Content-Type", "application/json")
			if c.body == "" {
				macaroontest.Bearer(h.Temporary())(r)
			}
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(c.body))
				r.ContentLength = int64(len(c.body))
				w := httptest.NewRecorder()
				if c.handler.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
