package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// readyTimeout is the longest time of a check of the store.
const readyTimeout = 2 * time.Second

// readOnly allows GET and HEAD, answers OPTIONS, and answers other methods with
// 405. Caches must not store the responses, which describe the current state.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		status := http.StatusMethodNotAllowed
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			next.ServeHTTP(w, r)
			return
		case http.MethodOptions:
			status = http.StatusNoContent
		}
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(status)
	})
}

// healthy answers 200 while the process serves.
func healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// ready answers 200 if the store answers, its secrets can be read, and no
// shutdown is in progress.
func (v *service) ready(w http.ResponseWriter, r *http.Request) {
	if v.draining.Load() {
		v.log.InfoContext(r.Context(), "the service is not ready", "error", "it is shutting down")
		rest.WriteError(w, errors.ServiceUnavailable())
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := v.opened.check(ctx); err != nil {
		v.log.WarnContext(ctx, "the store is not ready", "error", err)
		rest.WriteError(w, errors.ServiceUnavailable())
		return
	}
	healthy(w, r)
}

// scraped serves the metrics.
func (v *service) scraped() http.Handler {
	return promhttp.HandlerFor(v.registry, promhttp.HandlerOpts{ErrorLog: scrapeLog{v}})
}

// scrapeLog logs the errors of package promhttp.
type scrapeLog struct{ *service }

// Println implements promhttp.Logger. A client that closes the connection early is
// not an error of the service.
func (l scrapeLog) Println(args ...any) {
	for _, each := range args {
		var hungUp *net.OpError
		if err, ok := each.(error); ok && errors.As(err, &hungUp) {
			l.log.Debug("the client of /metrics disconnected", "error", hungUp)
			return
		}
	}
	l.log.Error("scraping failed", "error", strings.TrimSpace(fmt.Sprintln(args...)))
}
