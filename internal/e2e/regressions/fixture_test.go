//go:build e2e

package regressions

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/store"
)

var rootKey = store.NewSecret("the root key")

// keyOf returns the root key of the discharge with the identifier.
func keyOf(identifier string) store.Secret { return store.NewSecret("key of " + identifier) }

// newMacaroon returns a macaroon with first-party caveats.
func newMacaroon(t *testing.T, identifier string, key store.Secret, texts ...string) general.Macaroon {
	t.Helper()
	m, err := general.New("https://photos.example.org", identifier, key)
	require.NoError(t, err)
	m, err = m.Confine(texts...)
	require.NoError(t, err)
	return m
}

// needing returns the macaroon with a third-party caveat for each identifier.
func needing(t *testing.T, m general.Macaroon, identifiers ...string) general.Macaroon {
	t.Helper()
	for _, id := range identifiers {
		var err error
		m, err = discharge.Add(m, discharge.Caveat{Location: "https://id.example.org", Identifier: id, Key: keyOf(id)})
		require.NoError(t, err)
	}
	return m
}

func bind(t *testing.T, m general.Macaroon, discharges ...general.Macaroon) []general.Macaroon {
	t.Helper()
	bound, err := discharge.Bind(m, discharges...)
	require.NoError(t, err)
	return bound
}

func encode(t *testing.T, m general.Macaroon, format general.Format) string {
	t.Helper()
	text, err := m.Encode(format)
	require.NoError(t, err)
	return text
}

// packet returns a packet of version 1.
func packet(key, value string) string {
	return fmt.Sprintf("%04x%s %s\n", 4+len(key)+1+len(value)+1, key, value)
}

func base64Of(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }

// requireBadToken requires that no reader accepts a text in the format.
func requireBadToken(t *testing.T, text string, format general.Format, name string) {
	t.Helper()
	m, err := general.Parse(text, format)
	require.ErrorIs(t, err, errors.IDBadToken, name)
	require.True(t, m.IsZero(), name)
	_, err = macaroon.Parse(text)
	require.Error(t, err, name)
}

// probe is a vocabulary with a kind of caveat, "user", that holds for alice, and
// counts how often it is asked.
type probe struct {
	*caveat.Vocabulary
	asked atomic.Int64
}

func newProbe(t *testing.T) *probe {
	t.Helper()
	p := new(probe)
	var err error
	p.Vocabulary, err = caveat.NewVocabulary(caveat.Kind{
		Name: "user",
		Satisfied: func(_ context.Context, value string, _ *caveat.Request) (bool, error) {
			p.asked.Add(1)
			return value == "alice", nil
		},
	})
	require.NoError(t, err)
	return p
}

// verifier verifies a text of version 1.
type verifier struct {
	name   string
	text   string // of a token without caveats that verifies
	verify func(text string) error
}

// verifiers returns everything that verifies signatures: of general macaroons,
// with discharges, and of an authority.
func verifiers(t *testing.T, vocabulary *caveat.Vocabulary) []verifier {
	t.Helper()
	h := macaroontest.New(t, macaroon.WithVocabulary(vocabulary))
	m, err := general.FromToken(h.Token())
	require.NoError(t, err)
	parse := func(text string) (general.Macaroon, error) { return general.Parse(text, general.V1) }
	req := caveat.Request{Now: macaroontest.Start, Vocabulary: vocabulary}
	bare := encode(t, newMacaroon(t, "album 7", rootKey), general.V1)
	keys := func(context.Context, general.Macaroon) (store.Secret, error) { return rootKey, nil }
	recognizing, err := general.NewVerifier(keys, general.Options{Formats: general.V1})
	require.NoError(t, err)
	return []verifier{
		{"general", bare, func(text string) error {
			m, err := parse(text)
			if err == nil {
				_, err = m.Verify(t.Context(), rootKey, req)
			}
			return err
		}},
		{"general.Verifier", bare, func(text string) error {
			_, _, err := recognizing.Verify(t.Context(), text, req)
			return err
		}},
		{"discharge", bare, func(text string) error {
			m, err := parse(text)
			if err == nil {
				_, err = discharge.Verify(t.Context(), m, rootKey, req)
			}
			return err
		}},
		{"authority", encode(t, m, general.V1), func(text string) error {
			_, err := h.Authority.VerifyAccess(t.Context(), text, req)
			return err
		}},
	}
}

// insert returns the text of version 1 with packets before its signature.
func insert(t *testing.T, text, packets string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	end := len(raw) - len(packet("signature", string(make([]byte, 32))))
	return base64Of(string(raw[:end]) + packets + string(raw[end:]))
}
