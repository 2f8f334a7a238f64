package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func pack(key, value string) string { return string(AppendPacket(nil, key, value)) }

func TestParsing(t *testing.T) {
	t.Parallel()
	location, identifier := pack("location", "l"), pack("identifier", "i")
	signature := pack("signature", strings.Repeat("s", signatureSize))
	third := pack("cid", "t") + pack("vid", "v") + pack("cl", "c")
	raw := location + identifier + pack("cid", "a") + third + pack("cid", "b\ncid x") + signature
	m, problem := Parse(raw, nil, 3)
	assert.Empty(t, problem)
	assert.Equal(t, Macaroon{
		Location: "l", Identifier: "i", Caveats: []string{"a", "t", "b\ncid x"},
		ThirdParty: []ThirdParty{{Index: 1, Verification: "v", Location: "c"}},
	}, m)
	assert.Equal(t, strings.Repeat("s", signatureSize), Signature(raw))
	assert.Equal(t, strings.TrimSuffix(raw, signature), Unsigned(raw))

	for raw, want := range map[string]string{
		"":                     badOrder,
		"00":                   badOrder,
		identifier + signature: badOrder,
		location + signature:   badOrder,
		location + identifier:  badOrder,
		location + identifier + pack("cid", "") + signature:                     badOrder,
		location + identifier + third[:len(third)-8] + signature:                badOrder,
		location + identifier + pack("cid", "x") + pack("vid", "") + signature:  badOrder,
		location + identifier + "000Ccid x\n" + signature:                       badLength,
		location + identifier + "+00ccid x\n" + signature:                       badLength,
		location + identifier + "0008cid x\n" + signature:                       badLength,
		location + identifier + "ffffcid x\n" + signature:                       badLength,
		location + identifier + strings.Replace(signature, "s\n", "ss", 1):      badLength,
		location + identifier + pack("signature", "short"):                      badSignature,
		location + identifier + signature + "\n":                                badSignature,
		location + identifier + strings.Repeat(pack("cid", "x"), 4) + signature: tooMany,
	} {
		_, problem := Parse(raw, nil, 3)
		assert.Equal(t, want, problem, "%q", raw)
	}
}

func TestPlainForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"+/8=": "\xfb\xff", "+/8": "\xfb\xff", "-_8=": "\xfb\xff", "-_8": "\xfb\xff", "MDA0a": "", "-/8=": "", "+_8": "", "+/8==": "", "-_9": "", "-_8\n": "", "-_8=\r\n": "",
	} {
		got, ok := Decode(text)
		assert.Equal(t, want != "", ok, "%q", text)
		assert.Equal(t, want, got, "%q", text)
	}
}
