package general_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

func TestConfineAddsExactlyTheCaveatsOrFails(t *testing.T) {
	t.Parallel()
	theirs, err := macaroonv2.New([]byte(keyText), []byte("id"), "photos", macaroonv2.V2)
	require.NoError(t, err)
	ours, err := general.New("photos", "id", key)
	require.NoError(t, err)
	requireSame(t, fromLibrary(t, theirs), ours)
	before := encode(t, ours, general.V2)

	require.NoError(t, theirs.AddFirstPartyCaveat([]byte("a")))
	require.NoError(t, theirs.AddFirstPartyCaveat([]byte("b\xff")))
	confined, err := ours.Confine("a", "b\xff")
	require.NoError(t, err)
	requireSame(t, fromLibrary(t, theirs), confined)
	assert.Equal(t, before, encode(t, ours, general.V2), "the copy shares nothing")

	for want, add := range map[errors.ID][]string{
		errors.IDBadValueCaveat: {"c", ""}, errors.IDLimitReached: make([]string, macaroon.DefaultMaxCaveats-1),
	} {
		got, err := confined.Confine(add...)
		require.ErrorIs(t, err, want)
		assert.True(t, got.IsZero())
	}
	_, err = general.Macaroon{}.Confine("a")
	requireProblem(t, "it is empty", err)
	long, err := confined.Confine(strings.Repeat("x", macaroon.DefaultMaxSize))
	require.NoError(t, err)
	_, err = long.Encode(general.V2)
	require.ErrorIs(t, err, errors.IDTokenTooLarge)
}

// Two branches of a macaroon do not write into the same memory.
func TestCopiesAreIndependent(t *testing.T) {
	t.Parallel()
	m, err := samples(t)["caveats"].Confine("one more")
	require.NoError(t, err)
	first, err := m.Confine("first")
	require.NoError(t, err)
	_, err = m.Confine("second")
	require.NoError(t, err)
	caveats := first.Caveats()
	assert.Equal(t, "first", caveats[len(caveats)-1].Text)
	caveats[0].Text = "changed"
	assert.NotEqual(t, "changed", first.Caveats()[0].Text)
}

func TestVerifyChecksTheSignatureFirst(t *testing.T) {
	t.Parallel()
	m, err := general.New("photos", "id", key)
	require.NoError(t, err)
	m, err = m.Confine("time < 1700000000", "interface = rest")
	require.NoError(t, err)
	unknown, err := m.Confine("project = 42")
	require.NoError(t, err)
	forged, err := general.Parse(strings.Replace(encode(t, m, general.V2JSON), "1700000000", "1800000000", 1), general.V2JSON)
	require.NoError(t, err)
	disguised, err := general.Parse(strings.Replace(encode(t, m, general.V2JSON), `"i":"interface = rest"`, `"i":"interface = rest","v":"x"`, 1), general.V2JSON)
	require.NoError(t, err)
	require.True(t, disguised.Caveats()[1].IsThirdParty())
	now := func(at int64) caveat.Request {
		return caveat.Request{Now: time.Unix(at, 0), Interface: caveat.REST}
	}

	caveats, err := m.Verify(t.Context(), key, now(1699999999))
	require.NoError(t, err)
	assert.Equal(t, []string{"time < 1700000000", "interface = rest"}, caveats.Texts())
	for name, c := range map[string]struct {
		m    general.Macaroon
		key  store.Secret
		at   int64
		want errors.ID
	}{
		"expired":             {m, key, 1700000000, errors.IDTokenCaveatUnverified},
		"an unknown caveat":   {unknown, key, 1, errors.IDTokenCaveatUnknown},
		"another key":         {m, store.NewSecret("other"), 1, errors.IDTokenInvalid},
		"another key, failed": {m, store.NewSecret("other"), 1700000000, errors.IDTokenInvalid},
		"no key":              {m, store.Secret{}, 1, errors.IDTokenInvalid},
		"forged":              {forged, key, 1, errors.IDTokenInvalid},
		"disguised":           {disguised, key, 1, errors.IDTokenInvalid},
		"zero":                {general.Macaroon{}, key, 1, errors.IDTokenInvalid},
		"third parties":       {samples(t)["third parties"], key, 1, errors.IDTokenInvalid},
	} {
		caveats, err := c.m.Verify(t.Context(), c.key, now(c.at))
		require.ErrorIs(t, err, c.want, name)
		assert.Zero(t, caveats.Len(), name)
	}
	_, err = m.Verify(t.Context(), key, caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified, "what the request lacks fails closed")

	vocabulary, err := caveat.NewVocabulary(caveat.Kind{Name: "project", Satisfied: satisfied})
	require.NoError(t, err)
	request := now(1)
	request.Vocabulary = vocabulary
	_, err = unknown.Verify(t.Context(), key, request)
	require.NoError(t, err, "the vocabulary of an application counts")
}

func TestNewNeedsAnIdentifierAndAKey(t *testing.T) {
	t.Parallel()
	_, err := general.New("l", "", key)
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = general.New("l", "i", store.Secret{})
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
}

func TestNothingPrintsTheSignature(t *testing.T) {
	t.Parallel()
	m, err := general.New("photos", "id\x1b[2J", key)
	require.NoError(t, err)
	signature, err := json.Marshal(map[string]any{"m": fmt.Sprintf("%v %+v %#v %s %q %x %d", m, m, m, m, m, m, m)})
	require.NoError(t, err)
	for _, printed := range []string{
		string(signature), fmt.Sprint(struct{ m general.Macaroon }{m}), fmt.Sprintf("%+v", []general.Macaroon{m}), fmt.Sprintf("%#v", &m),
	} {
		theirs, err := macaroonv2.New([]byte(keyText), []byte("id\x1b[2J"), "photos", macaroonv2.V2)
		require.NoError(t, err)
		assert.NotContains(t, printed, hex.EncodeToString(theirs.Signature())[:16])
		assert.NotContains(t, printed, string(theirs.Signature()[:8]))
		assert.NotContains(t, printed, "\x1b")
	}
	assert.Equal(t, `[macaroon "id\x1b[2J"]`, fmt.Sprint(m))
	assert.Equal(t, "[no macaroon]", fmt.Sprint(general.Macaroon{}))
	_, err = json.Marshal(m)
	require.ErrorContains(t, err, "print it with Encode")
	requireProblem(t, "call Parse", json.Unmarshal([]byte(`"AgEB"`), &m))
}

func TestTheZeroMacaroonIsEmpty(t *testing.T) {
	t.Parallel()
	var m general.Macaroon
	assert.True(t, m.IsZero())
	assert.Empty(t, m.Location()+m.Identifier())
	assert.Empty(t, m.Caveats())
	assert.Zero(t, m.ReadAs())
	_, err := m.Encode(general.V2)
	requireProblem(t, "it is empty", err)
}

func satisfied(context.Context, string, *caveat.Request) (bool, error) { return true, nil }
