// Gate answers the authorization requests of nginx, Caddy, Traefik or Envoy, so
// that Onezone tokens protect programs in any language.
//
//	gate --rules rules.toml --onezone https://onezone.example.org
//	gate check rules.toml GET /files/s1/a.txt
//
// The second form prints what the rules require of a request, and exits. Package
// macaroon/gate describes the rules, docs/gate.md the proxies. The flags are:
//
//	--rules FILE         the rules; SIGHUP makes the gate read them again. A bad
//	                     file is refused at the start; later it is logged, and the
//	                     rules stay as they are
//	--onezone URL        the Onezone that verifies the tokens, or
//	--store STORE        the store of an Onezone of your own: sqlite:PATH,
//	                     postgres://... or redis://...
//	--max-age 30s        how long an answer of the Onezone is used, which is how
//	                     late a revocation may be noticed
//	--address HOST:PORT  where to listen; default 127.0.0.1:9081
//	--trusted-proxies    networks of the proxies that may ask, separated by
//	                     commas; default 127.0.0.0/8,::1/128
//	--log-level LEVEL    debug logs each decision; default info
//
// The exit code is 2 for wrong usage and 1 for other failures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/onezone-go/onezone/macaroon/gate"
)

// Exit codes, besides 0.
const (
	exitFailure = 1
	exitUsage   = 2
)

// gcPercent trades memory for time: the program needs few megabytes, which Go's
// default would collect dozens of times per second under load.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], hangup, os.Stdout, os.Stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	if errors.As(err, new(usageError)) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailure)
}

// run runs the program until ctx is done. Each value of reload makes it read
// the rules again.
func run(ctx context.Context, args []string, reload <-chan os.Signal, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "check" {
		return check(args[1:], stdout)
	}
	s, err := parseSettings(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: s.level}))
	rules, err := gate.ReadRules(s.rules)
	if err != nil {
		return err
	}
	verifier, err := s.openVerifier(ctx, log)
	if err != nil {
		return err
	}
	defer func() { _ = verifier.Close() }()
	g, err := gate.New(verifier, rules, gate.WithTrustedProxies(s.proxies...), gate.WithLogger(log))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("--address %s: %w", s.address, err)
	}
	log.Info("serving", "address", listener.Addr().String(), "rules", s.rules)
	return serve(ctx, listener, g, func() { reloadRules(g, s.rules, log) }, reload)
}

// check prints what the rules require of a request.
func check(args []string, stdout io.Writer) error {
	if len(args) != 3 {
		return usageErrorf("usage: gate check RULES METHOD PATH")
	}
	rules, err := gate.ReadRules(args[0])
	if err != nil {
		return err
	}
	text, err := rules.Explain(args[1], args[2])
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, text)
	return err
}

// reloadRules replaces the rules, unless the file is bad.
func reloadRules(g *gate.Gate, file string, log *slog.Logger) {
	rules, err := gate.ReadRules(file)
	if err == nil {
		err = g.SetRules(rules)
	}
	if err != nil {
		log.Error("kept the old rules", "rules", file, "error", err)
		return
	}
	log.Info("replaced the rules", "rules", file)
}

// Limits of connections. The proxy is the only client.
const (
	headerTimeout   = 5 * time.Second
	requestTimeout  = 30 * time.Second
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 10 * time.Second
	maxHeaderBytes  = 64 << 10
)

// serve serves until ctx is done, and calls reload for each value of signals.
func serve(ctx context.Context, l net.Listener, h http.Handler, reload func(), signals <-chan os.Signal) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	for {
		select {
		case err := <-failed:
			return err
		case <-signals:
			reload()
		case <-ctx.Done():
			ending, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
			defer cancel()
			return server.Shutdown(ending)
		}
	}
}
