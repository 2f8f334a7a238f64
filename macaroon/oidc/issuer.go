package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	// Exchanges the codes of log-ins; package oidc describes issuers with it.
	"golang.org/x/oauth2"

	"github.com/onezone-go/onezone/errors"
)

const (
	// maxAge is how long keys are used before the issuer is asked again.
	maxAge = 5 * time.Minute
	// maxStale is how long keys are used while the issuer cannot be reached.
	maxStale = time.Hour
	// askAgain is the least time between two questions for keys.
	askAgain = 10 * time.Second
	// maxKeys is the maximum number of keys of an issuer.
	maxKeys = 32
)

// issuer keeps the discovery document and the keys of the issuer.
type issuer struct {
	url     string
	client  *http.Client
	timeout time.Duration
	now     func() time.Time
	log     *slog.Logger

	mu     sync.Mutex
	known  *metadata // nil: none yet
	asked  time.Time // when the last question began
	err    error     // of the last question
	flight chan struct{}
}

// metadata is what the issuer said about itself. It is immutable.
type metadata struct {
	userinfo string          // URL; "": none
	endpoint oauth2.Endpoint // of log-ins with a browser; without URLs: none
	keys     []jose.JSONWebKey
	at       time.Time
}

func newIssuer(o Options) *issuer {
	return &issuer{url: o.Issuer, client: newClient(o), timeout: o.Timeout, now: o.Now, log: o.Logger}
}

// current returns the metadata. It asks the issuer if they are older than maxAge,
// and if that fails, returns them as long as they are not older than maxStale.
func (i *issuer) current(ctx context.Context) (*metadata, error) {
	i.mu.Lock()
	known := i.known
	i.mu.Unlock()
	if known.isYounger(i.now(), maxAge) {
		return known, nil
	}
	if !known.isYounger(i.now(), maxStale) {
		return i.ask(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, i.timeout/2) // leave time to use the old keys
	defer cancel()
	if m, err := i.ask(ctx); err == nil {
		return m, nil
	}
	return known, nil
}

// isYounger reports whether the metadata have at most that age. If the clock was
// set back, they do not.
func (m *metadata) isYounger(now time.Time, most time.Duration) bool {
	if m == nil {
		return false
	}
	age := now.Sub(m.at)
	return age >= 0 && age < most
}

// newer returns metadata that the issuer gave after it gave old. If it was asked
// a moment ago, these are the last it gave, which may be old itself.
func (i *issuer) newer(ctx context.Context, old *metadata) (*metadata, error) {
	i.mu.Lock()
	known := i.known
	i.mu.Unlock()
	if known != old {
		return known, nil
	}
	return i.ask(ctx)
}

// ask asks the issuer, unless it was asked a moment ago; then the result is that of
// the last question. Concurrent calls wait for one question. It may go on when
// ctx is done.
func (i *issuer) ask(ctx context.Context) (*metadata, error) {
	i.mu.Lock()
	flight := i.flight
	if flight == nil {
		if since := i.now().Sub(i.asked); since >= 0 && since < askAgain {
			defer i.mu.Unlock()
			return i.result()
		}
		flight = make(chan struct{})
		i.flight, i.asked = flight, i.now()
		go i.fetch(context.WithoutCancel(ctx), flight)
	}
	i.mu.Unlock()
	select {
	case <-flight:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the keys of the issuer: %w", ctx.Err())
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.result()
}

// result returns what the last question led to. The caller holds the lock.
func (i *issuer) result() (*metadata, error) {
	if i.err != nil {
		return nil, i.err
	}
	return i.known, nil
}

// fetch asks the issuer and closes done.
func (i *issuer) fetch(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, i.timeout)
	defer cancel()
	m, err := i.load(ctx)
	if err != nil {
		i.log.WarnContext(ctx, "the keys of an identity provider could not be fetched", "issuer", i.url, "error", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err = err; err == nil {
		i.known = m
	}
	i.flight = nil
	close(done)
}

func (i *issuer) load(ctx context.Context) (*metadata, error) {
	m := &metadata{at: i.now()}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, i.client), i.url)
	if err != nil {
		return nil, fmt.Errorf("reading the discovery document of %s: %w", i.url, shortened(err))
	}
	var document struct {
		Keys    string   `json:"jwks_uri"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&document); err != nil {
		return nil, fmt.Errorf("decoding the discovery document of %s: %w", i.url, err)
	}
	if err := checkURL(document.Keys); err != nil {
		return nil, fmt.Errorf("reading the discovery document of %s: jwks_uri: %w", i.url, err)
	}
	if m.userinfo = provider.UserInfoEndpoint(); m.userinfo != "" {
		if err := checkURL(m.userinfo); err != nil {
			return nil, fmt.Errorf("reading the discovery document of %s: userinfo_endpoint: %w", i.url, err)
		}
	}
	m.endpoint = provider.Endpoint()
	m.endpoint.AuthStyle = oauth2.AuthStyleInHeader // unless the issuer says otherwise
	if len(document.Methods) > 0 && !slices.Contains(document.Methods, "client_secret_basic") {
		m.endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	status, body, err := get(ctx, i.client, document.Keys, "")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("it answered with the status %d", status)
	}
	if err == nil {
		m.keys, err = parseKeys(body)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the keys of %s at %s: %w", i.url, document.Keys, err)
	}
	return m, nil
}

// parseKeys returns the keys of a set that can sign tokens. Others are left out,
// as RFC 7517, section 5, demands.
func parseKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("they are not a JSON object of keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("there are %d of them, and may be %d", len(set.Keys), maxKeys)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) == nil && (key.Use == "" || key.Use == "sig") && isStrong(key.Key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("none of them is a public key for signatures, of RSA with 2048 bits, ECDSA or EdDSA")
	}
	return keys, nil
}

// keysFor returns the keys that may have signed a token with that header: those
// with its id, or all if it has none, and with its algorithm.
func (m *metadata) keysFor(h jose.Header) (keys []any) {
	for _, key := range m.keys {
		if (h.KeyID == "" || key.KeyID == h.KeyID) && (key.Algorithm == "" || key.Algorithm == h.Algorithm) {
			keys = append(keys, key.Key)
		}
	}
	return keys
}
