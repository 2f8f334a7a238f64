package discharge_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
)

func TestKeysReadWhatTheyPrint(t *testing.T) {
	key := discharge.NewKey()
	again, err := discharge.ParsePrivateKey(key.Reveal())
	require.NoError(t, err)
	assert.Equal(t, key.Reveal(), again.Reveal())
	assert.Equal(t, key.Public(), again.Public())

	public, err := discharge.ParsePublicKey(key.Public().String())
	require.NoError(t, err)
	assert.Equal(t, key.Public(), public)

	text, err := json.Marshal(key.Public())
	require.NoError(t, err)
	var decoded discharge.PublicKey
	require.NoError(t, json.Unmarshal(text, &decoded))
	assert.Equal(t, key.Public(), decoded)

	assert.NotEqual(t, key.Public(), discharge.NewKey().Public())
}

// The pair is of RFC 7748, section 6.1.
func TestThePublicKeyIsThatOfCurve25519(t *testing.T) {
	key, err := discharge.ParsePrivateKey("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=")
	require.NoError(t, err)
	assert.Equal(t, "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=", key.Public().String())
}

func TestAPrivateKeyIsNeverPrinted(t *testing.T) {
	key := discharge.NewKey()
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb, key)
		fmt.Fprintf(&b, verb, &key)
		fmt.Fprintf(&b, verb, struct{ Key discharge.PrivateKey }{key})
	}
	data, err := json.Marshal(map[string]any{"key": key})
	require.NoError(t, err)
	b.Write(data)
	slog.New(slog.NewTextHandler(&b, nil)).Info("key", "key", key)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("key", "key", key)

	raw, err := base64.StdEncoding.DecodeString(key.Reveal())
	require.NoError(t, err)
	assert.Contains(t, b.String(), "[redacted]")
	assert.NotContains(t, b.String(), key.Reveal())
	assert.NotContains(t, b.String(), fmt.Sprintf("%x", raw))
	assert.NotContains(t, b.String(), strings.Trim(fmt.Sprint(raw), "[]"))
}

func TestKeysThatAreNone(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, text := range map[string]string{
		"empty":         "",
		"too short":     key[:40],
		"too long":      base64.StdEncoding.EncodeToString(make([]byte, 33)),
		"not base64":    strings.Repeat("!", 44),
		"a line break":  key[:20] + "\n" + key[20:],
		"trailing bits": key[:42] + "B=",
		"a space":       key + " ",
	} {
		_, err := discharge.ParsePrivateKey(text)
		require.ErrorIs(t, err, errors.IDBadData, name)
		_, err = discharge.ParsePublicKey(text)
		require.ErrorIs(t, err, errors.IDBadData, name)
	}
	var zero discharge.PublicKey
	_, err := zero.MarshalText()
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = zero.Caveat("somewhere", "a condition")
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	assert.True(t, discharge.PrivateKey{}.IsZero())
	assert.True(t, discharge.PrivateKey{}.Public().IsZero())
	_, _, err = discharge.PrivateKey{}.Open(identifierFor(t, discharge.NewKey(), "a condition"))
	require.ErrorIs(t, err, errors.IDBadData)
}

// With a point of low order, the shared key is the same for every private key, so
// everyone could read the conditions.
func TestPublicKeysOfLowOrderAreRefused(t *testing.T) {
	for _, hex := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		_, err := discharge.ParsePublicKey(base64.StdEncoding.EncodeToString(unhex(t, hex)))
		require.ErrorIs(t, err, errors.IDBadData)
		require.ErrorContains(t, err, "low order")
	}
}
