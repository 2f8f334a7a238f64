package macaroontest

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// Start is the initial time of every harness.
var Start = time.Date(2024, time.October, 1, 12, 0, 0, 0, time.UTC)

// Names and password of the users of every harness.
const (
	AliceName = "alice"
	BobName   = "bob"
	Password  = "correct horse battery"
)

// Harness is a token authority for one test.
type Harness struct {
	Authority *macaroon.Authority
	Store     *memory.Store
	Clock     *Clock
	Alice     caveat.Subject // the user "alice", id u-alice, with [Password]
	Bob       caveat.Subject // the user "bob", id u-bob, with [Password]
	Provider  caveat.Subject // a Oneprovider, id p-krakow

	tb    testing.TB
	mu    sync.Mutex
	names int
}

// New returns a harness whose authority has the given options. By default
// failed log-ins are not throttled, and passwords are hashed with the minimum
// number of iterations. If New or a method of the harness fails, the test
// fails.
func New(tb testing.TB, options ...macaroon.Option) *Harness {
	tb.Helper()
	h := &Harness{
		Store:    memory.New(),
		Clock:    &Clock{now: Start},
		Alice:    caveat.User("u-alice"),
		Bob:      caveat.User("u-bob"),
		Provider: caveat.Provider("p-krakow"),
		tb:       tb,
	}
	tb.Cleanup(func() { _ = h.Store.Close() })
	defaults := []macaroon.Option{
		macaroon.WithClock(h.Clock.Now), macaroon.WithRandom(newRandom(tb.Name())), macaroon.WithThrottle(0, 0),
		macaroon.WithPasswordIterations(2048),
	}
	var err error
	h.Authority, err = macaroon.NewAuthority(h.Store, append(defaults, options...)...)
	h.must(err)
	tb.Cleanup(func() { _ = h.Authority.Close(context.Background()) })
	h.addUser(h.Alice, AliceName, "Alice of Kraków")
	h.addUser(h.Bob, BobName, "Bob of Brno")
	h.must(h.Store.CreateIdentity(context.Background(), store.Identity{Subject: h.Provider, FullName: "Kraków"}))
	return h
}

func (h *Harness) must(err error) {
	h.tb.Helper()
	if err != nil {
		h.tb.Fatalf("macaroontest: %v", err)
	}
}

func (h *Harness) addUser(user caveat.Subject, username, fullName string) {
	h.tb.Helper()
	h.must(h.Store.CreateIdentity(context.Background(), store.Identity{
		Subject: user, Username: username, FullName: fullName, Password: quickHash(h.tb, username), Created: Start.Unix(),
	}))
}

var quickHashes sync.Map // results of quickHash, by salt

// quickHash returns a hash of [Password] in the form of old Onezones, which is
// a hundred times cheaper. Each hash is computed once in a process.
func quickHash(tb testing.TB, salt string) store.Secret {
	tb.Helper()
	if made, ok := quickHashes.Load(salt); ok {
		return made.(store.Secret)
	}
	full := fmt.Sprintf("%-32s", salt)
	hash, err := pbkdf2.Key(sha512.New, Password, []byte(full), 2048, 32)
	if err != nil {
		tb.Fatalf("macaroontest: %v", err)
	}
	made, _ := quickHashes.LoadOrStore(salt, store.NewSecret(full+"."+string(hash)))
	return made.(store.Secret)
}

// random is a source of bytes that are the same in every run.
type random struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func newRandom(seed string) *random {
	return &random{source: rand.NewChaCha8(sha256.Sum256([]byte(seed)))}
}

func (r *random) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Read(p)
}

// Token returns a named access token of Alice with the caveats, which need not
// be satisfiable.
func (h *Harness) Token(cs ...caveat.Caveat) macaroon.Token {
	h.tb.Helper()
	return h.TokenOf(h.Alice, macaroon.AccessToken(), cs...)
}

// TokenNamed returns an access token of Alice with the given name.
func (h *Harness) TokenNamed(name string, cs ...caveat.Caveat) macaroon.Token {
	h.tb.Helper()
	return h.issue(name, h.Alice, macaroon.AccessToken(), cs)
}

// TokenOf returns a named token of the subject. The names are "token 1",
// "token 2" and so on.
func (h *Harness) TokenOf(subject caveat.Subject, typ macaroon.Type, cs ...caveat.Caveat) macaroon.Token {
	h.tb.Helper()
	h.mu.Lock()
	h.names++
	name := fmt.Sprintf("token %d", h.names)
	h.mu.Unlock()
	return h.issue(name, subject, typ, cs)
}

func (h *Harness) issue(name string, subject caveat.Subject, typ macaroon.Type, cs []caveat.Caveat) macaroon.Token {
	h.tb.Helper()
	t, err := h.Authority.IssueNamed(context.Background(), name, macaroon.Grant{Subject: subject, Type: typ})
	h.must(err)
	// Confined offline, so that the subject need not be allowed to use the
	// services that the caveats name.
	t, err = t.ConfineIn(h.Authority.Vocabulary(), cs...)
	h.must(err)
	return t
}

// Temporary returns a temporary access token of Alice that is valid for an
// hour.
func (h *Harness) Temporary(cs ...caveat.Caveat) macaroon.Token {
	h.tb.Helper()
	cs = append([]caveat.Caveat{caveat.Until(h.Clock.Now().Add(time.Hour))}, cs...)
	t, err := h.Authority.Issue(context.Background(), macaroon.Grant{Subject: h.Alice, Type: macaroon.AccessToken(), Caveats: cs})
	h.must(err)
	return t
}

// Expired returns a token of Alice that expired a second ago.
func (h *Harness) Expired() macaroon.Token {
	h.tb.Helper()
	return h.Token(caveat.Until(h.Clock.Now().Add(-time.Second)))
}

// Revoked returns a revoked token of Alice.
func (h *Harness) Revoked() macaroon.Token {
	h.tb.Helper()
	t := h.Token()
	h.must(h.Authority.Revoke(context.Background(), t.ID()))
	return t
}

// Forged returns a token of Alice that is valid except for its signature.
func (h *Harness) Forged() macaroon.Token {
	h.tb.Helper()
	t := h.Token()
	forged, err := macaroon.Mint(macaroon.Spec{
		Domain: t.Domain(), ID: t.ID(), Subject: t.Subject(), Type: t.Type(),
	}, store.NewSecret(strings.Repeat("0", 64)))
	h.must(err)
	return forged
}

// WithUnknownCaveat returns a token of Alice with an unknown caveat.
func (h *Harness) WithUnknownCaveat() macaroon.Token {
	h.tb.Helper()
	t, err := h.Token().ConfineUnchecked("moon = full")
	h.must(err)
	return t
}

// Truncated returns the text of a token of Alice without its last 8 characters.
func (h *Harness) Truncated() string {
	h.tb.Helper()
	text := h.Token().String()
	return text[:len(text)-8]
}
