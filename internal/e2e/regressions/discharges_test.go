//go:build e2e

package regressions

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
)

func verifyWith(t *testing.T, m general.Macaroon, discharges ...general.Macaroon) error {
	t.Helper()
	_, err := discharge.Verify(t.Context(), m, rootKey, caveat.Request{Vocabulary: newProbe(t).Vocabulary}, discharges...)
	return err
}

func thirdPartyCaveatsNeedDischarges(t *testing.T) {
	m := needing(t, newMacaroon(t, "album 7", rootKey), "user")
	_, err := m.Verify(t.Context(), rootKey, caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenInvalid)
	require.ErrorIs(t, verifyWith(t, m), errors.IDTokenInvalid)
	user := newMacaroon(t, "user", keyOf("user"))
	require.NoError(t, verifyWith(t, m, bind(t, m, user)...))
	nested := needing(t, user, "device")
	require.ErrorIs(t, verifyWith(t, m, bind(t, m, nested)...), errors.IDTokenInvalid)
}

func verificationIDsHaveOneSize(t *testing.T) {
	bare := newMacaroon(t, "album 7", rootKey)
	vid := needing(t, bare, "user").Caveats()[0].VerificationID
	user := newMacaroon(t, "user", keyOf("user"))
	verify := func(vid string) error {
		m, err := bare.AddThirdParty(general.Caveat{Text: "user", VerificationID: vid})
		require.NoError(t, err)
		return verifyWith(t, m, bind(t, m, user)...)
	}
	require.NoError(t, verify(vid))
	for size := 1; size < len(vid); size++ {
		require.ErrorIs(t, verify(vid[:size]), errors.IDTokenInvalid, "%d bytes", size)
	}
	for _, more := range []int{1, 32, 1000, 60_000} {
		require.ErrorIs(t, verify(vid+string(make([]byte, more))), errors.IDTokenInvalid, "%d more bytes", more)
	}
}

func dischargesHaveDistinctIdentifiers(t *testing.T) {
	m := needing(t, newMacaroon(t, "album 7", rootKey), "user")
	lax, strict := newMacaroon(t, "user", keyOf("user")), newMacaroon(t, "user", keyOf("user"), "user = bob")
	forged := newMacaroon(t, "user", keyOf("forger"))
	require.NoError(t, verifyWith(t, m, bind(t, m, lax)...))
	require.ErrorIs(t, verifyWith(t, m, bind(t, m, strict)...), errors.IDTokenCaveatUnverified)
	for name, discharges := range map[string][]general.Macaroon{
		"one with conditions": {lax, strict}, "in the other order": {strict, lax}, "one twice": {lax, lax}, "a forged one": {lax, forged},
		"a forged one first": {forged, lax}, "two forged ones": {forged, forged},
	} {
		require.ErrorIs(t, verifyWith(t, m, bind(t, m, discharges...)...), errors.IDTokenInvalid, name)
	}
	_, err := general.NewBundle(general.V2, m, lax, strict)
	require.ErrorIs(t, err, errors.IDBadToken)
}

func nestedDischargesAreBoundToTheToken(t *testing.T) {
	m := needing(t, newMacaroon(t, "album 7", rootKey), "user")
	user, device := needing(t, newMacaroon(t, "user", keyOf("user")), "device"), newMacaroon(t, "device", keyOf("device"))
	bound := bind(t, m, user, device)
	require.NoError(t, verifyWith(t, m, bound...))
	another := needing(t, newMacaroon(t, "album 8", rootKey), "user")
	for name, nested := range map[string]general.Macaroon{
		"to nothing": device, "to its discharge": bind(t, user, device)[0], "to its bound discharge": bind(t, bound[0], device)[0],
		"to another token": bind(t, another, device)[0],
	} {
		require.ErrorIs(t, verifyWith(t, m, bound[0], nested), errors.IDTokenInvalid, name)
	}
	require.ErrorIs(t, verifyWith(t, m, user, bound[1]), errors.IDTokenInvalid, "the outer one to nothing")
}
