package discharge_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/box"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
)

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	raw, err := hex.DecodeString(text)
	require.NoError(tb, err)
	return raw
}

func identifierFor(tb testing.TB, key discharge.PrivateKey, condition string) string {
	tb.Helper()
	c, err := key.Public().Caveat("https://id.example.org", condition)
	require.NoError(tb, err)
	return c.Identifier
}

// sealed returns an identifier with any encrypted part.
func sealed(tb testing.TB, key discharge.PrivateKey, version byte, secret []byte) string {
	tb.Helper()
	public, err := base64.StdEncoding.DecodeString(key.Public().String())
	require.NoError(tb, err)
	sender, private := keyPair(tb)
	nonce := [24]byte{1, 2, 3}
	head := slices.Concat([]byte{version}, public[:4], sender[:], nonce[:])
	return string(box.Seal(head, secret, &nonce, (*[32]byte)(public), private))
}

func keyPair(tb testing.TB) (public, private *[32]byte) {
	tb.Helper()
	key := discharge.NewKey()
	rawPublic, err := base64.StdEncoding.DecodeString(key.Public().String())
	require.NoError(tb, err)
	rawPrivate, err := base64.StdEncoding.DecodeString(key.Reveal())
	require.NoError(tb, err)
	return (*[32]byte)(rawPublic), (*[32]byte)(rawPrivate)
}

// secretOf returns an encrypted part, in clear.
func secretOf(version byte, rootKey, namespace, condition string) []byte {
	secret := binary.AppendUvarint([]byte{version}, uint64(len(rootKey)))
	secret = append(secret, rootKey...)
	if version == 3 {
		secret = binary.AppendUvarint(secret, uint64(len(namespace)))
		secret = append(secret, namespace...)
	}
	return append(secret, condition...)
}

var rootKey24 = strings.Repeat("k", 24)

func TestTheOwnerOfTheKeyOpensAnIdentifier(t *testing.T) {
	key := discharge.NewKey()
	for _, condition := range []string{"x", "is-authenticated-user", "ü|\x00", strings.Repeat("c", discharge.MaxCondition)} {
		c, err := key.Public().Caveat("https://id.example.org", condition)
		require.NoError(t, err)
		assert.Equal(t, "https://id.example.org", c.Location)

		got, rootKey, err := key.Open(c.Identifier)
		require.NoError(t, err)
		assert.Equal(t, condition, got)
		assert.True(t, c.Key.Equal(rootKey))
		assert.Len(t, rootKey.Reveal(), 24)
		assert.NotContains(t, c.Identifier, rootKey.Reveal())
	}
}

func TestEveryIdentifierHasAKeyOfItsOwn(t *testing.T) {
	key := discharge.NewKey()
	one, err := key.Public().Caveat("somewhere", "a condition")
	require.NoError(t, err)
	two, err := key.Public().Caveat("somewhere", "a condition")
	require.NoError(t, err)
	assert.NotEqual(t, one.Identifier, two.Identifier)
	assert.False(t, one.Key.Equal(two.Key))
	assert.NotEqual(t, one.Identifier[5:37], two.Identifier[5:37], "the key of the sender")
}

func TestCaveatsThatCannotBeMade(t *testing.T) {
	key := discharge.NewKey().Public()
	_, err := key.Caveat("", "a condition")
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = key.Caveat("somewhere", "")
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = key.Caveat("somewhere", "\xff")
	require.ErrorIs(t, err, errors.IDBadData)
	_, err = key.Caveat("somewhere", strings.Repeat("c", discharge.MaxCondition+1))
	require.ErrorIs(t, err, errors.IDBadData)
}

func TestIdentifiersOfBothVersionsAreOpened(t *testing.T) {
	key := discharge.NewKey()
	for _, version := range []byte{2, 3} {
		for _, namespace := range []string{"", "std:", "std: example.org/x:ex"} {
			condition, rootKey, err := key.Open(sealed(t, key, version, secretOf(version, rootKey24, namespace, "a condition")))
			require.NoError(t, err)
			assert.Equal(t, "a condition", condition)
			assert.Equal(t, rootKey24, rootKey.Reveal())
		}
	}
}

// Macaroon-bakery panics on some of the short ones.
func TestShortIdentifiersAreRefused(t *testing.T) {
	key := discharge.NewKey()
	good := identifierFor(t, key, "c")
	for n := range len(good) {
		_, _, err := key.Open(good[:n])
		require.ErrorIs(t, err, errors.IDBadData, n)
	}
	for n := range 200 {
		for _, version := range []byte{0, 2, 3, 'e', 255} {
			_, _, err := key.Open(strings.Repeat(string([]byte{version}), n))
			require.ErrorIs(t, err, errors.IDBadData)
		}
	}
}

func TestChangedIdentifiersAreRefused(t *testing.T) {
	key := discharge.NewKey()
	good := identifierFor(t, key, "c")
	for i := range len(good) {
		changed := []byte(good)
		changed[i] ^= 1
		_, _, err := key.Open(string(changed))
		require.ErrorIs(t, err, errors.IDBadData, i)
	}
	for _, trailing := range []string{"\x00", "x", strings.Repeat("x", 10)} {
		_, _, err := key.Open(good + trailing)
		require.ErrorIs(t, err, errors.IDBadData)
	}
	_, _, err := key.Open(good + strings.Repeat("x", 16<<10))
	require.ErrorContains(t, err, "longer than 16384 bytes")
}

func TestAnIdentifierForAnotherKeyIsRefused(t *testing.T) {
	one, other := discharge.NewKey(), discharge.NewKey()
	_, _, err := other.Open(identifierFor(t, one, "c"))
	require.ErrorIs(t, err, errors.IDBadData)
	require.ErrorContains(t, err, "not made for the key")

	// Also one that claims to be for this key.
	claims := []byte(identifierFor(t, one, "c"))
	copy(claims[1:5], identifierFor(t, other, "c")[1:5])
	_, _, err = other.Open(string(claims))
	require.ErrorContains(t, err, "not made for the key")
}

func TestEncryptedPartsThatAreMalformed(t *testing.T) {
	key := discharge.NewKey()
	overlong := append([]byte{3, 24 | 0x80, 0}, (rootKey24 + "\x00c")...)
	for name, id := range map[string]string{
		"empty":                      sealed(t, key, 3, nil),
		"another version":            sealed(t, key, 3, secretOf(2, rootKey24, "", "c")),
		"no root key":                sealed(t, key, 3, []byte{3}),
		"an empty root key":          sealed(t, key, 3, secretOf(3, "", "", "c")),
		"a short root key":           sealed(t, key, 3, secretOf(3, "short", "", "c")),
		"a long length":              sealed(t, key, 3, []byte{3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}),
		"a length that overflows":    sealed(t, key, 3, []byte{3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}),
		"an overlong length":         sealed(t, key, 3, overlong),
		"no namespace":               sealed(t, key, 3, secretOf(2, rootKey24, "", "")),
		"a namespace without colon":  sealed(t, key, 3, secretOf(3, rootKey24, "std", "c")),
		"a namespace with no URI":    sealed(t, key, 3, secretOf(3, rootKey24, "a:  b:", "c")),
		"a condition that is binary": sealed(t, key, 3, secretOf(3, rootKey24, "", "\xff")),
		"a long condition":           sealed(t, key, 3, secretOf(3, rootKey24, "", strings.Repeat("c", discharge.MaxCondition+1))),
		"a sealed root key":          sealed(t, key, 3, secretOf(3, "\x00ozseal is the mark of sealed keys", "", "c")),
	} {
		t.Run(name, func(t *testing.T) {
			_, rootKey, err := key.Open(id)
			require.ErrorIs(t, err, errors.IDBadData)
			assert.True(t, rootKey.IsZero())
		})
	}
}

func TestASenderOfLowOrderIsRefused(t *testing.T) {
	key := discharge.NewKey()
	id := []byte(identifierFor(t, key, "c"))
	copy(id[5:37], make([]byte, 32))
	_, _, err := key.Open(string(id))
	require.ErrorContains(t, err, "low order")
}

func FuzzOpen(f *testing.F) {
	key, err := discharge.ParsePrivateKey("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=")
	require.NoError(f, err)
	f.Add(identifierFor(f, key, "c"))
	f.Add("")
	f.Add(sealed(f, key, 2, secretOf(2, rootKey24, "", "c")))
	f.Fuzz(func(t *testing.T, id string) {
		_, rootKey, err := key.Open(id)
		assert.Equal(t, err != nil, rootKey.IsZero())
	})
}
