package macaroon_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// With the vocabulary of an application, its caveats are minted, added and
// checked like those of Onezone.
func TestApplicationCaveatsAreFirstClass(t *testing.T) {
	t.Parallel()
	v, err := caveat.NewVocabulary(projectKind("42"))
	require.NoError(t, err)
	only42, err := v.New("project", "42")
	require.NoError(t, err)
	only43, err := v.New("project", "43")
	require.NoError(t, err)

	minted := mint(t, macaroon.Spec{Caveats: []caveat.Caveat{only42, caveat.REST}, Vocabulary: v})
	confined, err := mint(t, macaroon.Spec{}).ConfineIn(v, only42, caveat.REST)
	require.NoError(t, err)
	assert.Equal(t, minted.String(), confined.String())

	req := caveat.Request{Interface: caveat.REST, Vocabulary: v}
	_, err = confined.Verify(t.Context(), secret, req)
	require.NoError(t, err)
	other, err := confined.ConfineIn(v, only43)
	require.NoError(t, err)
	_, err = other.Verify(t.Context(), secret, req)
	requireID(t, errors.IDTokenCaveatUnverified, err)

	// Without the vocabulary the caveat is unknown.
	_, err = macaroon.Mint(macaroon.Spec{Domain: "onezone", ID: "id1", Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{only42}}, secret)
	requireID(t, errors.IDBadValueCaveat, err)
	for _, elsewhere := range []*caveat.Vocabulary{nil, {}} {
		_, err = minted.ConfineIn(elsewhere, only42)
		requireID(t, errors.IDBadValueCaveat, err)
	}
	_, err = macaroon.Token{}.ConfineIn(v, only42)
	requireID(t, errors.IDBadToken, err)
}

// A caveat that the verification ignores is checked only by CheckKind.
func TestApplicationCaveatsAreDecidedEarlyOrAtUse(t *testing.T) {
	t.Parallel()
	v, err := caveat.NewVocabulary(projectKind("42"))
	require.NoError(t, err)
	token := confineText(t, mint(t, macaroon.Spec{}), "project = 43")
	req := caveat.Request{Vocabulary: v}
	_, err = token.Verify(t.Context(), secret, req)
	requireID(t, errors.IDTokenCaveatUnverified, err)

	req.Ignored = []caveat.Type{"project"}
	auth, err := token.Verify(t.Context(), secret, req)
	require.NoError(t, err)
	err = auth.CheckKind(t.Context(), "project", caveat.Request{})
	requireID(t, errors.IDUnauthorized, err)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	require.Error(t, auth.CheckKind(t.Context(), "projct", caveat.Request{}))
	requireID(t, errors.IDUnauthorized, macaroon.Auth{}.CheckKind(t.Context(), "project", req))
}

// A misspelled caveat would make the token unusable.
func TestConfineTextRefusesATypo(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{})
	for _, text := range []string{"tiem < 5", "time <5", "interface = RST", "project = 42", "moon = full", "ip = 1.2.3.4/", "x"} {
		_, err := token.ConfineText("data.readonly", text)
		requireID(t, errors.IDBadValueCaveat, err)
		assert.Contains(t, err.Error(), "not a caveat of Onezone")
		forced, err := token.ConfineUnchecked("data.readonly", text)
		require.NoError(t, err)
		assert.Equal(t, []string{"data.readonly", text}, forced.Caveats())
	}
	// Known caveats are added unchanged.
	known, err := token.ConfineText("ip = 1.2.3.4", "data.path = L3M x")
	require.NoError(t, err)
	assert.Equal(t, []string{"ip = 1.2.3.4", "data.path = L3M x"}, known.Caveats())
}
