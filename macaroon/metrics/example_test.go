package metrics_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/metrics"
	"github.com/onezone-go/onezone/store/memory"
)

func Example() {
	ctx := context.Background()
	registry := prometheus.NewRegistry()
	m, err := metrics.New(registry, metrics.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	backend := memory.New() // or a database
	defer backend.Close()
	measured, err := m.Store(backend)
	if err != nil {
		fmt.Println(err)
		return
	}
	authority, err := macaroon.NewAuthority(measured, macaroon.WithObserver(m.Observe))
	if err != nil {
		fmt.Println(err)
		return
	}

	alice, err := authority.CreateUser(ctx, macaroon.NewUser{Username: "alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := authority.IssueLegacy(ctx, alice, nil); err != nil {
		fmt.Println(err)
		return
	}

	// Prometheus would scrape this.
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	page, _ := io.ReadAll(answer.Result().Body)
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "onezone_tokens_issued_total") ||
			strings.HasPrefix(line, `onezone_store_duration_seconds_count{operation="CreateToken"`) {
			fmt.Print(line)
		}
	}
	// Output:
	// onezone_store_duration_seconds_count{operation="CreateToken",outcome="ok"} 1
	// onezone_tokens_issued_total{type="access"} 1
	// onezone_tokens_issued_total{type="identity"} 0
	// onezone_tokens_issued_total{type="invite"} 0
	// onezone_tokens_issued_total{type="none"} 0
}
