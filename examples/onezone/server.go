package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/metrics"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// Times that a client has, so that slow requests cannot tie the server up. How
// much it may send is in limits.go and in package rest.
const (
	readHeaderTimeout = 5 * time.Second  // from the first byte to the end of the headers
	readTimeout       = 30 * time.Second // to the end of the body; 2 MiB are 70 kB/s
	writeTimeout      = time.Minute      // from the end of the headers to the end of the answer
	idleTimeout       = 2 * time.Minute  // of a connection without a request

	// shutdownTimeout is how long requests that were accepted have to end, which
	// the timeouts above see to.
	shutdownTimeout = readTimeout + writeTimeout
)

// maxStreams is how many requests a connection of HTTP/2 has at once. Each takes
// memory as long as the client reads no answer, also one that is refused because
// the client has too many in flight.
const maxStreams = 16

// service is the running program.
type service struct {
	settings  settings
	log       *slog.Logger
	registry  *prometheus.Registry
	metrics   *metrics.Metrics
	store     store.Store
	check     func(context.Context) error // whether the store can be used
	authority *macaroon.Authority
	draining  atomic.Bool // clients are told to go elsewhere
}

// serve runs the service until ctx is done.
func serve(ctx context.Context, s settings, io stdio) (err error) {
	lines := newLogBuffer(io.err)
	defer func() { err = errors.Join(err, lines.Close()) }()
	v := &service{settings: s, log: newLogger(lines, s), registry: prometheus.NewRegistry()}
	v.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if v.metrics, err = metrics.New(v.registry, metrics.Options{}); err != nil {
		return err
	}
	tlsConfig, err := s.tlsConfig()
	if err != nil {
		return err
	}
	opened, err := openStore(ctx, s, v.metrics, v.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	v.store, v.check = opened.front, opened.check
	v.authority, err = newAuthority(s, v.store, v.observe)
	if err != nil {
		return err
	}
	listener, err := listen(s.address)
	if err != nil {
		return err
	}
	defer listener.Close()
	base := s.baseURL(listener.Addr())
	handler, err := v.handler(base)
	if err != nil {
		return err
	}
	demo := s.demo
	if s.demoIfNew {
		if demo, err = hasNoUserBut(ctx, opened.back, demoUser); err != nil {
			return err
		}
	}
	if demo {
		if err := v.demonstrate(asCommand(ctx), io.out, base); err != nil {
			return err
		}
	}
	v.log.Info("serving", "url", base, "store", storeKind(s.store))
	bounded := s.bounded(listener, v.log)
	return v.serveUntil(ctx, v.server(handler, tlsConfig, bounded), bounded)
}

// baseURL is where the service is for who is on this machine.
func (s settings) baseURL(at net.Addr) string {
	scheme := "http"
	if s.cert != "" {
		scheme = "https"
	}
	host, _, _ := net.SplitHostPort(s.address)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	_, port, _ := net.SplitHostPort(at.String())
	return scheme + "://" + net.JoinHostPort(host, port)
}

// handler is all that the service answers. There is no http.ServeMux in front of
// the API, because it would redirect paths that are not clean.
func (v *service) handler(base string) (http.Handler, error) {
	origin := v.settings.origin
	switch {
	case origin != "":
	case v.settings.domain == defaultDomain:
		origin = base
	default:
		origin = "https://" + v.settings.domain
	}
	api, err := rest.NewHandler(v.authority, rest.WithOrigin(origin), rest.WithLogger(v.log),
		rest.WithTrustedProxies(v.settings.proxies...), rest.WithAllowedOrigins(v.settings.origins...),
		rest.WithConfiguration(configuration()), rest.WithActorObserver(noteActor),
		rest.WithMaxInFlight(v.settings.limits.requests))
	if err != nil {
		return nil, err
	}
	api = v.logged(v.drained(api))
	own := map[string]http.Handler{
		"/healthz": readOnly(http.HandlerFunc(healthy)),
		"/readyz":  readOnly(http.HandlerFunc(v.ready)),
		"/metrics": readOnly(v.scraped()),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// As the path came: a proxy that keeps /metrics from the public does not
		// decode it.
		if h := own[r.URL.EscapedPath()]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}), nil
}

// server is what serves the handler, over TLS where there is a configuration of
// it.
func (v *service) server(handler http.Handler, c *tls.Config, l *connections) *http.Server {
	return &http.Server{
		Handler:           handler,
		TLSConfig:         c,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    v.settings.limits.headerBytes,
		ConnState:         l.state,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          min(v.settings.limits.requests, maxStreams),
			MaxReadFrameSize:              16 << 10,
			MaxReceiveBufferPerConnection: 128 << 10,
			MaxReceiveBufferPerStream:     64 << 10,
		},
		ErrorLog: slog.NewLogLogger(v.log.Handler(), slog.LevelWarn),
	}
}

// serveUntil serves until ctx is done, and then answers what it has accepted.
func (v *service) serveUntil(ctx context.Context, server *http.Server, l net.Listener) error {
	ended := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			ended <- server.ServeTLS(l, "", "")
		} else {
			ended <- server.Serve(l)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	v.log.Info("shutting down")
	v.draining.Store(true)
	time.Sleep(v.settings.drain)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(limited); err != nil {
		return fmt.Errorf("answering what was accepted: %w", errors.Join(err, server.Close()))
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	v.log.Info("all requests are answered")
	return nil
}

// drained closes connections with their next answer once the service is about to
// end. A connection that is cut while it is idle may have a request on its way,
// which nobody would answer.
func (v *service) drained(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
