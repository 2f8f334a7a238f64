// Speed compares the rate of the gate with that of an empty handler that
// receives the same requests, and fails if the gate is too slow.
//
//	go run ./internal/e2e/gate/speed
//
// Short rounds of both alternate, so that other load on the machine affects
// both. A ratio is that of the medians.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/e2e/load"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/gate"
	"github.com/onezone-go/onezone/store/memory"
)

const (
	target      = 0.7 // the lowest acceptable ratio
	rounds      = 100 // for the gate and for the empty handler
	round       = 100 * time.Millisecond
	connections = 16
	gcPercent   = 400 // as in the program
)

const rules = `proxy = "nginx"

[[rule]]
path = "/me"
methods = ["GET"]
allow = ["client"]

[[rule]]
path = "/files/{space}/{path...}"
methods = ["GET"]
allow = ["client"]
api = "opw/get/file.{space}.content"
read = "/{space}/{path}"
`

func main() {
	debug.SetGCPercent(gcPercent)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func run() error {
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		return err
	}
	parsed, err := gate.ParseRules("rules.toml", []byte(rules))
	if err != nil {
		return err
	}
	g, err := gate.New(authority, parsed, gate.WithTrustedProxies(netip.MustParsePrefix("127.0.0.0/8")))
	if err != nil {
		return err
	}
	identity, access, err := tokens(authority)
	if err != nil {
		return err
	}
	fmt.Println("| request | gate, per second | empty handler, per second | ratio |")
	fmt.Println("| --- | ---: | ---: | ---: |")
	var slow error
	for _, request := range []request{
		{"identity token", "/me", identity},
		{"access token with api and data caveats", "/files/s1/dir/a.txt", access},
	} {
		ours, empty, err := compare(g, request)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.0f | %.0f | %.2f |\n", request.name, ours, empty, ours/empty)
		if ours < target*empty {
			slow = fmt.Errorf("%s: the gate must reach %.1f of the rate of an empty handler", request.name, target)
		}
	}
	return slow
}

// request is what the clients send.
type request struct {
	name, path string
	token      macaroon.Token
}

// tokens returns tokens of a new user.
func tokens(a *macaroon.Authority) (identity, access macaroon.Token, err error) {
	ctx := context.Background()
	alice, err := a.CreateUser(ctx, macaroon.NewUser{ID: "alice"})
	if err != nil {
		return identity, access, err
	}
	if identity, err = a.IssueNamed(ctx, "identity", macaroon.Grant{Subject: alice, Type: macaroon.IdentityToken()}); err != nil {
		return identity, access, err
	}
	if access, err = a.IssueNamed(ctx, "access", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()}); err != nil {
		return identity, access, err
	}
	access, err = access.Confine(caveat.MustParse("api = opw/get/file.*.*:*"), caveat.DataPath{"/s1"}, caveat.DataReadonly{})
	return identity, access, err
}

// compare returns the median rates of the gate and of an empty handler.
func compare(g *gate.Gate, r request) (ours, empty float64, err error) {
	gateServer := httptest.NewServer(g)
	defer gateServer.Close()
	emptyServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer emptyServer.Close()
	var rates [2][]float64
	for range rounds {
		for i, url := range []string{gateServer.URL, emptyServer.URL} {
			rate, err := r.measure(url)
			if err != nil {
				return 0, 0, err
			}
			rates[i] = append(rates[i], rate)
		}
	}
	return median(rates[0]), median(rates[1]), nil
}

func median(rates []float64) float64 {
	slices.Sort(rates)
	return rates[len(rates)/2]
}

// measure returns the rate of a server, in requests per second.
func (r request) measure(url string) (rate float64, err error) {
	address := strings.TrimPrefix(url, "http://")
	result, err := load.Round(address, []byte("GET / HTTP/1.1\r\nHost: "+address+"\r\nX-Original-Method: GET\r\nX-Original-URI: "+r.path+
		"\r\nX-Forwarded-For: 192.0.2.1\r\nAuthorization: Bearer "+r.token.String()+"\r\n\r\n"), connections, round)
	return result.Rate, err
}
