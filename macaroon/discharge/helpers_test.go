package discharge_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

var rootKey = store.NewSecret("root key of the service")

// keyOf returns the key that the service shares with the discharger of an
// identifier.
func keyOf(identifier string) store.Secret { return store.NewSecret("key of " + identifier) }

// macaroonOf returns a macaroon with first-party caveats.
func macaroonOf(tb testing.TB, identifier string, key store.Secret, texts ...string) general.Macaroon {
	tb.Helper()
	m, err := general.New("somewhere", identifier, key)
	require.NoError(tb, err)
	m, err = m.Confine(texts...)
	require.NoError(tb, err)
	return m
}

// needs returns the macaroon with third-party caveats with these identifiers.
func needs(tb testing.TB, m general.Macaroon, identifiers ...string) general.Macaroon {
	tb.Helper()
	for _, identifier := range identifiers {
		var err error
		m, err = discharge.Add(m, discharge.Caveat{Location: "elsewhere", Identifier: identifier, Key: keyOf(identifier)})
		require.NoError(tb, err)
	}
	return m
}

// dischargeOf returns an unbound discharge, which needs further discharges.
func dischargeOf(tb testing.TB, identifier string, further ...string) general.Macaroon {
	tb.Helper()
	return needs(tb, macaroonOf(tb, identifier, keyOf(identifier)), further...)
}

func bind(tb testing.TB, m general.Macaroon, discharges ...general.Macaroon) []general.Macaroon {
	tb.Helper()
	bound, err := discharge.Bind(m, discharges...)
	require.NoError(tb, err)
	return bound
}

func verify(tb testing.TB, m general.Macaroon, discharges ...general.Macaroon) ([]string, error) {
	tb.Helper()
	caveats, err := discharge.Verify(tb.Context(), m, rootKey, caveat.Request{Vocabulary: vocabulary}, discharges...)
	return caveats.Texts(), err
}

func requireInvalid(tb testing.TB, err error) {
	tb.Helper()
	require.ErrorIs(tb, err, errors.IDTokenInvalid)
}

// vocabulary has a kind of caveat, "step", that holds unless its value is "bad".
var vocabulary = func() *caveat.Vocabulary {
	v, err := caveat.NewVocabulary(caveat.Kind{Name: "step", Satisfied: func(_ context.Context, value string, _ *caveat.Request) (bool, error) {
		return value != "bad", nil
	}})
	if err != nil {
		panic(err)
	}
	return v
}()
