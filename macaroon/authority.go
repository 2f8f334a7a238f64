package macaroon

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	// UUIDs (RFC 9562), which the standard library does not make.
	"github.com/google/uuid"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Authority issues tokens, verifies them and takes them back: a small Onezone
// over a store. It is safe for concurrent use, and several of them, in as many
// processes, may share one store.
type Authority struct {
	store       store.Store
	domain      string
	clock       func() time.Time
	random      io.Reader
	limits      Limits
	quotas      Quotas
	recognition *recognition
	remembered  struct{ tokens, bytes int }
	confiner    confiner
	maxTTL      time.Duration
	observer    Observer
	directory   Directory
	sessions    Sessions
	memberships Memberships
	inviters    Inviters
	groups      caveat.GroupChecker
	geo         caveat.GeoResolver
	uses        keyedMutex
	logIns      logInGuard
	passwords   hasher

	passwordProfile func(password string) (prepared string, err error)
	sealChecked     atomic.Int64 // Unix seconds of the last check that found no seal; 0: none yet
}

// DefaultMaxTemporaryTTL is how far in the future the time caveat of a new
// temporary token may be.
const DefaultMaxTemporaryTTL = 7 * 24 * time.Hour

// Option changes a default of [NewAuthority].
type Option func(*Authority)

// WithDomain sets the domain that new tokens carry. Default: "onezone".
func WithDomain(domain string) Option { return func(a *Authority) { a.domain = domain } }

// WithClock sets the source of the time. Default: [time.Now].
func WithClock(now func() time.Time) Option { return func(a *Authority) { a.clock = now } }

// WithRandom sets the source of secrets and ids. Whoever can predict it can
// forge tokens: it is for tests. Default: crypto/rand.
func WithRandom(r io.Reader) Option { return func(a *Authority) { a.random = r } }

// WithLimits sets the limits under which [Authority.Parse] reads tokens; new
// tokens keep to the size as well, and as many caveats as they may carry are
// read whatever the limit.
func WithLimits(l Limits) Option { return func(a *Authority) { a.limits = l } }

// WithMaxIssuedSize sets how many characters the text of a new token may have,
// also of one that is confined here; past it the error is tokenTooLarge. Servers
// that limit the size of headers need it. Default, and the most: the size under
// which tokens are read.
func WithMaxIssuedSize(characters int) Option {
	return func(a *Authority) { a.confiner.maxSize = characters }
}

// WithQuotas sets what one subject can have the store keep. Default: the zero
// [Quotas].
func WithQuotas(q Quotas) Option { return func(a *Authority) { a.quotas = q } }

// WithRecognition sets how many tokens whose signature it has verified the
// authority remembers, and how many bytes they may take in memory together. A
// token that is presented again is then recognized by its text, and its
// signature and caveats need no decoding; whether the record, the subject and
// the caveats allow the request is decided each time. Zero tokens turn the
// memory off. Default: [DefaultRecognizedTokens], [DefaultRecognizedBytes].
func WithRecognition(tokens, bytes int) Option {
	return func(a *Authority) { a.remembered.tokens, a.remembered.bytes = tokens, bytes }
}

// WithMaxCaveats sets how many caveats a new token may carry. Default:
// [DefaultMaxCaveats].
func WithMaxCaveats(n int) Option { return func(a *Authority) { a.confiner.maxCaveats = n } }

// WithMaxTemporaryTTL sets how far in the future the time caveat of a new
// temporary token may be. Default: [DefaultMaxTemporaryTTL].
func WithMaxTemporaryTTL(ttl time.Duration) Option { return func(a *Authority) { a.maxTTL = ttl } }

// WithObserver has the observer told of every event. Default: nobody is.
func WithObserver(o Observer) Option { return func(a *Authority) { a.observer = o } }

// WithVocabulary sets the language of caveats: that of Onezone, and the kinds
// that the application adds. What these compare with must be in the context of
// the verification. Default: the language of Onezone alone.
func WithVocabulary(v *caveat.Vocabulary) Option {
	return func(a *Authority) { a.confiner.vocabulary = v }
}

// WithDirectory sets who knows the holders of tokens. Default: the identities in
// the store.
func WithDirectory(d Directory) Option { return func(a *Authority) { a.directory = d } }

// WithSessions sets who knows sessions. Default: there are none, and tokens
// that are bound to one are refused.
func WithSessions(s Sessions) Option { return func(a *Authority) { a.sessions = s } }

// WithMemberships sets who knows the users of services. Default: users may use
// tokens with Onezone's worker alone.
func WithMemberships(m Memberships) Option { return func(a *Authority) { a.memberships = m } }

// WithInviters sets the Inviters that resolve the targets of invitations.
// Default: none, and every target is inviteTokenTargetIdInvalid.
func WithInviters(i Inviters) Option { return func(a *Authority) { a.inviters = i } }

// WithGroups sets who knows the members of groups. Default: group entries of
// consumer caveats match nobody.
func WithGroups(g caveat.GroupChecker) Option { return func(a *Authority) { a.groups = g } }

// WithGeo sets who knows where addresses come from. Default: asn, country and
// region caveats do not hold.
func WithGeo(g caveat.GeoResolver) Option { return func(a *Authority) { a.geo = g } }

// WithPasswordProfile sets how passwords are prepared when they are set and when
// they are tried, so that all Unicode forms of a password are the same one. The
// OpaqueString profile of RFC 8265 is a good choice: pass the String method of
// OpaqueString in golang.org/x/text/secure/precis. A password for which prepare
// returns an error or "" cannot be set.
//
// Passwords that were set before, without the profile, go on working: the
// password is tried as it came, too, where preparing it changes it. Its hash is
// then replaced by that of the prepared password. Default: passwords are taken
// as they are.
func WithPasswordProfile(prepare func(password string) (string, error)) Option {
	return func(a *Authority) { a.passwordProfile = prepare }
}

// DefaultPasswordIterations is what OWASP recommends for PBKDF2-HMAC-SHA512.
const DefaultPasswordIterations = 210_000

// WithPasswordIterations sets the cost of new password hashes, from 2,048 to
// 10,000,000 iterations. Hashes that cost less are replaced when their user logs
// in. Default: [DefaultPasswordIterations]; fewer are for tests.
func WithPasswordIterations(n int) Option { return func(a *Authority) { a.passwords.iterations = n } }

// NewAuthority returns an authority over the store, which stays the caller's to
// close. It does not look into the store: where that may hold records of package
// seal and has no seal in front, call [store.CheckSeal] before.
//
// Errors: badData {key "store"} without a store, badValueDomain for a domain that
// no token can carry, badData {key "clock"} or {key "random"} for a nil one,
// badValueTooLow for limits that are not positive, badValueNotInRange
// {key "passwordIterations"}.
func NewAuthority(s store.Store, options ...Option) (*Authority, error) {
	a := &Authority{
		store:     s,
		domain:    caveat.OnezoneID,
		clock:     time.Now,
		random:    rand.Reader,
		confiner:  confiner{maxCaveats: DefaultMaxCaveats},
		maxTTL:    DefaultMaxTemporaryTTL,
		logIns:    logInGuard{failures: DefaultFailures, interval: DefaultFailureInterval, known: newKnownAddresses()},
		passwords: newHasher(),
	}
	a.remembered.tokens, a.remembered.bytes = DefaultRecognizedTokens, DefaultRecognizedBytes
	for _, option := range options {
		if option != nil {
			option(a)
		}
	}
	switch {
	case s == nil:
		return nil, errors.BadDataHint("store", "an authority needs a store")
	case !isDomain(a.domain):
		return nil, errors.BadValueDomain()
	case a.clock == nil:
		return nil, errors.BadDataHint("clock", "an authority needs a clock")
	case a.random == nil:
		return nil, errors.BadDataHint("random", "an authority needs a source of randomness")
	case a.confiner.maxCaveats <= 0, a.limits.MaxCaveats < 0:
		return nil, errors.BadValueTooLow("maxCaveats", 1)
	case a.limits.MaxSize < 0:
		return nil, errors.BadValueTooLow("maxSize", 1)
	case a.confiner.maxSize < 0:
		return nil, errors.BadValueTooLow("maxIssuedSize", 1)
	case a.passwords.iterations < legacyIterations, a.passwords.iterations > maxIterations:
		return nil, errors.Make("badValueNotInRange",
			map[string]any{"key": "passwordIterations", "low": legacyIterations, "high": maxIterations})
	case a.maxTTL < time.Second:
		return nil, errors.BadValueTooLow("maxTemporaryTTL", 1)
	}
	var err error
	if a.quotas, err = a.quotas.withDefaults(); err != nil {
		return nil, err
	}
	a.logIns.own = newThrottle(a.logIns.failures, a.logIns.interval, a.clock)
	// What an authority issues, it also reads.
	a.confiner.maxSize = min(cmp.Or(a.confiner.maxSize, a.limits.maxSize()), a.limits.maxSize())
	a.limits.MaxCaveats = max(a.limits.maxCaveats(), a.confiner.maxCaveats)
	a.recognition = newRecognition(a.remembered.tokens, a.remembered.bytes)
	return a, nil
}

// MaxCaveats returns how many caveats a new token may carry.
func (a *Authority) MaxCaveats() int { return a.confiner.maxCaveats }

// Domain returns the domain that new tokens carry.
func (a *Authority) Domain() string { return a.domain }

// Now returns the time of the authority's clock.
func (a *Authority) Now() time.Time { return a.clock() }

// Vocabulary returns the language of caveats; nil is that of Onezone alone.
func (a *Authority) Vocabulary() *caveat.Vocabulary { return a.confiner.vocabulary }

// Parse reads the text of a token under the authority's limits, for inspection:
// nothing is verified. See [Limits.Parse].
func (a *Authority) Parse(text string) (Token, error) {
	c, err := a.decode(text)
	if err != nil {
		return Token{}, err
	}
	return *c.token, nil
}

// secretSize is the size of a secret in bytes, which is written in hexadecimal.
const secretSize = 32

func (a *Authority) draw(size int) (string, error) {
	b := make([]byte, size)
	if err := a.read(b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

func (a *Authority) read(b []byte) error {
	if _, err := io.ReadFull(a.random, b); err != nil {
		return fmt.Errorf("drawing random bytes: %w", err)
	}
	return nil
}

func (a *Authority) newSecret(ctx context.Context) (store.Secret, error) {
	if err := a.checkSeal(ctx); err != nil {
		return store.Secret{}, err
	}
	text, err := a.draw(secretSize)
	return store.NewSecret(text), err
}

// newID returns a random UUID in the form of Onezone's ids: hexadecimal digits
// without dashes.
func (a *Authority) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(a.random)
	if err != nil {
		return "", fmt.Errorf("drawing an id at random: %w", err)
	}
	return hex.EncodeToString(id[:]), nil
}
