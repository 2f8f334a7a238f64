package macaroon_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// Fixtures that most tests use.
var (
	alice    = caveat.User("u-alice")
	bob      = caveat.User("u-bob")
	provider = caveat.Provider("p-krakow")
	start    = time.Unix(1_600_000_000, 0)

	secret = store.NewSecret("5fae9847bfb530bae8c20128b462076fd69fc89bdd26759b81020f1dcc3fcd04")
)

// zone is an authority over a memory store, with Alice, Bob and a Oneprovider.
type zone struct {
	*macaroon.Authority
	store *memory.Store

	mu     sync.Mutex
	now    time.Time
	events []macaroon.Event
}

func (z *zone) clock() time.Time {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.now
}

func (z *zone) advance(d time.Duration) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.now = z.now.Add(d)
}

func (z *zone) observe(_ context.Context, e macaroon.Event) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.events = append(z.events, e)
}

func (z *zone) lastEvent(t *testing.T) macaroon.Event {
	t.Helper()
	z.mu.Lock()
	defer z.mu.Unlock()
	require.NotEmpty(t, z.events)
	return z.events[len(z.events)-1]
}

func newZone(t testing.TB, options ...macaroon.Option) *zone {
	t.Helper()
	z := &zone{store: memory.New(), now: start}
	for _, s := range []caveat.Subject{alice, bob, provider} {
		require.NoError(t, z.store.CreateIdentity(context.Background(), store.Identity{Subject: s}))
	}
	own := []macaroon.Option{macaroon.WithClock(z.clock), macaroon.WithObserver(z.observe)}
	var err error
	z.Authority, err = macaroon.NewAuthority(z.store, append(own, options...)...)
	require.NoError(t, err)
	return z
}

// named issues a named token of the subject.
func (z *zone) named(t testing.TB, s caveat.Subject, typ macaroon.Type, cs ...caveat.Caveat) macaroon.Token {
	t.Helper()
	z.mu.Lock()
	name := fmt.Sprintf("token %d", len(z.events))
	z.mu.Unlock()
	token, err := z.IssueNamed(context.Background(), name, macaroon.Grant{Subject: s, Type: typ})
	require.NoError(t, err)
	return confine(t, token, cs...)
}

func (z *zone) access(t testing.TB, cs ...caveat.Caveat) macaroon.Token {
	t.Helper()
	return z.named(t, alice, macaroon.AccessToken(), cs...)
}

// temporary issues a temporary token that is valid for an hour.
func (z *zone) temporary(t testing.TB, s caveat.Subject, typ macaroon.Type) macaroon.Token {
	t.Helper()
	token, err := z.Issue(context.Background(), macaroon.Grant{
		Subject: s, Type: typ, Caveats: []caveat.Caveat{caveat.Until(z.clock().Add(time.Hour))},
	})
	require.NoError(t, err)
	return token
}

// verify is VerifyAccess with an empty request.
func (z *zone) verify(token macaroon.Token) error {
	_, err := z.VerifyAccess(context.Background(), token.String(), caveat.Request{})
	return err
}

func (z *zone) block(t testing.TB, s caveat.Subject, blocked bool) {
	t.Helper()
	require.NoError(t, z.store.UpdateIdentity(context.Background(), s, func(i *store.Identity) error {
		i.Blocked = blocked
		return nil
	}))
}

func confine(t testing.TB, token macaroon.Token, cs ...caveat.Caveat) macaroon.Token {
	t.Helper()
	confined, err := token.Confine(cs...)
	require.NoError(t, err)
	return confined
}

func confineText(t testing.TB, token macaroon.Token, texts ...string) macaroon.Token {
	t.Helper()
	confined, err := token.ConfineUnchecked(texts...)
	require.NoError(t, err)
	return confined
}

func mint(t testing.TB, s macaroon.Spec) macaroon.Token {
	t.Helper()
	if s.Domain == "" {
		s.Domain = "onezone"
	}
	if s.ID == "" {
		s.ID = "id1"
	}
	if s.Subject.IsZero() {
		s.Subject = alice
	}
	if s.Type == (macaroon.Type{}) {
		s.Type = macaroon.AccessToken()
	}
	token, err := macaroon.Mint(s, secret)
	require.NoError(t, err)
	return token
}

// forged returns a copy of the token that is signed with another secret.
func forged(t testing.TB, token macaroon.Token) macaroon.Token {
	t.Helper()
	f, err := macaroon.Mint(macaroon.Spec{
		Version: token.Version(), Domain: token.Domain(), ID: token.ID(), Generation: token.Generation(),
		Subject: token.Subject(), Type: token.Type(),
	}, store.NewSecret("a guess"))
	require.NoError(t, err)
	return confineText(t, f, token.Caveats()...)
}

// parse parses the text of a token.
func parse(t testing.TB, text string) macaroon.Token {
	t.Helper()
	token, err := macaroon.Parse(text)
	require.NoError(t, err)
	return token
}

// Pieces of packets.

func packet(key, value string) string { return string(wire.AppendPacket(nil, key, value)) }

// packets returns a macaroon with the given identifier and caveats, and a
// signature of 32 letters.
func packets(identifier string, caveats ...string) string {
	b := packet("location", "onezone") + packet("identifier", identifier)
	for _, c := range caveats {
		b += packet("cid", c)
	}
	return b + packet("signature", strings.Repeat("s", 32))
}

// identifierText is a valid identifier.
const identifierText = "2/nmd/usr-u1/act/id1"

func parsePackets(raw string) (macaroon.Token, error) { return macaroon.Parse(wire.Encode(raw)) }

func plain64(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }

// requireID requires that the error itself, not only its cause, is the error of
// the catalogue.
func requireID(t testing.TB, id errors.ID, err error) {
	t.Helper()
	var e *errors.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, id, e.ID, "%v", err)
}

func mustAddr(text string) netip.Addr { return netip.MustParseAddr(text) }

// requireOperational requires an error that is not of the catalogue.
func requireOperational(t testing.TB, err error) {
	t.Helper()
	require.Error(t, err)
	var e *errors.Error
	require.False(t, errors.As(err, &e), "%v is in the catalogue", err)
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }
