package macaroon_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
	"github.com/onezone-go/onezone/store"
)

// The tests of the laws in SECURITY.md, in the same order.

func TestLaw01SignatureFirst(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	v, err := caveat.NewVocabulary(caveat.Kind{
		Name:     "spy",
		Validate: func(string) error { asked.Add(1); return nil },
		Satisfied: func(context.Context, string, *caveat.Request) (bool, error) {
			asked.Add(1)
			return false, nil
		},
	})
	require.NoError(t, err)
	z := newZone(t, macaroon.WithVocabulary(v))
	token := confineText(t, z.access(t), "spy = 1")
	for _, bad := range []macaroon.Token{forged(t, token), forged(t, confine(t, token, caveat.Until(start)))} {
		requireID(t, errors.IDTokenInvalid, z.verify(bad))
		_, err = bad.Verify(t.Context(), secret, caveat.Request{Vocabulary: v})
		requireID(t, errors.IDTokenInvalid, err)
	}
	// The signatures of discharges are checked before, too.
	discharges := &discharger{err: errors.TokenInvalid()}
	other := newZone(t, macaroon.WithVocabulary(v), macaroon.WithDischarges(discharges))
	requireID(t, errors.IDTokenInvalid, other.verify(withThirdParty(t, confineText(t, other.access(t), "spy = 1"))))
	assert.Len(t, discharges.calls, 1)
	assert.Zero(t, asked.Load(), "a caveat was interpreted before the signature was checked")

	// The record of another token does not change the result either.
	require.NoError(t, z.Revoke(t.Context(), token.ID()))
	requireID(t, errors.IDTokenInvalid, z.verify(forged(t, token)))
	z.block(t, alice, true)
	requireID(t, errors.IDTokenInvalid, z.verify(forged(t, token)))
	requireID(t, errors.IDTokenRevoked, z.verify(token))
}

func TestLaw02BytesAsReceivedAreWhatIsSigned(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	// Texts that are not in canonical form, and different texts with the same
	// meaning.
	for _, text := range []string{"ip = 1.2.3.4", "api = ozw/get/user.*.*|all/all/*.*.*:*", "data.path = L3Mx|L3M x", "time < 99999999999"} {
		token := confineText(t, z.access(t), text)
		read := parse(t, token.String())
		assert.Equal(t, []string{text}, read.Caveats())
		req := everywhere("1.2.3.4")
		req.DataAccess = true
		_, err := z.VerifyAccess(t.Context(), read.String(), req)
		require.NoError(t, err, text)
		if canonical := caveat.MustParse(text).String(); canonical != text {
			rewritten := strings.Replace(rawOf(t, token.String()), packet("cid", text), packet("cid", canonical), 1)
			other, err := parsePackets(rewritten)
			require.NoError(t, err)
			_, err = z.VerifyAccess(t.Context(), other.String(), req)
			requireID(t, errors.IDTokenInvalid, err)
		}
	}
}

func TestLaw03UnknownFailsClosed(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for _, text := range []string{
		"moon = full", "consumer = grp-g1", "asn = 1", "geo.country = PL", "geo.country != PL", "geo.region != EU", "ip = 0.0.0.0/0",
		"interface = rest", "consumer = usr-*", "consumer = nobody", "service = opw-*", "data.readonly", "authorization = none",
	} {
		requireID(t, idOf(text), z.verify(confineText(t, z.access(t), text)))
	}
	// Caveats that a type does not support are rejected even if they are
	// satisfied.
	_, err := z.VerifyIdentity(t.Context(), confineText(t, z.named(t, provider, macaroon.IdentityToken()), "api = all/all/*.*.*:*").String(), everything())
	requireID(t, errors.IDTokenCaveatUnverified, err)
	// Sessions, services and invitations, without interfaces that resolve them.
	requireID(t, errors.IDTokenServiceForbidden, func() error {
		_, err := z.VerifyAccess(t.Context(), z.access(t).String(), caveat.Request{Service: caveat.Service{Type: caveat.OpWorker, ID: "p"}})
		return err
	}())
	_, err = z.IssueNamed(t.Context(), "session", macaroon.Grant{Subject: alice, Type: macaroon.SessionToken("s")})
	requireID(t, errors.IDTokenSessionInvalid, err)
	_, err = z.IssueNamed(t.Context(), "invite", macaroon.Grant{Subject: alice, Type: macaroon.InviteToken(macaroon.SupportSpace, "s")})
	requireID(t, errors.IDInviteTokenTargetIDInvalid, err)
	// No clock.
	_, err = mint(t, macaroon.Spec{Caveats: []caveat.Caveat{caveat.Time{ValidUntil: 1<<63 - 1}}}).Verify(t.Context(), secret, caveat.Request{})
	requireID(t, errors.IDTokenCaveatUnverified, err)
}

func idOf(text string) errors.ID {
	if _, err := caveat.Parse(text); err != nil {
		return errors.IDTokenCaveatUnknown
	}
	return errors.IDTokenCaveatUnverified
}

func TestLaw04DecodingIsStrictAndCanonical(t *testing.T) {
	t.Parallel()
	// Ids of three lengths leave 0, 2 and 4 spare bits at the end of the text.
	for _, id := range []string{"id", "id1", "id12"} {
		token := mint(t, macaroon.Spec{ID: id, Caveats: []caveat.Caveat{caveat.REST}})
		text := token.String()
		raw := rawOf(t, text)
		assert.Equal(t, text, parse(t, text).String())
		refused := func(other string) {
			t.Helper()
			if read, err := macaroon.Parse(other); err == nil && other != text {
				assert.NotEqual(t, raw, rawOf(t, read.String()), "%q is a second spelling of the token", other)
			}
		}
		// Every change of one character is rejected or gives another token.
		for i := range len(text) {
			for _, c := range []byte("0A-_=+/ \n\x00") {
				refused(text[:i] + string(c) + text[i+1:])
				refused(text[:i] + string(c) + text[i:])
				refused(text[:i] + text[i+1:])
			}
		}
		plain := plain64(raw)
		for c := range 256 {
			refused(text[:len(text)-1] + string([]byte{byte(c)}))
			refused(text + string([]byte{byte(c)}))
			if other := plain[:len(plain)-1] + string([]byte{byte(c)}); other != plain {
				refused(other)
			}
			refused(strings.Replace(plain, "Y2F0", "Y2F0"+string([]byte{byte(c)}), 1))
		}
		// Packets are canonical too.
		location, signature := packet("location", "onezone"), raw[len(wire.Unsigned(raw)):]
		for _, other := range []string{
			raw + "\n", raw + signature, "0000" + raw, strings.Replace(raw, location, location+location, 1),
			strings.Replace(raw, location, "", 1), strings.Replace(raw, location, "", 1) + location, raw[:len(raw)-1],
			strings.Replace(raw, "002fsignature", "002Fsignature", 1), strings.Replace(raw, "002fsignature", "+02fsignature", 1),
			wire.Unsigned(raw) + packet("cid", "") + signature, wire.Unsigned(raw) + packet("signature", "short"), wire.Unsigned(raw),
		} {
			_, err := parsePackets(other)
			requireID(t, errors.IDBadToken, err)
		}
	}
}

func TestLaw05EveryParserHasALimit(t *testing.T) {
	t.Parallel()
	_, err := macaroon.Parse(strings.Repeat("A", macaroon.DefaultMaxSize+1))
	requireID(t, errors.IDTokenTooLarge, err)
	_, err = parsePackets(packets(identifierText, make10000()...))
	requireID(t, errors.IDBadToken, err)
	_, err = caveat.Parse("asn = 1" + strings.Repeat("|1", caveat.DefaultMaxEntries))
	requireID(t, errors.IDTokenCaveatUnknown, err)
	_, err = caveat.FromJSON([]byte(`{"type":"asn","whitelist":[1` + strings.Repeat(",1", caveat.DefaultMaxEntries) + `]}`))
	requireID(t, errors.IDBadValueCaveat, err)
	_, err = mint(t, macaroon.Spec{}).Confine(make256(macaroon.DefaultMaxCaveats + 1)...)
	requireID(t, errors.IDLimitReached, err)
}

func make10000() []string {
	texts := make([]string, 10_000)
	for i := range texts {
		texts[i] = "time < 5"
	}
	return texts
}

func TestLaw06TextIsNotAnIdentity(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	spellings := func(token macaroon.Token) []string {
		raw := rawOf(t, token.String())
		indicated, err := token.IndicatedBy(caveat.OpWorker)
		require.NoError(t, err)
		moved := strings.Replace(raw, packet("location", "onezone"), packet("location", "elsewhere"), 1)
		return []string{token.String(), indicated, plain64(raw), wire.Encode(moved)}
	}
	// Each copy is revoked with another form of its text, and all forms of the
	// text are then rejected.
	for i := range spellings(token) {
		texts := spellings(confine(t, token, caveat.Until(start.Add(time.Duration(i+1)*time.Hour))))
		for _, text := range texts {
			require.NoError(t, z.verify(parse(t, text)))
		}
		require.NoError(t, z.RevokeConfined(t.Context(), parse(t, texts[i])))
		for _, text := range texts {
			requireID(t, errors.IDTokenRevoked, z.verify(parse(t, text)))
		}
	}
	require.NoError(t, z.Revoke(t.Context(), token.ID()))
	for _, text := range spellings(token) {
		requireID(t, errors.IDTokenRevoked, z.verify(parse(t, text)))
	}
}

func TestLaw07TheUnsignedIsAHint(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	raw := rawOf(t, z.access(t).String())
	moved, err := parsePackets(strings.Replace(raw, packet("location", "onezone"), packet("location", "evil.example"), 1))
	require.NoError(t, err)
	auth, err := z.VerifyAccess(t.Context(), moved.String(), caveat.Request{})
	require.NoError(t, err)
	assert.Equal(t, alice, auth.Subject)

	// The prefix of a service does not make a user's token that of a service.
	text, err := z.access(t).IndicatedBy(caveat.OpPanel)
	require.NoError(t, err)
	auth, err = z.VerifyAccess(t.Context(), text, caveat.Request{})
	require.NoError(t, err)
	assert.Zero(t, auth.Service)
	text, err = z.named(t, alice, macaroon.IdentityToken()).IndicatedBy(caveat.OpPanel)
	require.NoError(t, err)
	_, err = z.VerifyService(t.Context(), text, caveat.Request{})
	requireID(t, errors.IDBadServiceToken, err)
	// It does not satisfy a service caveat either.
	limited := z.named(t, provider, macaroon.AccessToken(), caveat.MustParse("service = opp-p-krakow"))
	text, err = limited.IndicatedBy(caveat.OpPanel)
	require.NoError(t, err)
	requireID(t, errors.IDTokenCaveatUnverified, z.verify(parse(t, text)))
}

func TestLaw08SecretsDoNotLeak(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	record, err := z.store.GetToken(t.Context(), token.ID())
	require.NoError(t, err)
	hidden := []string{
		token.String(), token.String()[:40], string(token.Signature()), fmt.Sprintf("%x", token.Signature()),
		record.Secret.Reveal(),
	}
	type wrapper struct {
		Token macaroon.Token
		inner macaroon.Token
		Key   store.Secret
		inKey store.Secret
	}
	named, err := z.Get(t.Context(), token.ID())
	require.NoError(t, err)
	confined, err := token.Confine(caveat.Until(start.Add(time.Hour)))
	require.NoError(t, err)
	hidden = append(hidden, confined.String(), string(confined.Signature()), fmt.Sprintf("%x", confined.Signature()))
	auth, err := z.VerifyAccess(t.Context(), confined.String(), caveat.Request{})
	require.NoError(t, err)
	values := []any{
		auth, &auth, token, &token, wrapper{token, token, record.Secret, record.Secret}, []macaroon.Token{token}, map[string]any{"t": token},
		named, record, macaroon.Credential{Token: token},
	}
	var out bytes.Buffer
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10.3v"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("event", "value", v)
		}
	}
	out.WriteString(token.Inspect())
	out.WriteString(toJSON(t, token))
	out.WriteString(toJSON(t, record))
	for _, err := range []error{
		z.verify(forged(t, token)), z.Update(t.Context(), token.ID(), macaroon.Change{Name: new("")}),
		func() error { _, err := macaroon.Parse(token.String() + "?"); return err }(),
		func() error { _, err := macaroon.Mint(macaroon.Spec{}, record.Secret); return err }(),
	} {
		fmt.Fprintf(&out, "%+v\n", err)
	}
	for _, h := range hidden {
		assert.NotContains(t, out.String(), h)
	}

	// An empty secret cannot sign.
	for _, empty := range []store.Secret{{}, store.NewSecret("")} {
		_, err = macaroon.Mint(macaroon.Spec{Domain: "d", ID: "i", Subject: alice, Type: macaroon.AccessToken()}, empty)
		requireID(t, errors.IDBadValueEmpty, err)
		_, err = token.Verify(t.Context(), empty, caveat.Request{})
		requireID(t, errors.IDTokenInvalid, err)
	}
}

func TestLaw09AttenuationNeverFailsSilently(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{})
	for _, c := range []caveat.Caveat{
		caveat.Until(start), caveat.MustParse("ip = 1.2.3.4"), caveat.ASN{1, 2}, caveat.Country{Filter: caveat.Blacklist, List: []string{"PL"}},
		caveat.Services{{Type: caveat.OpWorker, ID: "*"}}, caveat.Consumers{alice}, caveat.DataPath{"/s/ż |x"}, caveat.REST,
	} {
		confined, err := token.Confine(c)
		require.NoError(t, err)
		require.Equal(t, []string{c.String()}, confined.Caveats())
		read, err := caveat.Parse(parse(t, confined.String()).Caveats()[0])
		require.NoError(t, err)
		assert.Equal(t, c, read)
	}
	for _, c := range []caveat.Caveat{
		nil, caveat.Consumers{caveat.User("a|usr-b")}, caveat.Services{}, caveat.Country{List: []string{"PL"}},
		caveat.DataPath{"/s/../t"}, caveat.Interface(9), caveat.Time{ValidUntil: -1}, caveat.DataPath{"/s/" + strings.Repeat("x", 70_000)},
	} {
		confined, err := token.Confine(caveat.REST, c)
		require.Error(t, err, "%v", c)
		assert.True(t, confined.IsZero())
	}
}

func TestLaw10NothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	ctx := context.Background()
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{UsageLimit: 10})
	copies := make([]macaroon.Token, 8)
	for i := range copies {
		copies[i] = confineText(t, token, fmt.Sprintf("time < %d", 1_700_000_000+i))
	}
	var wg sync.WaitGroup
	var used atomic.Int64
	for i := range copies {
		wg.Go(func() { assert.NoError(t, z.RevokeConfined(ctx, copies[i])) })
		wg.Go(func() {
			for range 5 {
				err := z.Consume(ctx, token.String(), 0, caveat.Request{Consumer: bob}, func(context.Context, macaroon.Invitation) error {
					used.Add(1)
					return nil
				})
				assert.True(t, err == nil || errors.Is(err, errors.IDInviteTokenUsageLimitReached), "%v", err)
			}
		})
		wg.Go(func() {
			assert.NoError(t, z.Update(ctx, token.ID(), macaroon.Change{Name: new(fmt.Sprintf("name %d", i))}))
		})
		wg.Go(func() { assert.NoError(t, z.RevokeTemporary(ctx, alice)) })
	}
	wg.Wait()
	assert.EqualValues(t, 10, used.Load())
	for _, c := range copies {
		_, err := z.VerifyInvite(ctx, c.String(), 0, caveat.Request{})
		requireID(t, errors.IDTokenRevoked, err)
	}
	generation, err := z.TemporaryGeneration(ctx, alice)
	require.NoError(t, err)
	assert.EqualValues(t, len(copies), generation)
}
