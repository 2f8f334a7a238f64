package general_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

const keyText = "the root key"

var key = store.NewSecret(keyText)

// samples are macaroons that show all features of the formats.
func samples(t testing.TB) map[string]general.Macaroon {
	t.Helper()
	made := map[string]general.Macaroon{}
	for name, fields := range map[string]struct {
		location, identifier string
		caveats              []string
	}{
		"bare":         {"https://photos.example.org", "album 7", nil},
		"no location":  {"", "album 7", []string{"a"}},
		"caveats":      {"photos", "id", []string{"time < 1700000000", "user = \"é\\\"", "a\nb"}},
		"binary":       {"photos", "\x00\xff\xfe", []string{"\xff", "\x00"}},
		"long":         {"photos", string(make([]byte, 70_000)), []string{string(make([]byte, 200))}},
		"an Onezone's": {"onezone", "2/nmd/usr-u1/act/id1", []string{"interface = rest"}},
	} {
		m, err := general.New(fields.location, fields.identifier, key)
		require.NoError(t, err)
		made[name], err = m.Confine(fields.caveats...)
		require.NoError(t, err)
	}
	theirs, err := macaroonv2.New([]byte(keyText), []byte("id"), "photos", macaroonv2.V2)
	require.NoError(t, err)
	require.NoError(t, theirs.AddFirstPartyCaveat([]byte("a")))
	require.NoError(t, theirs.AddThirdPartyCaveat([]byte("shared"), []byte("is a member"), "https://members.example.com"))
	require.NoError(t, theirs.AddThirdPartyCaveat([]byte("shared"), []byte("is located nowhere"), ""))
	require.NoError(t, theirs.AddFirstPartyCaveat([]byte("b")))
	made["third parties"] = fromLibrary(t, theirs)
	return made
}

// fromLibrary converts a macaroon of gopkg.in/macaroon.v2.
func fromLibrary(t testing.TB, m *macaroonv2.Macaroon) general.Macaroon {
	t.Helper()
	raw, err := m.MarshalBinary()
	require.NoError(t, err)
	read, err := general.Parse(base64Of(raw), general.V2)
	require.NoError(t, err)
	return read
}

// requireSame requires that two macaroons have the same content and signature.
func requireSame(t testing.TB, want, got general.Macaroon) {
	t.Helper()
	require.Equal(t, encode(t, want, general.V2), encode(t, got, general.V2))
}

func encode(t testing.TB, m general.Macaroon, format general.Format) string {
	t.Helper()
	text, err := m.Encode(format)
	require.NoError(t, err)
	return text
}

// requireProblem requires badToken with a reason.
func requireProblem(t testing.TB, reason string, err error) {
	t.Helper()
	require.ErrorIs(t, err, errors.IDBadToken)
	require.ErrorContains(t, err, reason)
}
