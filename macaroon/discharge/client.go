package discharge

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon/general"
)

// Defaults and limits of a [Client].
const (
	DefaultTimeout = 10 * time.Second // see [WithTimeout]

	maxAnswer  = 1 << 20          // of a discharger, in bytes
	maxKept    = 1024             // discharges
	maxAge     = time.Hour        // of a discharge without a time caveat
	maxMargin  = 30 * time.Second // before its end, in which a discharge is fetched again
	waitFor    = 20 * time.Second // that a discharger may take until it says "not yet"
	maxURL     = 16 << 10         // of a page for the user, or where to wait; in bytes
	maxMessage = 500              // of a discharger, in bytes
)

// Client fetches discharges over HTTP. It is safe for concurrent use.
//
// A Client acts for one user: the discharges that it keeps say who that is.
// Programs that act for several users need a Client for each.
type Client struct {
	locations map[string]*location
	http      http.Client
	timeout   time.Duration
	now       func() time.Time
	prepare   func(*http.Request) error
	interact  func(ctx context.Context, userURL string) error
	plainHTTP bool

	mu      sync.Mutex
	kept    map[caveatID]fetched
	flights map[caveatID]*flight
}

// caveatID identifies what is fetched. Identifiers are only distinct within the
// caveats of one service.
type caveatID struct{ location, identifier, payload string }

// fetched is a discharge, not bound, and what its dischargers need to discharge
// its caveats.
type fetched struct {
	discharge general.Macaroon
	payloads  map[string]string // the encrypted conditions that are not identifiers
	end       time.Time         // when the discharge ceases to hold
	refresh   time.Time         // from when it is fetched again
}

// ClientOption changes a default of [NewClient].
type ClientOption func(*Client)

// WithHTTPClient sets the client that sends the requests: its transport and its
// cookies. Its redirects and its timeout are not used. Default:
// [http.DefaultTransport], without cookies.
func WithHTTPClient(h *http.Client) ClientOption {
	return func(c *Client) { c.http.Transport, c.http.Jar = h.Transport, h.Jar }
}

// WithCredentials sets a function that is called for each request before it is
// sent. It adds the credentials that the discharger at this URL expects.
func WithCredentials(prepare func(*http.Request) error) ClientOption {
	return func(c *Client) { c.prepare = prepare }
}

// WithInteraction sets a function that shows a page of a discharger to the user:
// it opens a browser, or prints the URL. It returns when the page is shown; the
// Client then waits until the user is done, at most 15 minutes. The URL is https,
// or http on the machine itself, but can be of any host. The context ends when no
// caller waits for the discharge any longer; it has no values of theirs.
func WithInteraction(show func(ctx context.Context, userURL string) error) ClientOption {
	return func(c *Client) { c.interact = show }
}

// WithTimeout sets how long one request may take, and may be 1 ms or more. Limit
// the time of a whole call with its context. Default: [DefaultTimeout].
func WithTimeout(d time.Duration) ClientOption { return func(c *Client) { c.timeout = d } }

// WithPlainHTTP allows locations with http on other machines. Everybody on the
// network can read and change the discharges then.
func WithPlainHTTP() ClientOption { return func(c *Client) { c.plainHTTP = true } }

// WithClock sets the clock. Default: [time.Now].
func WithClock(now func() time.Time) ClientOption { return func(c *Client) { c.now = now } }

// NewClient returns a client of the dischargers at the locations, and of no
// others. A location is a URL, such as "https://id.example.org/macaroons". It
// matches the location of a caveat that is equal, apart from a slash at the end.
//
// The error is badData {key "locations"} for a location that is not a URL with
// https, or with http on the machine itself, and badValueTooLow {key "timeout"}.
func NewClient(locations []string, options ...ClientOption) (*Client, error) {
	c := &Client{
		locations: make(map[string]*location, len(locations)), timeout: DefaultTimeout, now: time.Now,
		kept: make(map[caveatID]fetched), flights: make(map[caveatID]*flight),
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, option := range options {
		option(c)
	}
	if c.timeout < time.Millisecond {
		return nil, errors.BadValueTooLow("timeout", 1)
	}
	for _, text := range locations {
		l, problem := parseLocation(text, c.plainHTTP)
		if problem != "" {
			return nil, errors.BadDataHint("locations", printable.Quote(text)+" "+problem)
		}
		c.locations[l.text] = l
	}
	return c, nil
}

// Discharge returns the discharges that the macaroon needs, bound to it, in any
// order. It fetches those that it has not kept, and then those that these need.
// A discharge is kept until shortly before its time caveat ends, and for an hour
// without one. Concurrent calls share requests.
//
// Errors:
//   - badData {key "location"} for a caveat whose location is not one of the
//     client. Nothing is fetched then;
//   - limitReached for more than [DefaultMaxDischarges] discharges;
//   - an error of the catalogue, wrapped, if a discharger refused;
//   - other errors are operational: a discharger did not answer, or its answer is
//     not one of the protocol.
func (c *Client) Discharge(ctx context.Context, m general.Macaroon) ([]general.Macaroon, error) {
	if m.IsZero() {
		return nil, errors.BadToken("it is empty")
	}
	return c.dischargeAll(ctx, m, nil)
}

func (c *Client) dischargeAll(ctx context.Context, m general.Macaroon, payloads map[string]string) ([]general.Macaroon, error) {
	var discharges []general.Macaroon
	for {
		needed := Needed(m, discharges...)
		if len(needed) == 0 {
			return Bind(m, discharges...)
		}
		if len(discharges)+len(needed) > DefaultMaxDischarges {
			return nil, errors.LimitReached(DefaultMaxDischarges, "discharges of a token")
		}
		all := make([]*location, len(needed))
		for i, caveat := range needed {
			var err error
			if all[i], err = c.allowed(caveat.Location); err != nil {
				return nil, err
			}
		}
		further := make(map[string]string)
		for i, caveat := range needed {
			f, err := c.get(ctx, all[i], caveatID{all[i].text, caveat.Text, payloads[caveat.Text]})
			if err != nil {
				return nil, err
			}
			discharges = append(discharges, f.discharge)
			for identifier, payload := range f.payloads {
				further[identifier] = payload
			}
		}
		payloads = further
	}
}

// allowed returns the location of the client that a caveat names.
func (c *Client) allowed(text string) (*location, error) {
	if l := c.locations[withoutSlash(text)]; l != nil {
		return l, nil
	}
	return nil, errors.BadDataHint("location", fmt.Sprintf("a caveat wants a discharge from %.200q, which is not a location of this client", text))
}

// Forget drops the discharges that the client has kept, and does not keep those
// that it is fetching. Call it when a service refuses one, or when the user
// changes.
func (c *Client) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.kept)
	clear(c.flights)
}

// PublicKey fetches the public key of the discharger at a location of the client.
// A service that adds caveats should do this once, and keep the key: whoever
// answers can read the conditions, and discharge the caveats.
//
// The errors are those of [Client.Discharge].
func (c *Client) PublicKey(ctx context.Context, location string) (PublicKey, error) {
	l, err := c.allowed(location)
	if err != nil {
		return PublicKey{}, err
	}
	return c.fetchKey(ctx, l)
}
