package remote

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	// The state machine of a circuit breaker, with the probes that close it
	// again; maintained, and without dependencies.
	"github.com/sony/gobreaker/v2"

	// A token bucket; maintained by the Go project.
	"golang.org/x/time/rate"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// Client asks one Onezone. It is safe for concurrent use, and there should be
// one for each Onezone in a process, because its answers are cached in it.
type Client struct {
	*settings
	base *url.URL // of the API, with its path

	breaker *gobreaker.CircuitBreaker[reply]
	limiter *rate.Limiter // of questions about new tokens
	pause   pause

	cache     *cache
	flights   *flights
	questions atomic.Uint64 // asked so far
	refreshes chan struct{} // one element for each refresh in flight
	domain    atomic.Pointer[knownDomains]
	counts    counts

	life    context.Context // done when the client is closed
	end     context.CancelFunc
	mu      sync.Mutex // held while adding to running
	running sync.WaitGroup
}

// New returns a client of the Onezone at the URL, such as
// "https://onezone.example.org": without a path, and with https unless the host
// is this machine. New does not connect. Call Close when the client is no
// longer used.
//
// Errors: badData {key "url", or the name of an option, and a hint that says
// what is right}.
func New(url string, options ...Option) (*Client, error) {
	base, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	s, err := newSettings(options)
	if err != nil {
		return nil, err
	}
	c := &Client{settings: s, base: base, refreshes: make(chan struct{}, maxRefreshes)}
	if c.cache, err = newCache(s.maxEntries); err != nil {
		return nil, err
	}
	if len(s.domains) > 0 {
		c.domain.Store(&knownDomains{names: s.domains})
	}
	c.limiter = rate.NewLimiter(rate.Limit(s.maxRate), s.maxRate)
	c.life, c.end = context.WithCancel(context.Background())
	c.flights = newFlights(c.life)
	c.breaker = newBreaker(c)
	return c, nil
}

// Close stops background refreshes and closes idle connections. Verifications
// in flight end with an operational error.
func (c *Client) Close() error {
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	c.running.Wait()
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	return nil
}

// Format prints the type and the host for every verb.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "remote.Client("+c.base.Host+")")
}

// parseURL returns the URL of the API below the URL of an Onezone.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, badURL(`it must have the form "https://onezone.example.org"`)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, badURL("its scheme must be https")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, badURL("its scheme must be https, because tokens are sent to it; " +
			"http is allowed only for this machine (localhost, 127.0.0.1, ::1)")
	case u.User != nil:
		return nil, badURL("it must not contain a user name or password")
	case strings.HasPrefix(u.Path, rest.Prefix):
		return nil, badURL("it must not contain the path of the API; leave out " + rest.Prefix)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, badURL("it must end after the host and port")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: rest.Prefix}, nil
}

func badURL(hint string) error { return errors.BadDataHint("url", hint) }

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
