package discharge_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// tokenOf returns the text of a token that needs discharges with these
// identifiers, and as a macaroon.
func tokenOf(t *testing.T, token macaroon.Token, identifiers ...string) (text string, m general.Macaroon) {
	t.Helper()
	m, err := general.FromToken(token)
	require.NoError(t, err)
	m = needs(t, m, identifiers...)
	token, err = m.Token()
	require.NoError(t, err)
	return token.String(), m
}

// texts returns the texts of the discharges, bound to the macaroon.
func texts(t *testing.T, format general.Format, m general.Macaroon, discharges ...general.Macaroon) (texts []string) {
	t.Helper()
	for _, d := range bind(t, m, discharges...) {
		text, err := d.Encode(format)
		require.NoError(t, err)
		texts = append(texts, text)
	}
	return texts
}

func TestAnAuthorityVerifiesTokensWithDischarges(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithDischarges(discharge.Verifier{MaxDischarges: 2}))
	text, m := tokenOf(t, h.Token(caveat.REST), "a")
	until := h.Clock.Now().Add(time.Hour)
	a := macaroonOf(t, "a", keyOf("a"), caveat.Until(until).String())
	verify := func(discharges ...string) (macaroon.Auth, error) {
		return h.Authority.VerifyAccess(t.Context(), text, caveat.Request{Interface: caveat.REST, Discharges: discharges})
	}
	good := texts(t, general.Onezone, m, a)
	auth, err := verify(good...)
	require.NoError(t, err)
	assert.Equal(t, []caveat.Caveat{caveat.REST, caveat.Until(until)}, auth.Caveats())
	_, err = verify(texts(t, general.V1, m, a)...)
	require.NoError(t, err, "as in the parser of tokens")

	for name, discharges := range map[string][]string{
		"none": nil, "unbound": {encoded(t, a)}, "too many": append(texts(t, general.Onezone, m, dischargeOf(t, "b")), good...),
		"twice": append(good, good...), "another format": texts(t, general.V2, m, a), "no macaroon": {"x"}, "empty": {""},
		"wrong key": texts(t, general.Onezone, m, macaroonOf(t, "a", keyOf("b"))),
	} {
		_, err := verify(discharges...)
		require.ErrorIs(t, err, errors.IDTokenInvalid, name)
		require.NotErrorIs(t, err, errors.IDBadToken, name)
	}
	_, err = verify("x", "x", "x")
	require.ErrorIs(t, err, errors.IDLimitReached)
	h.Clock.Advance(2 * time.Hour)
	_, err = verify(good...)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
}

func encoded(t *testing.T, m general.Macaroon) string {
	t.Helper()
	text, err := m.Encode(general.Onezone)
	require.NoError(t, err)
	return text
}

func TestAnAuthorityAcceptsTheFormatsOfItsVerifier(t *testing.T) {
	t.Parallel()
	v := discharge.Verifier{Options: general.Options{Formats: general.V2, Limits: macaroon.Limits{MaxSize: 300}}}
	h := macaroontest.New(t, macaroon.WithDischarges(v))
	text, m := tokenOf(t, h.Token(), "a")
	verify := func(discharges []string) error {
		_, err := h.Authority.VerifyAccess(t.Context(), text, caveat.Request{Discharges: discharges})
		return err
	}
	require.NoError(t, verify(texts(t, general.V2, m, dischargeOf(t, "a"))))
	requireInvalid(t, verify(texts(t, general.Onezone, m, dischargeOf(t, "a"))))
	long := confined(t, dischargeOf(t, "a"), "step = "+string(make([]byte, 300)))
	requireInvalid(t, verify(texts(t, general.V2, m, long)))
}

// The header holds a list, as package http says that lists are sent.
func TestDischargesInAHeader(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithDischarges(discharge.Verifier{}))
	text, m := tokenOf(t, h.Token(), "a", "b")
	both := texts(t, general.Onezone, m, dischargeOf(t, "a"), dischargeOf(t, "b"))
	greet := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	status := func(options []rest.Option, header string, lines ...string) int {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Auth-Token", text)
		for _, line := range lines {
			r.Header.Add(header, line)
		}
		w := httptest.NewRecorder()
		rest.Authenticate(h.Authority, options...)(rest.RequireClient()(greet)).ServeHTTP(w, r)
		return w.Code
	}
	const header = "Macaroon-Discharges"
	with := []rest.Option{rest.WithDischarges("macaroon-discharges")}
	assert.Equal(t, http.StatusNoContent, status(with, header, both[0]+","+both[1]))
	assert.Equal(t, http.StatusNoContent, status(with, header, both[1]+" ,\t"+both[0]))
	assert.Equal(t, http.StatusNoContent, status(with, header, both[0], both[1]))
	for name, lines := range map[string][]string{
		"none": nil, "one of two": both[:1], "empty": {""}, "an empty one": {both[0], both[1], ""}, "a trailing comma": {both[0] + "," + both[1] + ","},
		"a long list": {both[0] + "," + both[1] + strings.Repeat(",", 2000)},
		"repeated":    {both[0], both[1], both[1]}, "another separator": {both[0] + ";" + both[1]},
	} {
		assert.Equal(t, http.StatusUnauthorized, status(with, header, lines...), name)
	}
	assert.Equal(t, http.StatusUnauthorized, status(with, "X-Discharges", both...))
	assert.Equal(t, http.StatusUnauthorized, status(nil, header, both...), "without the option")
}

// What the guide says a client does.
func TestAClientDischargesATokenOfAnOnezone(t *testing.T) {
	h := macaroontest.New(t, macaroon.WithDischarges(discharge.Verifier{}))
	s := serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) { return discharge.Grant(), nil })
	isAlice, err := dischargerKey.Public().Caveat(s.url, "the user is alice")
	require.NoError(t, err)
	m, err := general.FromToken(h.Token())
	require.NoError(t, err)
	m, err = discharge.Add(m, isAlice)
	require.NoError(t, err)
	token, err := m.Token()
	require.NoError(t, err)

	m, err = general.FromToken(token)
	require.NoError(t, err)
	discharges, err := clientOf(t, []string{s.url}).Discharge(t.Context(), m)
	require.NoError(t, err)
	var sent []string
	for _, d := range discharges {
		sent = append(sent, encoded(t, d))
	}
	_, err = h.Authority.VerifyAccess(t.Context(), token.String(), caveat.Request{Discharges: sent})
	require.NoError(t, err)
	_, err = h.Authority.VerifyAccess(t.Context(), token.String(), caveat.Request{})
	requireInvalid(t, err)
}
