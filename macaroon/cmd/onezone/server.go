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

// Time limits on clients, so that slow requests cannot block the server. Limits
// on sizes are in limits.go and in package rest.
const (
	readHeaderTimeout = 5 * time.Second  // from the first byte to the end of the headers
	readTimeout       = 30 * time.Second // to the end of the body; 2 MiB are 70 kB/s
	writeTimeout      = time.Minute      // from the end of the headers to the end of the answer
	idleTimeout       = 2 * time.Minute  // of a connection without a request

	// shutdownTimeout is the longest time for accepted requests to finish at a
	// shutdown. The timeouts above ensure that they do.
	shutdownTimeout = readTimeout + writeTimeout
)

// maxStreams is the number of concurrent requests of an HTTP/2 connection. Each
// takes memory until the client reads the response, also a request that is
// refused because the client has too many in flight.
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
	draining  atomic.Bool // connections are closed with their next response
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
		if err := v.printDemo(asCommand(ctx), io.out, base); err != nil {
			return err
		}
	}
	v.log.Info("serving", "url", base, "store", storeKind(s.store))
	bounded := s.bounded(listener, v.log)
	return v.serveUntil(ctx, v.server(handler, tlsConfig, bounded), bounded)
}

// baseURL returns the URL of the service on this machine.
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

// handler returns the handler of all requests. It does not put an http.ServeMux
// in front of the API, because that would redirect paths that are not clean.
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
		// The escaped path decides, because a proxy that hides /metrics does
		// not decode paths.
		if h := own[r.URL.EscapedPath()]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}), nil
}

// server returns the server of the handler, with TLS if c is not nil.
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

// serveUntil serves until ctx is done, and then finishes the accepted requests.
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
		return fmt.Errorf("finishing the accepted requests: %w", errors.Join(err, server.Close()))
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	v.log.Info("all requests are answered")
	return nil
}

// drained closes each connection with its next response once a shutdown has
// begun. Closing an idle connection could lose a request that is on its way.
func (v *service) drained(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
