package discharge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/secretbox"
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
