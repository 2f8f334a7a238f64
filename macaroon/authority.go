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
	"github.com/onezone-go/onezone/macaroon/internal/recognition"
	"github.com/onezone-go/onezone/store"
)

// Authority issues, verifies and revokes tokens: a small Onezone over a store.
// It is safe for concurrent use. Authorities in several processes may share one
// store.
type Authority struct {
	store       store.Store
	domain      string
	clock       func() time.Time
	leeway      time.Duration // of time caveats
	random      io.Reader
	limits      Limits
	quotas      Quotas
	recognition recognizedTokens
	cacheLimits struct{ tokens, bytes int } // of recognition
	confiner    confiner
	maxTTL      time.Duration
	observer    Observer
	directory   Directory
	sessions    Sessions
	memberships Memberships
	inviters    Inviters
	groups      caveat.GroupChecker
	discharges  DischargeVerifier // nil: tokens with third-party caveats are rejected
	geo         caveat.GeoResolver
	inviteLocks keyedMutex // by token id: one consumption at a time
	logIns      logInGuard
	passwords   hasher
	alarms      alarms // of canaries

	lastUse         *LastUse     // nil: uses are not recorded
	uses            *useRecorder // nil without lastUse
	passwordProfile func(password string) (prepared string, err error)
	sealChecked     atomic.Int64 // Unix seconds of the last check that found the store unsealed; 0: not checked
}

// defaultMaxTemporaryTTL is the default of [WithMaxTemporaryTTL].
const defaultMaxTemporaryTTL = 7 * 24 * time.Hour

// Option configures an [Authority]; pass it to [NewAuthority].
type Option func(*Authority)

// WithDomain sets the Onezone domain written into new tokens. Default:
// "onezone".
func WithDomain(domain string) Option { return func(a *Authority) { a.domain = domain } }

// WithClock sets the function that returns the current time. Default:
// [time.Now].
func WithClock(now func() time.Time) Option { return func(a *Authority) { a.clock = now } }

// MaxLeeway is the highest leeway of [WithLeeway].
const MaxLeeway = 5 * time.Minute

// WithLeeway lets tokens verify for that time after a time caveat has ended. It
// is for verifiers whose clocks differ from those of the issuers; keep it as
// short as the difference. A request may set another one. Default: 0.
func WithLeeway(d time.Duration) Option { return func(a *Authority) { a.leeway = d } }

// WithRandom sets the source of randomness for secrets and ids, for tests: an
// attacker who can predict it can forge tokens. Default: crypto/rand.
func WithRandom(r io.Reader) Option { return func(a *Authority) { a.random = r } }

// WithLimits sets the limits for parsing tokens, as in [Limits.Parse]. New
// tokens respect the size limit too. The limit on caveats is raised to
// [WithMaxCaveats] if it is lower, so that the authority can parse every token
// it issues.
func WithLimits(l Limits) Option { return func(a *Authority) { a.limits = l } }

// WithMaxIssuedSize limits the text of issued and confined tokens, in
// characters. Beyond it the error is tokenTooLarge. Set it if a server in front
// limits the size of headers. The default and maximum is the size limit for
// parsing; see [WithLimits].
func WithMaxIssuedSize(characters int) Option {
	return func(a *Authority) { a.confiner.maxSize = characters }
}

// WithQuotas limits how much one subject can store. Default: the zero [Quotas].
func WithQuotas(q Quotas) Option { return func(a *Authority) { a.quotas = q } }

// WithRecognition sets the size of the recognition cache, in tokens and in
// bytes. The cache holds tokens whose signature has verified. When such a token
// is presented again, it is recognized by its text, and its signature and
// caveats are not decoded again. The record, the subject and the caveats are
// still checked against each request. Zero tokens disable the cache. Default:
// [DefaultRecognizedTokens], [DefaultRecognizedBytes].
func WithRecognition(tokens, bytes int) Option {
	return func(a *Authority) { a.cacheLimits.tokens, a.cacheLimits.bytes = tokens, bytes }
}

// WithMaxCaveats limits the caveats in a new token. Default:
// [DefaultMaxCaveats].
func WithMaxCaveats(n int) Option { return func(a *Authority) { a.confiner.maxCaveats = n } }

// WithMaxTemporaryTTL limits the lifetime of new temporary tokens. Default: 7
// days.
func WithMaxTemporaryTTL(ttl time.Duration) Option { return func(a *Authority) { a.maxTTL = ttl } }

// WithObserver sets the function that receives every event. Default: none.
func WithObserver(o Observer) Option { return func(a *Authority) { a.observer = o } }

// WithVocabulary sets the vocabulary of caveats: those of Onezone and the kinds
// that the application adds. The values that the application's caveats are
// compared with must be in the context of the verification. Default: only the
// caveats of Onezone.
func WithVocabulary(v *caveat.Vocabulary) Option {
	return func(a *Authority) { a.confiner.vocabulary = v }
}

// WithDirectory sets the Directory that resolves token holders. Default: the
// identities in the store.
func WithDirectory(d Directory) Option { return func(a *Authority) { a.directory = d } }

// WithSessions sets the Sessions that resolve session ids. Default: none, and
// tokens bound to a session are rejected.
func WithSessions(s Sessions) Option { return func(a *Authority) { a.sessions = s } }

// WithMemberships sets the Memberships that resolve the users of services.
// Default: users may use tokens only with Onezone's worker.
func WithMemberships(m Memberships) Option { return func(a *Authority) { a.memberships = m } }

// WithInviters sets the Inviters that decide who may invite to a target.
// Default: none, and every target is rejected with inviteTokenTargetIdInvalid.
func WithInviters(i Inviters) Option { return func(a *Authority) { a.inviters = i } }

// WithGroups sets the GroupChecker that resolves group members. Default: none,
// and group entries of consumer caveats match no client.
func WithGroups(g caveat.GroupChecker) Option { return func(a *Authority) { a.groups = g } }

// WithGeo sets the GeoResolver that locates IP addresses. Default: none, and
// asn, country and region caveats are not satisfied.
func WithGeo(g caveat.GeoResolver) Option { return func(a *Authority) { a.geo = g } }

// WithPasswordProfile sets a function that normalizes passwords before they are
// hashed. All Unicode forms of a password are then equivalent. The OpaqueString
// profile of RFC 8265 is a good choice: pass the String method of OpaqueString
// in golang.org/x/text/secure/precis. A password for which prepare returns an
// error or "" cannot be set.
//
// Passwords that were set without the profile remain valid. If preparing
// changes a password, LogIn also tries the unprepared one, and on success
// replaces its hash by that of the prepared password. Default: passwords are
// not normalized.
func WithPasswordProfile(prepare func(password string) (string, error)) Option {
	return func(a *Authority) { a.passwordProfile = prepare }
}

// defaultPasswordIterations is for PBKDF2-HMAC-SHA512.
const defaultPasswordIterations = 210_000

// WithPasswordIterations sets the cost of new password hashes, from 2,048 to
// 10,000,000 iterations. Hashes with fewer iterations are replaced when their
// user logs in. Set fewer than the default only in tests. Default:
// 210,000, which OWASP recommends.
func WithPasswordIterations(n int) Option { return func(a *Authority) { a.passwords.iterations = n } }

// NewAuthority returns an authority over the store. The caller remains
// responsible for closing the store. NewAuthority does not access the store: if
// the store might hold records sealed by package seal and is not wrapped by it,
// call [store.CheckSeal] first.
//
// Errors:
//   - badData {key "store"}, {key "clock"} or {key "random"} if that is nil;
//   - badData {key "leeway"} for one that is not between 0 and [MaxLeeway];
//   - badValueDomain for a domain that a token cannot carry;
//   - badValueTooLow for a limit that is not positive;
//   - badData {key "lastUse"} for an unknown kind of address;
//   - badValueNotInRange {key "passwordIterations"}.
func NewAuthority(s store.Store, options ...Option) (*Authority, error) {
	a := &Authority{
		store:     s,
		domain:    caveat.OnezoneID,
		clock:     time.Now,
		random:    rand.Reader,
		confiner:  confiner{maxCaveats: DefaultMaxCaveats},
		maxTTL:    defaultMaxTemporaryTTL,
		logIns:    logInGuard{failures: DefaultFailures, interval: defaultFailureInterval, known: newKnownAddresses()},
		passwords: newHasher(),
	}
	a.cacheLimits.tokens, a.cacheLimits.bytes = DefaultRecognizedTokens, DefaultRecognizedBytes
	for _, option := range options {
		if option != nil {
			option(a)
		}
	}
	switch {
	case s == nil:
		return nil, errors.BadDataHint("store", "the store of an authority must not be nil")
	case !isDomain(a.domain):
		return nil, errors.BadValueDomain()
	case a.clock == nil:
		return nil, errors.BadDataHint("clock", "the clock of an authority must not be nil: see WithClock")
	case a.leeway < 0, a.leeway > MaxLeeway:
		return nil, errors.BadDataHint("leeway", "the leeway must be between 0 and "+MaxLeeway.String())
	case a.random == nil:
		return nil, errors.BadDataHint("random", "the source of randomness must not be nil: see WithRandom")
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
	a.logIns.local = newThrottle(a.logIns.failures, a.logIns.interval, a.clock)
	// The authority must be able to parse every token that it issues.
	a.confiner.maxSize = min(cmp.Or(a.confiner.maxSize, a.limits.maxSize()), a.limits.maxSize())
	a.limits.MaxCaveats = max(a.limits.maxCaveats(), a.confiner.maxCaveats)
	a.recognition = recognizedTokens{recognition.New[recognized](a.cacheLimits.tokens, a.cacheLimits.bytes)}
	if a.uses, err = startUses(s, a.lastUse); err != nil {
		return nil, err
	}
	return a, nil
}

// MaxCaveats returns the limit on caveats in a new token.
func (a *Authority) MaxCaveats() int { return a.confiner.maxCaveats }

// Domain returns the Onezone domain written into new tokens.
func (a *Authority) Domain() string { return a.domain }

// Now returns the current time of the authority's clock.
func (a *Authority) Now() time.Time { return a.clock() }

// Vocabulary returns the vocabulary of caveats; nil means only those of
// Onezone.
func (a *Authority) Vocabulary() *caveat.Vocabulary { return a.confiner.vocabulary }

// Parse parses the text of a token under the authority's limits, for
// inspection. It verifies nothing. See [Limits.Parse].
func (a *Authority) Parse(text string) (Token, error) {
	c, err := a.decode(text)
	if err != nil {
		return Token{}, err
	}
	return *c.token, nil
}

// secretSize is the size of a secret in bytes, before it is hex-encoded.
const secretSize = 32

// randomHex returns size random bytes in hexadecimal.
func (a *Authority) randomHex(size int) (string, error) {
	b := make([]byte, size)
	if err := a.readRandom(b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

func (a *Authority) readRandom(b []byte) error {
	if _, err := io.ReadFull(a.random, b); err != nil {
		return fmt.Errorf("reading random bytes: %w", err)
	}
	return nil
}

func (a *Authority) newSecret(ctx context.Context) (store.Secret, error) {
	if err := a.checkSeal(ctx); err != nil {
		return store.Secret{}, err
	}
	text, err := a.randomHex(secretSize)
	return store.NewSecret(text), err
}

// newID returns a random UUID in the form of Onezone's ids: 32 hexadecimal
// digits without dashes.
func (a *Authority) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(a.random)
	if err != nil {
		return "", fmt.Errorf("generating a random id: %w", err)
	}
	return hex.EncodeToString(id[:]), nil
}
