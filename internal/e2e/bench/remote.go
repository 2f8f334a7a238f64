package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// remoteVerification returns verifications at an Onezone on the loopback
// interface, with and without a cached answer, and the bare HTTP request that
// the latter sends.
func remoteVerification() []contender {
	s := newService(noon)
	s.issue(workload)
	t, err := macaroon.Mint(workload.spec(), store.NewSecret(workload.secret))
	must(err)
	url := serve(s.authority)
	return []contender{
		{"remote/cached", benchRemote(url, t.String())},
		{"remote/cold", benchRemote(url, t.String(), remote.WithMaxAge(0, 0), remote.WithMaxRate(1<<30))},
		{"remote/http", benchHTTP(url, t.String())},
	}
}

// serve serves the token API of an authority on a free port until the program
// ends, and returns its URL.
func serve(authority *macaroon.Authority) (url string) {
	api, err := rest.NewHandler(authority)
	must(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() { _ = http.Serve(listener, api) }() // ends with the program
	return "http://" + listener.Addr().String()
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
func benchHTTP(url, text string) func(*testing.B) {
	body, err := json.Marshal(map[string]string{"token": text, "peerIp": request.from.String(), "interface": request.through})
	must(err)
	client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
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
