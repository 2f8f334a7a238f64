package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// remoteVerification returns verifications at an Onezone on the loopback
// interface, with and without a cached answer, and the bare HTTPS request that
// the latter sends.
func remoteVerification() []contender {
	s := newService(noon)
	s.issue(workload)
	t, err := macaroon.Mint(workload.spec(), store.NewSecret(workload.secret))
	must(err)
	api, err := rest.NewHandler(s.authority)
	must(err)
	onezone := httptest.NewTLSServer(api) // until the program ends
	roots := x509.NewCertPool()
	roots.AddCert(onezone.Certificate())
	return []contender{
		{"remote/cached", benchRemote(onezone.URL, t.String(), remote.WithRootCAs(roots))},
		{"remote/cold", benchRemote(onezone.URL, t.String(), remote.WithRootCAs(roots), remote.WithMaxAge(0, 0), remote.WithMaxRate(1<<30))},
		{"remote/http", benchHTTP(onezone.URL, t.String(), roots)},
	}
}

// benchRemote returns the benchmark of a client of the Onezone at the URL.
func benchRemote(url, text string, options ...remote.Option) func(*testing.B) {
	options = append(options, remote.WithClock(noon), remote.WithDomains(workload.domain))
	client, err := remote.New(url, options...)
	must(err)
	through, err := caveat.ParseInterface(request.through)
	must(err)
	return func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.VerifyAccess(context.Background(), text, caveat.Request{IP: request.from, Interface: through}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// benchHTTP returns the benchmark of a bare request with the body that the
// client sends.
func benchHTTP(url, text string, roots *x509.CertPool) func(*testing.B) {
	body, err := json.Marshal(map[string]string{"token": text, "peerIp": request.from.String(), "interface": request.through})
	must(err)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	client := &http.Client{Transport: transport}
	return func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			res, err := client.Post(url+rest.Prefix+"/tokens/verify_access_token", "application/json", bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
				b.Fatal(res.Status, err)
			}
			_ = res.Body.Close()
		}
	}
}
