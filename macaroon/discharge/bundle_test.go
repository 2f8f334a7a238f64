package discharge_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// onlyToken is the Keys of a service that has issued "token" and "other".
func onlyToken(_ context.Context, m general.Macaroon) (store.Secret, error) {
	switch m.Identifier() {
	case "token", "other":
		return rootKey, nil
	case "sealed":
		return store.NewSecret("\x00ozseal1 of somebody"), nil
	case "outage":
		return store.Secret{}, io.ErrUnexpectedEOF
	}
	return store.Secret{}, errors.NotFound()
}

func verifyBundle(t *testing.T, macaroons ...general.Macaroon) (texts [][]string, err error) {
	t.Helper()
	b, err := general.NewBundle(general.V2, macaroons...)
	require.NoError(t, err)
	header, err := b.Header("")
	require.NoError(t, err)
	b, err = general.ParseBundle(header, general.V2)
	require.NoError(t, err)
	lists, err := discharge.VerifyBundle(t.Context(), b, onlyToken, caveat.Request{Vocabulary: vocabulary})
	for _, list := range lists {
		texts = append(texts, list.Texts())
	}
	return texts, err
}

func TestABundleVerifiesAsASet(t *testing.T) {
	t.Parallel()
	token := needs(t, macaroonOf(t, "token", rootKey, "step = 1"), "a", "b")
	nested := dischargeOf(t, "a", "n")
	discharges := bind(t, token, nested, macaroonOf(t, "b", keyOf("b"), "step = 2"), macaroonOf(t, "n", keyOf("n"), "step = 3"))
	a, b, n := discharges[0], discharges[1], discharges[2]
	other := macaroonOf(t, "other", rootKey, "step = 4")
	for _, order := range [][]general.Macaroon{{token, a, b, n, other}, {n, token, b, a, other}} {
		texts, err := verifyBundle(t, order...)
		require.NoError(t, err)
		assert.Equal(t, [][]string{{"step = 1", "step = 3", "step = 2"}, {"step = 4"}}, texts)
	}

	otherNeeding := needs(t, other, "c")
	for name, c := range map[string]struct {
		macaroons []general.Macaroon
		want      error
	}{
		"a discharge is missing":             {[]general.Macaroon{token, a, b, other}, errors.IDTokenInvalid},
		"a discharge of another token":       {[]general.Macaroon{token, a, b, n, otherNeeding, bind(t, token, dischargeOf(t, "c"))[0]}, errors.IDTokenInvalid},
		"an unbound discharge":               {[]general.Macaroon{token, nested, b, n}, errors.IDTokenInvalid},
		"a discharge that nothing needs":     {[]general.Macaroon{token, a, b, n, bind(t, token, dischargeOf(t, "c"))[0]}, errors.IDTokenInvalid},
		"a forged token beside a good one":   {[]general.Macaroon{other, macaroonOf(t, "token", keyOf("forger"))}, errors.IDTokenInvalid},
		"a token with an unknown identifier": {[]general.Macaroon{other, macaroonOf(t, "mine", rootKey)}, errors.IDTokenInvalid},
		"a condition of the second token":    {[]general.Macaroon{other, macaroonOf(t, "token", rootKey, "step = bad")}, errors.IDTokenCaveatUnverified},
		"an unknown condition":               {[]general.Macaroon{other, macaroonOf(t, "token", rootKey, "moon = full")}, errors.IDTokenCaveatUnknown},
		"signatures first":                   {[]general.Macaroon{confined(t, other, "step = bad"), macaroonOf(t, "token", keyOf("forger"))}, errors.IDTokenInvalid},
		"an outage is no verdict":            {[]general.Macaroon{other, macaroonOf(t, "outage", rootKey)}, io.ErrUnexpectedEOF},
		"a sealed key":                       {[]general.Macaroon{macaroonOf(t, "sealed", rootKey)}, store.ErrSealed},
	} {
		texts, err := verifyBundle(t, c.macaroons...)
		require.ErrorIs(t, err, c.want, name)
		require.Empty(t, texts, name)
	}
	_, err := discharge.VerifyBundle(t.Context(), general.Bundle{}, onlyToken, caveat.Request{})
	require.ErrorIs(t, err, errors.IDBadToken, "nothing is not a valid set")
}
