package remote

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// Defaults of the options.
const (
	DefaultMaxAge         = 30 * time.Second // see [WithMaxAge]
	DefaultNegativeMaxAge = 10 * time.Second // see [WithMaxAge]
	DefaultMaxEntries     = 10_000           // see [WithMaxEntries]
	DefaultTimeout        = 10 * time.Second // see [WithTimeout]
	DefaultRetries        = 2                // see [WithRetries]
	DefaultMaxRate        = 100              // see [WithMaxRate]
)

// MaxStale is the highest value of [WithStaleIfUnreachable].
const MaxStale = 300 * time.Second

// Option changes a default of [New].
type Option func(*settings)

// settings are the values of the options. Client refers to them by a pointer,
// so that fmt does not print the service token in a copy of a Client.
type settings struct {
	transport http.RoundTripper
	roots     *x509.CertPool

	maxAge, negativeMaxAge, stale time.Duration
	maxEntries                    int

	domains      []string
	serviceToken caveat.PartyToken
	vocabulary   *caveat.Vocabulary

	timeout time.Duration
	retries int
	maxRate int

	now func() time.Time
	log *slog.Logger

	firstBackOff time.Duration // before the first retry
	breakerPause time.Duration // between the opening of the breaker and a probe
}

// WithTransport sets the transport of HTTP requests. Redirects are refused
// regardless of it. It is responsible for verifying the certificate of the
// Onezone. Default: a transport like [http.DefaultTransport] with the system's
// root certificates.
func WithTransport(t http.RoundTripper) Option { return func(s *settings) { s.transport = t } }

// WithRootCAs sets the certificate authorities that may sign the certificate
// of the Onezone. It cannot be combined with [WithTransport]. Default: those of
// the system.
func WithRootCAs(roots *x509.CertPool) Option { return func(s *settings) { s.roots = roots } }

// WithMaxAge sets how long a good answer and a refusal are used before Onezone
// is asked again. A revocation may be noticed as late as that. Answers never
// outlive their token, and answers about requests with a consumer token are
// used for at most 10 seconds. Zero turns the cache of good answers or of
// refusals off. Default: [DefaultMaxAge] and [DefaultNegativeMaxAge].
func WithMaxAge(good, refused time.Duration) Option {
	return func(s *settings) { s.maxAge, s.negativeMaxAge = good, refused }
}

// WithMaxEntries sets the maximum number of cached answers. Default:
// [DefaultMaxEntries].
func WithMaxEntries(n int) Option { return func(s *settings) { s.maxEntries = n } }

// WithStaleIfUnreachable allows good answers to be used for that much longer
// than [WithMaxAge] says, at most [MaxStale], while Onezone does not answer. A
// revocation may then be noticed that much later. Default: 0, verification
// fails with an operational error.
func WithStaleIfUnreachable(d time.Duration) Option { return func(s *settings) { s.stale = d } }

// WithDomains sets the domains whose tokens are sent to the Onezone. All others
// are refused without a request. Default: the domain in GET /configuration of
// the Onezone, which is asked once. If it has no such route, that is the host of
// its URL, and it is asked again after a minute.
func WithDomains(domains ...string) Option { return func(s *settings) { s.domains = domains } }

// WithServiceToken sets the token with which this service proves to Onezone
// that it is a service of a Oneprovider. It replaces the service token of a
// request: another Oneprovider must not use tokens here that are confined to
// itself. Default: none; Onezone then decides as if it were the service that
// uses the token.
func WithServiceToken(token caveat.PartyToken) Option {
	return func(s *settings) { s.serviceToken = token }
}

// WithVocabulary sets the caveat language of the Onezone, for requests that
// contain none. Default: the thirteen kinds of the Onezone language.
func WithVocabulary(v *caveat.Vocabulary) Option { return func(s *settings) { s.vocabulary = v } }

// WithTimeout limits the time to ask Onezone one question, including retries.
// A single attempt takes at most half of it. The deadline of a caller can only
// shorten its own wait. Default: [DefaultTimeout].
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithRetries sets how often a question is repeated when Onezone does not
// answer it. Default: [DefaultRetries].
func WithRetries(n int) Option { return func(s *settings) { s.retries = n } }

// WithMaxRate limits the questions about tokens without a good answer in the
// cache to n per second. Clients that send invented tokens therefore cannot
// make this service flood Onezone. Verifications past it fail with an operational
// error. Raise it for clients that send a new copy of their token each second,
// as [Transport] does: every copy is a new token. Default: [DefaultMaxRate].
func WithMaxRate(n int) Option { return func(s *settings) { s.maxRate = n } }

// WithClock sets the clock. Default: [time.Now].
func WithClock(now func() time.Time) Option { return func(s *settings) { s.now = now } }

// WithLogger sets the log for failures in the background and for the state of
// the circuit breaker. Default, and for nil: [slog.Default] when [New] is
// called.
func WithLogger(l *slog.Logger) Option { return func(s *settings) { s.log = l } }

func newSettings(options []Option) (*settings, error) {
	s := &settings{
		maxAge: DefaultMaxAge, negativeMaxAge: DefaultNegativeMaxAge, maxEntries: DefaultMaxEntries,
		timeout: DefaultTimeout, retries: DefaultRetries, maxRate: DefaultMaxRate,
		firstBackOff: 50 * time.Millisecond, breakerPause: 5 * time.Second,
	}
	for _, option := range options {
		if option != nil {
			option(s)
		}
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if err := s.validate(); err != nil {
		return nil, err
	}
	if s.transport == nil {
		s.transport = newTransport(s.roots)
	}
	return s, nil
}

func (s *settings) validate() error {
	for _, rule := range []struct {
		option string
		broken bool
		hint   string
	}{
		{"transport", s.transport != nil && s.roots != nil, "WithTransport and WithRootCAs exclude each other: set the roots of the transport"},
		{"maxAge", s.maxAge < 0 || s.negativeMaxAge < 0, "an age must not be negative"},
		{"maxEntries", s.maxEntries < 1, "it must be at least 1; WithMaxAge(0, 0) turns the cache off"},
		{"staleIfUnreachable", s.stale < 0 || s.stale > MaxStale, fmt.Sprintf("it must be between 0 and %v", MaxStale)},
		{"timeout", s.timeout <= 0, "it must be positive"},
		{"retries", s.retries < 0, "it must not be negative"},
		{"maxRate", s.maxRate < 1, "it must be at least 1 in a second"},
	} {
		if rule.broken {
			return errors.BadDataHint(rule.option, rule.hint)
		}
	}
	if s.serviceToken != "" {
		if _, err := macaroon.Parse(string(s.serviceToken)); err != nil {
			return errors.BadServiceToken(err)
		}
	}
	for _, domain := range s.domains {
		if domain == "" {
			return errors.BadDataHint("domains", "a domain must not be empty")
		}
	}
	return nil
}

// maxAnswerHeader is the largest header of a response, in bytes.
const maxAnswerHeader = 64 << 10

// newTransport returns the default transport.
func newTransport(roots *x509.CertPool) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	t.MaxResponseHeaderBytes = maxAnswerHeader
	t.MaxIdleConnsPerHost = 32
	return t
}
