package general_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

func TestAThirdPartyCaveatIsAddedOrAnError(t *testing.T) {
	t.Parallel()
	m := samples(t)["caveats"]
	added := general.Caveat{Text: "id", VerificationID: "vid", Location: "there"}
	confined, err := m.AddThirdParty(added)
	require.NoError(t, err)
	assert.Equal(t, append(m.Caveats(), added), confined.Caveats())
	assert.NotEqual(t, m.Signature(), confined.Signature())
	assert.Zero(t, confined.ReadAs())

	// Additions to one macaroon do not share memory.
	other, err := confined.AddThirdParty(general.Caveat{Text: "one", VerificationID: "v"})
	require.NoError(t, err)
	_, err = confined.AddThirdParty(general.Caveat{Text: "two", VerificationID: "w"})
	require.NoError(t, err)
	assert.Equal(t, append(confined.Caveats(), general.Caveat{Text: "one", VerificationID: "v"}), other.Caveats())

	_, err = m.AddThirdParty(general.Caveat{VerificationID: "vid"})
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = m.AddThirdParty(general.Caveat{Text: "id"})
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = general.Macaroon{}.AddThirdParty(added)
	require.ErrorIs(t, err, errors.IDBadToken)
	full, err := m.Confine(room(m)...)
	require.NoError(t, err)
	_, err = full.AddThirdParty(added)
	require.ErrorIs(t, err, errors.IDLimitReached)
}

// room returns as many texts as the macaroon can still carry.
func room(m general.Macaroon) []string {
	texts := make([]string, macaroon.DefaultMaxCaveats-len(m.Caveats()))
	for i := range texts {
		texts[i] = "x"
	}
	return texts
}

// The signatures are those of gopkg.in/macaroon.v2.
func TestSignaturesOfThirdPartyCaveatsAndBoundDischarges(t *testing.T) {
	t.Parallel()
	theirs, err := macaroonv2.New([]byte("key"), []byte("id"), "here", macaroonv2.V2)
	require.NoError(t, err)
	require.NoError(t, theirs.AddThirdPartyCaveat([]byte("k"), []byte("third"), "there"))
	c := theirs.Caveats()[0]
	m, err := general.New("here", "id", store.NewSecret("key"))
	require.NoError(t, err)
	bare := m
	m, err = m.AddThirdParty(general.Caveat{Text: "third", VerificationID: string(c.VerificationId), Location: "there"})
	require.NoError(t, err)
	signature := m.Signature()
	assert.Equal(t, theirs.Signature(), signature[:])

	discharge, err := macaroonv2.New([]byte("key"), []byte("id"), "here", macaroonv2.V2)
	require.NoError(t, err)
	discharge.Bind(theirs.Signature())
	bound, err := bare.BindTo(m)
	require.NoError(t, err)
	signature = bound.Signature()
	assert.Equal(t, discharge.Signature(), signature[:])
	_, err = bare.BindTo(general.Macaroon{})
	require.ErrorIs(t, err, errors.IDBadToken)
	_, err = general.Macaroon{}.BindTo(m)
	require.ErrorIs(t, err, errors.IDBadToken)
	assert.Zero(t, general.Macaroon{}.Signature())
}
