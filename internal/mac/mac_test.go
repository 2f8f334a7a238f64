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

func TestARootRemembersOneMessage(t *testing.T) {
	t.Parallel()
	key := [Size]byte([]byte(strings.Repeat("key!", Size/4)))
	var r Root
	r.Init(key)
	var h Hasher
	for _, message := range []string{"first", "second", ""} {
		assert.Equal(t, Sum(&key, message), r.First(&h, message))
	}
	// Codes that are not those of their messages show what is remembered.
	r.Remember("first", [Size]byte{1})
	assert.Equal(t, Sum(&key, "first"), r.First(&h, "first"), "nothing is remembered at once")
	r.Remember("first", [Size]byte{2})
	r.Remember("second", [Size]byte{3})
	assert.Equal(t, [Size]byte{2}, r.First(&h, "first"))
	assert.Equal(t, Sum(&key, "second"), r.First(&h, "second"))
	assert.Equal(t, Sum(&key, "firs"), r.First(&h, "firs"))
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
