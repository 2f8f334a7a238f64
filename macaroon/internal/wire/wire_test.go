package wire

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// escape returns the escaped form according to the specification.
func escape(raw string) string {
	return strings.NewReplacer("0", "00", "_", "01", "-", "02").Replace(base64.RawURLEncoding.EncodeToString([]byte(raw)))
}

func TestTheEscapedFormOfAllLengthsAndBytes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 3000 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		raw := string(b)
		text := Encode(raw)
		require.Equal(t, escape(raw), text)
		got, ok := decodeEscaped(text)
		require.True(t, ok)
		require.Equal(t, raw, got)
	}
	for _, sextet := range []string{"0000", "____", "----", "0_-0", "A0", "0A0", "AAA0"} { // as base64url
		raw, err := base64.RawURLEncoding.DecodeString(sextet)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := Decode(escape(string(raw)))
		assert.True(t, ok, sextet)
		assert.Equal(t, string(raw), got, sextet)
	}
}

func TestTextsThatAreNotTheEscapedForm(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"A", "AAAAA", "0", "00", "AA0", "AAAA0", "03", "AA03", "0AAA", "-AAA", "AA_A", "AB", "AAB", "AAAAAB", "AA==", "A AA", "AAA\n", "é", "\x00AAA", "0101010",
	} {
		_, ok := decodeEscaped(text)
		assert.False(t, ok, "%q", text)
	}
	// Only three characters are valid after the escape character.
	for c := range 256 {
		text := "AAA0" + string([]byte{byte(c)})
		_, ok := decodeEscaped(text)
		assert.Equal(t, '0' <= c && c <= '2', ok, "%q", text)
	}
}

func TestPacketSizes(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", MaxPacket-len("ffffcid \n"))
	assert.True(t, Fits("cid", longest))
	assert.False(t, Fits("cid", longest+"x"))
	p := string(AppendPacket(nil, "cid", longest))
	assert.Len(t, p, MaxPacket)
	value, rest, problem := packet(p+"more", "cid ", false)
	assert.Empty(t, problem)
	assert.Equal(t, longest, value)
	assert.Equal(t, "more", rest)
}
