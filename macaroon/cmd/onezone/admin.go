package main

import (
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/onezone-go/onezone/macaroon/rest"

	onezoneerrors "github.com/onezone-go/onezone/errors"
)

// adminWriteTimeout bounds the answers of the admin server. The longest is a
// profile over the 30 seconds that are the default of pprof.
const adminWriteTimeout = 2 * time.Minute

// listenAdmin returns the server of metrics, health and profiles. It returns nil
// if the settings turn it off, or if its default address is in use.
func (v *service) listenAdmin() (*serving, error) {
	if v.settings.adminAddress == "" {
		return nil, nil
	}
	listener, err := listen("admin-address", v.settings.adminAddress)
	if v.settings.adminIfFree && errors.Is(err, syscall.EADDRINUSE) {
		v.log.Warn("there are no metrics, because their default address is in use; choose another one", "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler:           v.adminHandler(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      adminWriteTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    v.settings.limits.headerBytes,
		ErrorLog:          errorLog(v.log),
	}
	return &serving{server, listener}, nil
}

// url returns where the server listens, "" for none.
func (s *serving) url() string {
	if s == nil {
		return ""
	}
	return "http://" + s.listener.Addr().(*net.TCPAddr).String()
}

func (v *service) adminHandler() http.Handler {
	paths := v.health()
	paths["/metrics"] = readOnly(v.scraped())
	for path, profile := range map[string]http.HandlerFunc{
		"cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		paths["/debug/pprof/"+path] = profile
	}
	return byPath(paths, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/debug/pprof/") {
			pprof.Index(w, r)
			return
		}
		rest.WriteError(w, onezoneerrors.NotFound())
	}))
}

// health returns the handlers of the paths about the state of the service.
func (v *service) health() map[string]http.Handler {
	return map[string]http.Handler{
		"/healthz": readOnly(http.HandlerFunc(healthy)),
		"/readyz":  readOnly(http.HandlerFunc(v.ready)),
	}
}
