package general_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// issuer keeps one root key, and counts how often it is looked up.
type issuer struct {
	key     store.Secret
	lookups atomic.Int64
}

func (i *issuer) keyOf(_ context.Context, m general.Macaroon) (store.Secret, error) {
	i.lookups.Add(1)
	switch m.Identifier() {
	case "outage":
		return store.Secret{}, io.ErrUnexpectedEOF
	case "sealed":
		return store.NewSecret("\x00ozseal1 of somebody"), nil
	case "unknown":
		return store.Secret{}, fmt.Errorf("find a key: %w", errors.NotFound())
	case "keyless":
		return store.Secret{}, nil
	}
	return i.key, nil
}

func newVerifier(t testing.TB) (*general.Verifier, *issuer) {
	t.Helper()
	i := &issuer{key: key}
	v, err := general.NewVerifier(i.keyOf, general.Options{Formats: general.Any})
	require.NoError(t, err)
	return v, i
}

func textOf(t testing.TB, identifier string, texts ...string) string {
	t.Helper()
	m, err := general.New("photos", identifier, key)
	require.NoError(t, err)
	m, err = m.Confine(texts...)
	require.NoError(t, err)
	return encode(t, m, general.V2)
}

// A verifier never answers otherwise than parsing and verifying does, however
// often it has seen the text.
func TestRecognitionChangesNoAnswerOfAVerifier(t *testing.T) {
	t.Parallel()
	v, i := newVerifier(t)
	vocabulary, err := caveat.NewVocabulary(caveat.Kind{
		Name: "user", Satisfied: func(_ context.Context, value string, _ *caveat.Request) (bool, error) { return value == "alice", nil },
	})
	require.NoError(t, err)
	texts := []string{"", "AAAA", textOf(t, "album 7"), textOf(t, "album 7")[:40], strings.Repeat("A", 20_000)}
	for _, caveats := range []string{"time < 1700000000", "user = alice", "user = bob", "moon = full", "ip = " + strings.Repeat("10.1.2.3|", 1000) + "10.1.2.3"} {
		texts = append(texts, textOf(t, "album 7", caveats))
	}
	for _, m := range samples(t) {
		texts = append(texts, encode(t, m, general.V2))
	}
	forged, err := general.New("photos", "album 7", store.NewSecret("another key"))
	require.NoError(t, err)
	texts = append(texts, encode(t, forged, general.V1))
	requests := []caveat.Request{
		{Now: time.Unix(1600000000, 0)}, {Now: time.Unix(1700000000, 0)}, {Now: time.Unix(1600000000, 0), Vocabulary: vocabulary}, {},
	}
	held := 0
	for range 4 {
		for _, text := range texts {
			for _, req := range requests {
				parsed, wantErr := general.Parse(text, general.Any)
				var want caveat.List
				if wantErr == nil {
					want, wantErr = parsed.Verify(t.Context(), i.key, req)
				}
				m, got, err := v.Verify(t.Context(), text, req)
				require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err))
				require.Equal(t, want.Texts(), got.Texts())
				require.Equal(t, err != nil, m.IsZero())
				if err == nil {
					requireSame(t, parsed, m)
					held++
				}
			}
		}
	}
	require.Greater(t, held, 20)
}

func TestAVerifierLooksUpTheKeyEachTime(t *testing.T) {
	t.Parallel()
	v, i := newVerifier(t)
	text := textOf(t, "album 7", "time < 1700000000")
	verify := func() error {
		_, _, err := v.Verify(t.Context(), text, caveat.Request{Now: time.Unix(1600000000, 0)})
		return err
	}
	for range 5 {
		require.NoError(t, verify())
	}
	require.EqualValues(t, 5, i.lookups.Load())
	i.key = store.NewSecret("another key")
	for range 3 {
		require.ErrorIs(t, verify(), errors.IDTokenInvalid)
	}
	i.key = store.NewSecret(keyText) // compared by content, not by address
	for range 3 {
		require.NoError(t, verify())
	}
}

func TestKeysOfAVerifier(t *testing.T) {
	t.Parallel()
	v, _ := newVerifier(t)
	for identifier, want := range map[string]error{
		"outage": io.ErrUnexpectedEOF, "sealed": store.ErrSealed, "unknown": errors.IDTokenInvalid, "keyless": errors.IDTokenInvalid,
	} {
		for range 3 {
			_, _, err := v.Verify(t.Context(), textOf(t, identifier), caveat.Request{})
			require.ErrorIs(t, err, want, identifier)
		}
	}
	_, err := general.NewVerifier(nil, general.Options{})
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	onlyV1, err := general.NewVerifier((&issuer{key: key}).keyOf, general.Options{Formats: general.V1})
	require.NoError(t, err)
	_, _, err = onlyV1.Verify(t.Context(), textOf(t, "album 7"), caveat.Request{})
	requireProblem(t, "only v1 is accepted", err)
}

func TestAVerifierPrintsNoText(t *testing.T) {
	t.Parallel()
	v, _ := newVerifier(t)
	text := textOf(t, "album 7")
	for range 3 {
		_, _, err := v.Verify(t.Context(), text, caveat.Request{})
		require.NoError(t, err)
	}
	printed := fmt.Sprintf("%v %+v %#v", v, v, v)
	assert.NotContains(t, printed, text)
	assert.NotContains(t, printed, keyText)
}

func TestAMacaroonSeenBeforeIsNotParsedAgain(t *testing.T) { // not parallel: it counts allocations
	v, _ := newVerifier(t)
	text := textOf(t, "album 7", "time < 1700000000", "interface = rest", "ip = 10.0.0.0/8")
	req := caveat.Request{Now: time.Unix(1600000000, 0), Interface: caveat.REST, IP: netip.MustParseAddr("10.1.2.3")}
	verify := func() {
		if _, _, err := v.Verify(context.Background(), text, req); err != nil {
			t.Error(err)
		}
	}
	verify()
	verify()
	require.LessOrEqual(t, testing.AllocsPerRun(100, verify), 1.0)
}
