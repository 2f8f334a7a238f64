// Onezone is a token service. It serves the token API of Onezone over a store
// of your choice.
//
//	go run ./examples/onezone
//
// serves on http://127.0.0.1:9080 with an SQLite file in ./data. At the first
// start it creates a demo user and prints two curl commands to try. Logs go to
// standard error. After SIGINT or SIGTERM it finishes the accepted requests and
// exits; acknowledged changes are durable.
//
// # Settings
//
// Each flag has an environment variable, such as ONEZONE_LOG_LEVEL for
// -log-level; the flag takes precedence. -help lists them all. Other variables
// are ignored.
//
//	-address          where to listen; default 127.0.0.1:9080
//	-tls-cert -tls-key
//	                  PEM files; with them it serves HTTPS
//	-store            sqlite:PATH (default sqlite:data/onezone.db), postgres://...,
//	                  redis://... or memory:
//	-feed-url         the database for the feed of changes, if -store is a
//	                  transaction pooler; see below
//	-store-timeout    how long a call of PostgreSQL or Redis may take; default 5s
//	-cache            answer verifications from memory; default true
//	-seal-key-file    keys that encrypt secrets in the store; see below
//	-domain           the domain of new tokens; default "onezone"
//	-origin           what Location headers begin with; default https and the
//	                  domain, or with the default domain the address
//	-max-temporary-ttl
//	                  the longest lifetime of a new temporary token; default 720h,
//	                  the 30 days of Onezone
//	-allowed-origins  origins, such as https://app.example.com, whose pages may use
//	                  the API from a browser; default: none
//	-trusted-proxies  networks and addresses of proxies whose X-Forwarded-For
//	                  is trusted
//	-max-...          see the limits below
//	-log-level        debug, info, warn or error; default info
//	-log-format       text or json; default text
//	-demo             create the demo user and print the curl commands; default: only
//	                  on a loopback address, with none of -store,
//	                  -seal-key-file, -tls-cert, -domain, -origin,
//	                  -allowed-origins and -trusted-proxies, while the store
//	                  has no other users
//	-drain            time to keep accepting requests after a signal; default 500ms
//
// # PostgreSQL behind a pooler
//
// A pooler that assigns connections per session needs no settings. A pooler
// that assigns them per transaction, such as PgBouncer with
// pool_mode=transaction, breaks the feed of changes that keeps caches current.
// Set -feed-url to bypass it. PgBouncer before 1.21 also needs
// default_query_exec_mode=exec:
//
//	-store 'postgres://onezone@bouncer:6432/onezone?default_query_exec_mode=exec'
//	-feed-url postgres://onezone@db:5432/onezone
//
// Without a feed, a token that another replica has revoked is refused after at
// most 2 seconds. The log has a warning, and the metric onezone_cache_feed_up
// is 0.
//
// # Start
//
// Errors in the settings and failures at the start are printed on standard
// error, one line each, and the program exits without serving. The exit code is
// 2 for wrong flags or environment variables, 1 for other failures, and 0 after
// -help, a managed user or a signal.
//
// # Users
//
// With one of these flags the program manages a user and exits. The service may
// run at the same time. It needs another store than memory:.
//
//	-create-user NAME    optionally with -full-name
//	-set-password NAME
//	-block NAME, -unblock NAME
//
// A new password is generated at random and printed; with -password-stdin it is
// read from the first line of standard input. It is never an argument, because
// other users of the machine could read it. Passwords are normalized by the
// OpaqueString profile of RFC 8265, so that all Unicode forms of a password are
// equal. Control characters and unassigned characters are rejected.
//
// # Log
//
// Each request has a line with its id (X-Request-Id of a proxy, or a new one),
// the address and identity of the client, and the authentication method. Each
// change, log-in and failed log-in has a line of its own. Failed log-ins are
// warnings with the user name. The commands above log the same events, with the
// account of the operator. Lines never contain passwords or tokens.
//
// # The file of seal keys
//
// Each line of the file is a key: its name, a space, and 32 random bytes in
// base64. The first key encrypts, all keys decrypt. Names must be unique. Lines
// that begin with # are comments. Only the owner may have access to the file
// (mode 0600 or 0400).
//
//	(umask 077; echo "2026-01 $(head -c 32 /dev/urandom | base64)" > seal.key)
//
// A sealed store cannot be opened without its keys: the program reports an
// error at the start and exits, and a running service is not ready. A store
// with plaintext secrets must be converted before it can be opened with keys.
//
//	-reseal           seal all secrets under the first key, print how many, and exit
//	-seal-plaintext   with -reseal: also seal secrets in clear, to convert a store
//	                  that was in use without keys. Forged secrets in the database
//	                  would look genuine afterwards
//
// To retire a key, put a new one first in the file, restart all processes of
// the service, run with -reseal, and remove the old key. After an update from a
// release without the digest of records (see package store/seal), run with
// -reseal once. The service may run at the same time, except during a
// conversion. SQLite files contain no secrets in clear afterwards; for
// PostgreSQL and Redis see package store/seal.
//
// # Besides the API
//
//	GET /healthz   200 while the process serves
//	GET /readyz    200 while the store answers and its secrets can be read;
//	               else 503 serviceUnavailable
//	GET /metrics   for Prometheus; hide it from the public at your proxy
//
// # Limits
//
// Limits ensure that no client blocks others. The memory of the program stays
// below 128 MB whatever clients send, without the cache and a store in memory.
//
//	-max-header-bytes 16384
//	                  request line and headers, in bytes; HTTP/1 allows 4 KiB more.
//	                  The server answers larger ones with 431 and no JSON, before
//	                  the API sees them. New tokens have up to half of the limit,
//	                  8 KiB (tokenTooLarge). Larger limits need more memory
//	                  than the 128 MB
//	-max-connections 1000
//	                  of all clients; fewer if the process may have fewer file
//	                  descriptors. A new connection replaces the one that has been
//	                  idle for the longest; if none is idle, the new one is closed
//	-max-connections-per-address 100
//	                  the same for one address that is not a trusted proxy. A
//	                  proxy that is not trusted counts as one client
//	-max-requests-per-client 100
//	                  concurrent requests of one user, or without credentials of
//	                  one address; further ones are answered with 429
//	                  temporaryFailure and Retry-After
//
// IPv6 addresses with the same first 64 bits count as one address. Headers must
// arrive within 5 seconds, the body within 30 seconds, and the response may
// take a minute. A connection without a request is closed after two minutes.
// Bodies have at most 2 MiB (413). Memory for large bodies and for lists of
// full tokens is limited: a request that gets none within 5 seconds is answered
// with 429, or 503 if other clients use the memory, and Retry-After. A user has
// at most 10,000 named tokens of 256 KiB (limitReached).
//
// Set GOMEMLIMIT, a variable of the Go runtime, if the cache or a store in
// memory is large: for example GOMEMLIMIT=200MiB in a container with 256 MiB.
//
// Ten log-ins in a row may fail for a user name, and one more every six
// seconds; further ones are answered with 429. The limit of an address is ten
// times as high. Each process counts separately: N replicas allow N times the
// guesses.
//
// While the store is down, requests are answered with 503 serviceUnavailable.
// Verifications that the cache can answer continue for its short TTL. The
// service recovers when the store does.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/onezone-go/onezone/internal/printable"
)

// gcPercent trades memory for time: the program needs few megabytes, which Go's
// default would collect hundreds of times per second under load. Under attack
// it needs more; three times that must fit into the 128 MB that the manual
// promises.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}, os.Getenv)
	stop()
	report(printable.NewWriter(os.Stderr), err)
	os.Exit(exitCode(err))
}

// stdio holds the standard streams of the program.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// run runs the program with the arguments until it finishes or ctx is done.
func run(ctx context.Context, args []string, io stdio, getenv func(string) string) error {
	settings, err := parseSettings(args, io.out, getenv)
	if err != nil {
		return err
	}
	switch {
	case settings.user.name != "":
		return manageUser(ctx, settings, io)
	case settings.reseal.on:
		return reseal(ctx, settings, io.out)
	}
	return serve(ctx, settings, io)
}
