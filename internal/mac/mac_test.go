package mac

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSumIsHMACSHA256(t *testing.T) {
	t.Parallel()
	key := [Size]byte([]byte(strings.Repeat("k\x00\xff7", Size/4)))
	check := func(message string) {
		h := hmac.New(sha256.New, key[:])
		h.Write([]byte(message))
		got := Sum(&key, message)
		assert.Equal(t, h.Sum(nil), got[:], "message of %d bytes", len(message))
	}
	for n := range 600 {
		check(strings.Repeat("m", n))
	}
	check(strings.Repeat("m", 70_000))
}

func TestARootBeginsTheChain(t *testing.T) {
	t.Parallel()
	key := [Size]byte([]byte(strings.Repeat("key!", Size/4)))
	r := NewRoot(key)
	var h Hasher
	for _, message := range []string{"first", "second", ""} {
		assert.Equal(t, Sum(&key, message), r.First(&h, message))
	}
}

func TestAHasherKeepsNoState(t *testing.T) {
	t.Parallel()
	key := [Size]byte{7}
	var h Hasher
	for _, n := range []int{400, 3, 70_000, 0, 448, 449, 5} {
		message := strings.Repeat("m", n)
		assert.Equal(t, Sum(&key, message), h.Sum(&key, message))
	}
}
