package discharge

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// Whoever adds a caveat can encrypt anything, not only a key.
func TestAVerificationIDHoldsOneKey(t *testing.T) {
	t.Parallel()
	var signature, other [32]byte
	other[31] = 1
	var nonce [24]byte
	encrypt := func(plain string) string { return string(secretbox.Seal(nonce[:], []byte(plain), &nonce, &signature)) }
	for size := range 100 {
		root, ok := openKey(signature, encrypt(strings.Repeat("k", size)))
		require.Equal(t, size == 32, ok, size)
		if ok {
			require.Equal(t, strings.Repeat("k", size), string(root[:]))
		} else {
			require.Zero(t, root)
		}
		_, ok = openKey(other, encrypt(strings.Repeat("k", size)))
		require.False(t, ok, size)
	}
	_, ok := openKey(signature, "")
	require.False(t, ok)
	require.NotEqual(t, sealKey(signature, other), sealKey(signature, other), "the nonce is random")
}

// If a verification id cannot be decrypted, no discharge is good for the caveat,
// not even one that was signed with zeros.
func TestADischargeOfACaveatWithoutAKey(t *testing.T) {
	t.Parallel()
	key := store.NewSecret("root key")
	root, err := general.New("", "m", key)
	require.NoError(t, err)
	verify := func(vid string) error {
		m, err := root.AddThirdParty(general.Caveat{Text: "a", VerificationID: vid})
		require.NoError(t, err)
		unsigned, err := general.New("", "a", key)
		require.NoError(t, err)
		text, err := unsigned.Encode(general.V2)
		require.NoError(t, err)
		raw, err := base64.RawURLEncoding.DecodeString(text)
		require.NoError(t, err)
		var h mac.Hasher
		var zeros [32]byte
		link, signature := h.Sum(&zeros, "a"), m.Signature()
		bound := h.Bind(&signature, &link)
		d, err := general.Parse(base64.RawURLEncoding.EncodeToString(append(raw[:len(raw)-32], bound[:]...)), general.V2)
		require.NoError(t, err)
		_, err = Verify(t.Context(), m, key, caveat.Request{}, d)
		return err
	}
	good := sealKey(root.Signature(), [32]byte{})
	require.NoError(t, verify(good))
	for _, vid := range []string{"v", good[:71], good + "\x00", good[:71] + string(good[71]^1)} {
		require.ErrorIs(t, verify(vid), errors.IDTokenInvalid)
	}
}
