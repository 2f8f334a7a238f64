package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/onezone-go/onezone/caveat/geoip"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/metrics"
	"github.com/onezone-go/onezone/macaroon/oidc"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// Time limits on clients, so that slow requests cannot block the server. Limits
// on sizes are in settings.go and in package rest.
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
	level     slog.LevelVar
	log       *slog.Logger
	lines     *logBuffer // of the log
	lineStyle lineStyle  // of the log
	notify    notifier
	registry  *prometheus.Registry
	metrics   *metrics.Metrics
	tls       *certificate // nil without TLS
	audit     *auditFile   // nil without an audit file
	opened    *openedStore
	store     store.Store
	authority *macaroon.Authority
	geo       *geoip.Resolver // nil without geo databases
	provider  *oidc.Provider  // nil without an identity provider
	draining  atomic.Bool     // connections are closed with their next response
}

// serve runs the service until ctx is done.
func (p *program) serve(ctx context.Context, s settings, reload reloader) (err error) {
	defer holdBallast()()
	lines := newLogBuffer(p.err)
	defer func() { err = errors.Join(err, lines.Close()) }()
	v := &service{
		settings: s, lines: lines, lineStyle: lineStyles[s.logFormat],
		registry: prometheus.NewRegistry(), notify: notifier(p.getenv("NOTIFY_SOCKET")),
	}
	v.level.Set(s.logLevel)
	v.log = newLogger(lines, s.logFormat, &v.level)
	// Everything that can fail comes before the first line of output.
	if err := v.open(ctx); err != nil {
		return errors.Join(err, v.close())
	}
	defer func() { err = errors.Join(err, v.close()) }()
	listener, err := listen("address", s.address)
	if err != nil {
		return err
	}
	defer listener.Close()
	admin, err := v.listenAdmin()
	if err != nil {
		return err
	}
	base := s.baseURL(listener.Addr())
	handler, err := v.handler(base)
	if err != nil {
		return err
	}
	// Before the first output, after which somebody may send the signal.
	stop := v.reloadOnHangup(reload)
	defer stop()
	if err := v.demonstrate(ctx, p.out, base); err != nil {
		return err
	}
	v.log.Info("serving", "url", base, "store", storeKind(s.store), "admin", admin.url())
	bounded := s.bounded(listener, v.log)
	return v.serveUntil(ctx, &serving{v.server(handler, bounded), bounded}, admin)
}

// open opens everything but the listeners.
func (v *service) open(ctx context.Context) (err error) {
	v.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if v.metrics, err = metrics.New(v.registry, metrics.Options{}); err != nil {
		return err
	}
	if v.tls, err = v.settings.certificate(); err != nil {
		return err
	}
	if v.audit, err = openAudit(v.settings.audit, v.log); err != nil {
		return err
	}
	if v.opened, err = openStore(ctx, v.settings, v.metrics, v.log); err != nil {
		return err
	}
	v.store = v.opened.front
	if v.geo, err = v.settings.openGeo(v.log); err != nil {
		return err
	}
	options := append(v.settings.lastUse.options(v.log), v.settings.memory.recognition())
	if v.geo != nil {
		options = append(options, macaroon.WithGeo(v.geo))
	}
	if v.authority, err = newAuthority(v.settings, v.store, v.observe, options...); err != nil {
		return err
	}
	if v.authority.RecordsUses() {
		if err := v.metrics.Uses(v.authority.UseStats); err != nil {
			return err
		}
	}
	v.provider, err = v.settings.newProvider(ctx, v.authority, v.log)
	return err
}

func (v *service) close() error {
	v.closeAuthority()
	var err error
	if v.opened != nil {
		err = v.opened.Close()
	}
	if v.geo != nil {
		err = errors.Join(err, v.geo.Close())
	}
	return errors.Join(err, v.audit.Close())
}

// demonstrate prints commands to try, if the settings say so.
func (v *service) demonstrate(ctx context.Context, out io.Writer, base string) (err error) {
	demo := v.settings.demo
	if v.settings.demoIfNew {
		if demo, err = hasNoUserBut(ctx, v.opened.back, demoUser); err != nil {
			return err
		}
	}
	if !demo {
		return nil
	}
	return v.printDemo(asCommand(ctx), out, base)
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
	options := []rest.Option{
		rest.WithOrigin(origin), rest.WithLogger(v.log),
		rest.WithTrustedProxies(v.settings.proxies...), rest.WithAllowedOrigins(v.settings.origins...),
		rest.WithRights(adminRights{memberships{v.store}, v.authority}), rest.WithActorObserver(noteActor),
		rest.WithMaxInFlight(v.settings.limits.requests),
	}
	if !v.settings.basicAuth {
		options = append(options, rest.WithoutBasicAuth())
	}
	if !v.settings.inherit {
		options = append(options, rest.WithoutInheritance())
	}
	about := configuration()
	if v.provider != nil {
		about.IdentityProviders = []string{v.provider.Name()}
		options = append(options, rest.WithIdentityProvider(v.provider))
	}
	api, err := rest.NewHandler(v.authority, append(options, rest.WithConfiguration(about))...)
	if err != nil {
		return nil, err
	}
	front, err := v.page(api, origin)
	if err != nil {
		return nil, err
	}
	return byPath(v.health(), v.logged(v.drained(front))), nil
}

// byPath returns a handler that sends requests for exactly one of the paths, which
// need no escapes, to its handler. The escaped path decides, because a proxy that
// hides a path does not decode it.
func byPath(paths map[string]http.Handler, others http.Handler) http.Handler {
	if len(paths) == 0 {
		return others
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := paths[r.URL.Path]; h != nil && r.URL.EscapedPath() == r.URL.Path {
			h.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// server returns the server of the handler.
func (v *service) server(handler http.Handler, l *connections) *http.Server {
	return &http.Server{
		Handler:           handler,
		TLSConfig:         v.tls.config(),
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
		ErrorLog: errorLog(v.log),
	}
}

// serving is a server and its listener.
type serving struct {
	*http.Server
	listener net.Listener
}

func (s *serving) run() error {
	if s.TLSConfig != nil {
		return s.ServeTLS(s.listener, "", "")
	}
	return s.Serve(s.listener)
}

// serveUntil serves until ctx is done, and then finishes the accepted requests.
// The admin server, which may be nil, serves until the end.
func (v *service) serveUntil(ctx context.Context, api, admin *serving) error {
	ended := make(chan error, 1)
	if admin != nil {
		defer admin.Close()
		go func() {
			if err := admin.run(); !errors.Is(err, http.ErrServerClosed) {
				v.log.Error("the admin address is not served any more", "error", err)
			}
		}()
	}
	go func() { ended <- api.run() }()
	comparing, stop := context.WithCancel(ctx)
	defer stop()
	go v.compareClocks(comparing)
	v.notify.send(v.log, "READY=1")
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	v.log.Info("shutting down", "drain_ms", milliseconds(v.settings.drain))
	v.draining.Store(true)
	v.notify.send(v.log, "STOPPING=1")
	time.Sleep(v.settings.drain)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := api.Shutdown(limited); err != nil {
		return fmt.Errorf("finishing the accepted requests: %w", errors.Join(err, api.Close()))
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
