package wire

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// alphabet is base64url. In the text of a token '0' is the escape character:
// '0' is written as "00", '_' as "01" and '-' as "02".
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

const (
	zeroSextet = 52 // '0'
	dashSextet = 62 // '-'
	lineSextet = 63 // '_'

	// notPlain marks the bytes that need an escape or are not in the alphabet.
	notPlain = 1
)

// sextets holds the values of the characters that need no escape. For each of
// the four positions in a group, a value is shifted to six of the upper 24 bits
// of a word.
var sextets = func() (t [4][256]uint32) {
	for place := range t {
		for i := range t[place] {
			t[place][i] = notPlain
		}
		for i := range len(alphabet) {
			if c := alphabet[i]; c != '0' && c != '-' && c != '_' {
				t[place][c] = uint32(i) << (26 - 6*place)
			}
		}
	}
	return t
}()

// characters holds the character of each sextet. The bit escaped is set if it
// is written as two characters.
var characters = func() (t [64]byte) {
	copy(t[:], alphabet)
	for _, sextet := range []int{zeroSextet, dashSextet, lineSextet} {
		t[sextet] |= escaped
	}
	return t
}()

// pairs holds the characters of two sextets, the first in the low byte.
var pairs = func() (t [1 << 12]uint16) {
	for i := range t {
		t[i] = uint16(characters[i>>6]) | uint16(characters[i&63])<<8
	}
	return t
}()

const (
	// escaped is a bit that is not set in any character of the alphabet.
	escaped = 0x80
	// anyEscaped is this bit in each of eight characters.
	anyEscaped = 0x8080808080808080
)

// Encode returns the text of the packets.
func Encode(raw string) string {
	var stack [1024]byte
	b := stack[:0]
	if most := len(raw)/3*8 + 8; most > len(stack) {
		b = make([]byte, 0, most)
	}
	for ; len(raw) >= 6; raw = raw[6:] {
		v := uint64(raw[0])<<40 | uint64(raw[1])<<32 | uint64(raw[2])<<24 | uint64(raw[3])<<16 | uint64(raw[4])<<8 | uint64(raw[5])
		eight := uint64(pairs[v>>36]) | uint64(pairs[v>>24&0xfff])<<16 | uint64(pairs[v>>12&0xfff])<<32 | uint64(pairs[v&0xfff])<<48
		if eight&anyEscaped == 0 { // fast path
			b = binary.LittleEndian.AppendUint64(b, eight)
			continue
		}
		for ; eight != 0; eight >>= 8 { // no character is zero
			b = appendCharacter(b, byte(eight))
		}
	}
	var v uint64
	for i := range len(raw) {
		v |= uint64(raw[i]) << (56 - 8*i)
	}
	for bits := 8 * len(raw); bits > 0; bits -= 6 {
		b = appendCharacter(b, characters[v>>58])
		v <<= 6
	}
	return string(b)
}

// appendCharacter appends an element of characters, as one or two bytes.
func appendCharacter(b []byte, c byte) []byte {
	switch c {
	case '0' | escaped:
		return append(b, '0', '0')
	case '_' | escaped:
		return append(b, '0', '1')
	case '-' | escaped:
		return append(b, '0', '2')
	}
	return append(b, c)
}

// Decode returns the packets of a text in escaped form or in plain base64. ok
// is false for other texts.
//
// Decode tries the escaped form first. No token is valid in both forms: it
// starts with a location packet, so the word "location" always falls on the
// same position of the base64. In plain base64 it contains a '0' followed by an
// 'a', which is not a valid escape.
func Decode(text string) (raw string, ok bool) {
	if raw, ok = decodeEscaped(text); ok {
		return raw, true
	}
	return DecodePlain(text)
}

func decodeEscaped(text string) (string, bool) {
	var stack [1024]byte
	out := stack[:]
	// Two additional bytes, because whole words are written.
	if most := len(text)/4*3 + 5; most > len(stack) {
		out = make([]byte, most)
	}
	n := 0
	for len(text) >= 4 {
		v, bits, width := plainGroup(text), 24, 4
		if v&notPlain != 0 {
			v, bits, width = escapedGroup(text)
		} else if len(text) >= 8 { // fast path: two groups without an escape
			if w := plainGroup(text[4:]); w&notPlain == 0 {
				binary.BigEndian.PutUint64(out[n:], uint64(v)<<32|uint64(w)<<8)
				n += 6
				text = text[8:]
				continue
			}
		}
		if bits != 24 {
			break
		}
		binary.BigEndian.PutUint32(out[n:], v)
		n += 3
		text = text[width:]
	}
	if text != "" {
		// 6 bits are too few for a byte. Of 12 bits 4 are unused, and of 18
		// bits 2; these must be 0.
		v, bits, width := escapedGroup(text)
		if bits%6 != 0 || bits < 12 || width != len(text) || v<<(bits/8*8) != 0 {
			return "", false
		}
		binary.BigEndian.PutUint32(out[n:], v)
		n += bits / 8
	}
	return string(out[:n]), true
}

// plainGroup decodes four characters without escapes into the upper bits of v.
// If that is not possible, notPlain is set in v.
func plainGroup(text string) (v uint32) {
	return sextets[0][text[0]] | sextets[1][text[1]] | sextets[2][text[2]] | sextets[3][text[3]]
}

// escapedGroup decodes up to four sextets into the upper bits of v. bits is six
// times the number of sextets, or -1 if a character is invalid. width is the
// number of characters decoded.
func escapedGroup(text string) (v uint32, bits, width int) {
	for place := 0; place < 4 && width < len(text); place++ {
		s, w := sextetAt(text[width:], place)
		if w == 0 {
			return 0, -1, 0
		}
		v |= s
		bits += 6
		width += w
	}
	return v, bits, width
}

// sextetAt decodes the first sextet of text, shifted for its position in a
// group. width is the number of characters decoded; 0 if the text is invalid.
func sextetAt(text string, place int) (s uint32, width int) {
	if s = sextets[place][text[0]]; s&notPlain == 0 {
		return s, 1
	}
	if text[0] != '0' || len(text) < 2 {
		return 0, 0
	}
	switch text[1] {
	case '0':
		s = zeroSextet
	case '1':
		s = lineSextet
	case '2':
		s = dashSextet
	default:
		return 0, 0
	}
	return s << (26 - 6*place), 2
}

// DecodePlain decodes base64 of either alphabet, padded or not, but one of each.
func DecodePlain(text string) (string, bool) {
	encoding := base64.RawURLEncoding
	padded := strings.HasSuffix(text, "=")
	switch standard := has(text, '+') || has(text, '/'); {
	case standard && padded:
		encoding = base64.StdEncoding
	case standard:
		encoding = base64.RawStdEncoding
	case padded:
		encoding = base64.URLEncoding
	}
	// The standard library skips line breaks, Strict or not.
	if has(text, '\r') || has(text, '\n') {
		return "", false
	}
	raw, err := encoding.Strict().DecodeString(text)
	if err != nil {
		return "", false
	}
	return string(raw), true
}

// has reports whether the text has the character. It is quicker than
// strings.ContainsAny with several.
func has(text string, c byte) bool { return strings.IndexByte(text, c) >= 0 }
