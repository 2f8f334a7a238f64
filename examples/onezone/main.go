// Onezone is a token service: the REST API of Onezone for tokens, over a store of
// your choice.
//
//	go run ./examples/onezone
//
// serves on http://127.0.0.1:9080 with an SQLite file in ./data, makes a demo user
// at the first start, and prints on standard output two curl commands to try. Logs
// go to standard error. After SIGINT or SIGTERM it answers the requests that it has
// accepted and exits; acknowledged changes are there at the next start.
//
// # Settings
//
// Each flag has an environment variable, such as ONEZONE_LOG_LEVEL for -log-level;
// the flag takes precedence. -help lists them all. Variables whose names are not
// in that list are ignored.
//
//	-address          where to listen; default 127.0.0.1:9080
//	-tls-cert -tls-key
//	                  PEM files; with them it serves HTTPS
//	-store            sqlite:PATH (default sqlite:data/onezone.db), postgres://...,
//	                  redis://... or memory:
//	-feed-url         where the feed of changes connects to, if -store leads to a
//	                  pooler of transactions; see below
//	-store-timeout    how long a call of PostgreSQL or Redis may take; default 5s
//	-cache            answer verifications from memory; default true
//	-seal-key-file    keys that encrypt secrets in the store; see below
//	-domain           the domain of new tokens; default "onezone"
//	-origin           what Location headers begin with; default https and the
//	                  domain, or with the default domain the address
//	-max-temporary-ttl
//	                  how far in the future the end of a new temporary token may
//	                  be; default 720h, which are the 30 days of Onezone
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
//	-drain            how long it goes on to accept after a signal; default 500ms
//
// # PostgreSQL behind a pooler
//
// A pooler that hands out connections by the session works as it is. One that does
// so by the transaction, such as PgBouncer with pool_mode=transaction, loses the
// feed of changes that caches live on, which -feed-url leads past it; and PgBouncer
// before 1.21 needs default_query_exec_mode=exec:
//
//	-store 'postgres://onezone@bouncer:6432/onezone?default_query_exec_mode=exec'
//	-feed-url postgres://onezone@db:5432/onezone
//
// Without a feed, which a warning says and onezone_cache_feed_up shows, a token
// that was revoked by another replica is refused 2 seconds later at the latest.
//
// # Start
//
// Mistakes in the settings and failures at the start are printed on standard error,
// one line each, and the program exits without serving. The exit code is 2 for a mistake in
// flags or environment, 1 for any other failure, and 0 after -help, after a user
// was managed, and after a signal.
//
// # Users
//
// With one of these flags the program manages a user and exits, also while the
// service is running, except over memory:.
//
//	-create-user NAME    with -full-name, if it is to have one
//	-set-password NAME
//	-block NAME, -unblock NAME
//
// A new password is generated at random and printed; with -password-stdin it is read
// from the first line of standard input. It is never an argument, which other users
// of the machine could read. Passwords are prepared by the OpaqueString profile of RFC
// 8265, so that all Unicode forms of a password are equal; control characters and
// unassigned characters are rejected.
//
// # Log
//
// Each request has a line with the id of the request (X-Request-Id, taken from a
// proxy or made), the address of the client, who it is and how it authenticated.
// Each change, log-in and failed log-in is an event with a line of its own; failed
// log-ins are warnings and have the user name that was tried. The commands above
// write the same events, with the account of the operator. Lines never hold
// passwords or tokens.
//
// # The file of seal keys
//
// The file has one key on each line: its name, a space, and 32 random bytes in
// base64. The first key seals, and all of them open. Names differ. Lines that begin
// with # are comments. Only the owner may have access to the file (mode 0600 or
// 0400).
//
//	(umask 077; echo "2026-01 $(head -c 32 /dev/urandom | base64)" > seal.key)
//
// A sealed store does not open without its keys or with other keys: the program
// reports that at the start and exits, and a running service is not ready. A store
// with plaintext secrets does not open with keys until it has been converted.
//
//	-reseal           seal all secrets under the first key, say how many, and end
//	-seal-plaintext   with -reseal: also those that are in clear, to convert a
//	                  store that was in use without keys. Secrets that somebody
//	                  planted in the database would look genuine afterwards
//
// To take a key out of use, put a new one first in the file, restart every process
// of the service, run with -reseal, and remove the old key. After an update from a
// release before the digest of records (see package store/seal), run with -reseal
// once. The service may go on while that runs. A conversion needs the service to
// be stopped. SQLite files hold nothing in clear afterwards; for PostgreSQL and
// Redis see package store/seal.
//
// # Besides the API
//
//	GET /healthz   200 while the process serves
//	GET /readyz    200 while the store answers, too, and its secrets can be read;
//	               else 503 serviceUnavailable
//	GET /metrics   for Prometheus; keep it from the public at your proxy
//
// # Limits
//
// No client takes so much that others are not served. The memory of the program
// stays below 128 MB whatever clients send, beside what the cache and a store in
// memory keep.
//
//	-max-header-bytes 16384
//	                  a request line with its headers; HTTP/1 allows 4 KiB more.
//	                  The server answers larger ones with 431 and no JSON, before
//	                  the API sees them. New tokens have up to half of the limit,
//	                  8 KiB (tokenTooLarge). Larger limits need more memory
//	                  than the 128 MB
//	-max-connections 1000
//	                  of all clients; fewer where the process may have fewer
//	                  file descriptors. For one more the connection that has been
//	                  idle for the longest is closed, or the new one if none is idle
//	-max-connections-per-address 100
//	                  the same for one address that is no trusted proxy. A proxy
//	                  that is not trusted counts as one client
//	-max-requests-per-client 100
//	                  of one user, or without credentials of one address, at once;
//	                  more are answered with 429 temporaryFailure and Retry-After
//
// The 64 bits in front of an IPv6 address count as one address. Headers have 5
// seconds to arrive, with their body 30. An answer has a minute. A connection
// without a request is closed after two minutes. Bodies have 2 MiB (413); for large
// ones, and for lists of tokens in full, memory is bounded: a request that gets none
// within 5 seconds is answered with 429, or 503 where other clients take it, and
// Retry-After. A user has 10,000 named tokens, of 256 KiB each (limitReached).
//
// The Go runtime keeps to GOMEMLIMIT, such as GOMEMLIMIT=200MiB in a container with
// 256 MiB; set it where the cache or a store in memory is large.
//
// Ten log-ins in a row may fail for a user name, and one more after each six
// seconds; further ones are answered with 429. An address has ten times as many.
// Each process counts by itself: N replicas give N times the guesses.
//
// While the store is down requests are answered with 503 serviceUnavailable, and
// as before when it is back. Verifications that the cache can answer go on for
// its short TTL.
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

// gcPercent trades memory for time: the program needs few megabytes, and with
// Go's default collects them hundreds of times in a second of load. Under attack it
// needs more, and three times that must fit into the 128 MB that the manual names.
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

// stdio is what the program talks over.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// run does what the arguments say, until it is done or ctx is.
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
