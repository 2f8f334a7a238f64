package wire

import "strings"

// MaxPacket is the size of the longest packet, in bytes.
const MaxPacket = 0xffff

// SignatureSize is the size of a macaroon's signature, in bytes.
const SignatureSize = 32

// lengthSize is the number of hexadecimal digits at the head of a packet.
const lengthSize = 4

// ThirdParty is what a third-party caveat has beside its text: the encrypted
// root key of its discharge and a hint where to get that.
type ThirdParty struct {
	Index        int    // of the caveat
	Verification string // vid
	Location     string // cl
}

// Macaroon is what the packets say. Its strings share memory with the packets.
type Macaroon struct {
	Location   string
	Identifier string
	Caveats    []string     // cid of each caveat
	ThirdParty []ThirdParty // of those that need a discharge, in order
}

// Problem says in words, for a message, what is wrong with packets. "" is none.
type Problem string

// The problems of packets.
const (
	none         Problem = ""
	badOrder     Problem = "a packet is missing, empty, unknown or out of order"
	badLength    Problem = "the length of a packet is not four lowercase hexadecimal digits that fit the data"
	badSignature Problem = "the signature is not 32 bytes at the very end"
	tooMany      Problem = "it holds too many caveats"
)

// Parse reads packets: location, identifier, caveats and signature, each there
// and not empty, in this order and nothing else. The caveats are appended to the
// given slice. The problem is "" where there is none.
func Parse(raw string, caveats []string, maxCaveats int) (m Macaroon, problem Problem) {
	rest := raw
	if m.Location, rest, problem = packet(rest, "location "); problem != none {
		return Macaroon{}, problem
	}
	if m.Identifier, rest, problem = packet(rest, "identifier "); problem != none {
		return Macaroon{}, problem
	}
	for strings.HasPrefix(key(rest), "cid ") {
		if len(caveats) == maxCaveats {
			return Macaroon{}, tooMany
		}
		var text string
		if text, rest, problem = packet(rest, "cid "); problem != none {
			return Macaroon{}, problem
		}
		if strings.HasPrefix(key(rest), "vid ") {
			third := ThirdParty{Index: len(caveats)}
			if third.Verification, rest, problem = packet(rest, "vid "); problem != none {
				return Macaroon{}, problem
			}
			if third.Location, rest, problem = packet(rest, "cl "); problem != none {
				return Macaroon{}, problem
			}
			m.ThirdParty = append(m.ThirdParty, third)
		}
		caveats = append(caveats, text)
	}
	signature, rest, problem := packet(rest, "signature ")
	if problem != none {
		return Macaroon{}, problem
	}
	if len(signature) != SignatureSize || rest != "" {
		return Macaroon{}, badSignature
	}
	m.Caveats = caveats
	return m, none
}

// Signature returns the signature of packets that Parse accepts.
func Signature(raw string) string { return raw[len(raw)-1-SignatureSize : len(raw)-1] }

// Unsigned returns what stands before the signature packet of packets that Parse
// accepts.
func Unsigned(raw string) string { return raw[:len(raw)-packetSize("signature", Signature(raw))] }

// key returns what stands behind the length of the first packet.
func key(packets string) string {
	if len(packets) < lengthSize {
		return ""
	}
	return packets[lengthSize:]
}

// packet splits off the first packet, which must have the key (given with the
// space that ends it) and a value.
func packet(packets, name string) (value, rest string, problem Problem) {
	if !strings.HasPrefix(key(packets), name) {
		return "", "", badOrder
	}
	size := 0
	for i := range lengthSize {
		switch c := packets[i]; {
		case '0' <= c && c <= '9':
			size = size<<4 | int(c-'0')
		case 'a' <= c && c <= 'f':
			size = size<<4 | int(c-'a'+10)
		default:
			return "", "", badLength
		}
	}
	head := lengthSize + len(name)
	if size < head+1 || size > len(packets) || packets[size-1] != '\n' {
		return "", "", badLength
	}
	if value = packets[head : size-1]; value == "" {
		return "", "", badOrder
	}
	return value, packets[size:], none
}

// Fits reports whether a packet can hold the value.
func Fits(key, value string) bool { return packetSize(key, value) <= MaxPacket }

func packetSize(key, value string) int { return lengthSize + len(key) + 1 + len(value) + 1 }

// AppendPacket writes a packet, which must fit.
func AppendPacket(b []byte, key, value string) []byte {
	const digits = "0123456789abcdef"
	size := packetSize(key, value)
	b = append(b, digits[size>>12], digits[size>>8&15], digits[size>>4&15], digits[size&15])
	b = append(b, key...)
	b = append(b, ' ')
	b = append(b, value...)
	return append(b, '\n')
}
