package macaroon_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

func TestTokensTravelInOtherFormats(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{Caveats: holding})
	m, err := token.Macaroon()
	require.NoError(t, err)
	for name, travel := range map[string]func() *macaroonv2.Macaroon{
		"as it is": func() *macaroonv2.Macaroon { return m },
		"JSON": func() *macaroonv2.Macaroon {
			data, err := json.Marshal(m)
			require.NoError(t, err)
			var back macaroonv2.Macaroon
			require.NoError(t, json.Unmarshal(data, &back))
			return &back
		},
		"made there, in its format 2": func() *macaroonv2.Macaroon {
			made, err := macaroonv2.New([]byte(secret.Reveal()), []byte(identifierOf(t, token)), "onezone", macaroonv2.V2)
			require.NoError(t, err)
			for _, c := range token.Caveats() {
				require.NoError(t, made.AddFirstPartyCaveat([]byte(c)))
			}
			data, err := made.MarshalBinary()
			require.NoError(t, err)
			var back macaroonv2.Macaroon
			require.NoError(t, back.UnmarshalBinary(data))
			return &back
		},
	} {
		back, err := macaroon.FromMacaroon(travel())
		require.NoError(t, err, name)
		assert.Equal(t, token.String(), back.String(), name)
		_, err = back.Verify(t.Context(), secret, everything())
		require.NoError(t, err, name)
	}
}

func identifierOf(t *testing.T, token macaroon.Token) string {
	t.Helper()
	m, err := token.Macaroon()
	require.NoError(t, err)
	return string(m.Id())
}

func TestMacaroonsThatAreNoTokens(t *testing.T) {
	t.Parallel()
	_, err := macaroon.FromMacaroon(nil)
	requireID(t, errors.IDBadToken, err)
	_, err = macaroon.FromMacaroon(&macaroonv2.Macaroon{})
	requireID(t, errors.IDBadToken, err)
	for id, location := range map[string]string{"2/nmd/grp-g/act/x": "onezone", "": "onezone", "id": ""} {
		m, err := macaroonv2.New([]byte("s"), []byte(id), location, macaroonv2.V2)
		require.NoError(t, err)
		_, err = macaroon.FromMacaroon(m)
		requireID(t, errors.IDBadToken, err)
	}
	m, err := macaroonv2.New([]byte("s"), []byte("id"), "onezone", macaroonv2.V2)
	require.NoError(t, err)
	for range 16 {
		require.NoError(t, m.AddFirstPartyCaveat([]byte(strings.Repeat("x", 60_000))))
	}
	_, err = macaroon.FromMacaroon(m)
	requireID(t, errors.IDTokenTooLarge, err)
	require.NoError(t, m.AddFirstPartyCaveat([]byte(strings.Repeat("x", 70_000))))
	_, err = macaroon.FromMacaroon(m)
	requireID(t, errors.IDBadToken, err)
}
