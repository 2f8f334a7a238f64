package recognition

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTextsAreTheSameOnlyWhenEveryBitIs(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		text := bytes.Repeat([]byte{'t'}, n)
		require.True(t, sameText(text, bytes.Clone(text)), n)
		require.False(t, sameText(text, append(bytes.Clone(text), 0)), n)
		for bit := range 8 * n {
			other := bytes.Clone(text)
			other[bit/8] ^= 1 << (bit % 8)
			require.False(t, sameText(text, other), "bit %d of %d bytes", bit, n)
		}
	}
}
