package wire

import "strings"

// MaxPacket is the size of the longest packet, in bytes.
const MaxPacket = 0xffff

// signatureSize is the size of a macaroon's signature, in bytes.
const signatureSize = 32

// lengthSize is the number of hexadecimal digits at the start of a packet.
const lengthSize = 4

// ThirdParty holds the additional fields of a third-party caveat: the encrypted
// root key of its discharge, and a hint where to get the discharge.
type ThirdParty struct {
	Index        int    // of the caveat in the token
	Verification string // vid
	Location     string // cl
}

// Macaroon is the parsed form of packets. Its strings share their memory.
type Macaroon struct {
	Location   string
	Identifier string
	Caveats    []string     // cid of each caveat
	ThirdParty []ThirdParty // of those that need a discharge, in order
}

// MaxCaveats is the default limit on the caveats that a parser accepts.
const MaxCaveats = 4096

// Problems that the parsers return.
const (
	none         = ""
	badOrder     = "a packet is missing, empty, unknown or out of order"
	badLength    = "the length of a packet is not four lowercase hexadecimal digits that fit the data"
	badSignature = "the signature is not 32 bytes at the very end"
	tooMany      = "it contains too many caveats"
)

// Parse parses the packets of a token. They must be location, identifier,
// caveats and signature, in this order, none of them empty. Parse appends the
// caveats to the given slice. problem describes why the packets are not a
// token, "" if they are one.
func Parse(raw string, caveats []string, maxCaveats int) (m Macaroon, problem string) {
	return parse(raw, caveats, maxCaveats, false)
}

// ParseAny is like [Parse], for macaroons of all issuers: their locations may be
// empty.
func ParseAny(raw string, maxCaveats int) (m Macaroon, problem string) {
	return parse(raw, nil, maxCaveats, true)
}

func parse(raw string, caveats []string, maxCaveats int, noLocations bool) (m Macaroon, problem string) {
	rest := raw
	if m.Location, rest, problem = packet(rest, "location ", noLocations); problem != none {
		return Macaroon{}, problem
	}
	if m.Identifier, rest, problem = packet(rest, "identifier ", false); problem != none {
		return Macaroon{}, problem
	}
	for strings.HasPrefix(key(rest), "cid ") {
		if len(caveats) == maxCaveats {
			return Macaroon{}, tooMany
		}
		var text string
		if text, rest, problem = packet(rest, "cid ", false); problem != none {
			return Macaroon{}, problem
		}
		if strings.HasPrefix(key(rest), "vid ") {
			third := ThirdParty{Index: len(caveats)}
			if third.Verification, rest, problem = packet(rest, "vid ", false); problem != none {
				return Macaroon{}, problem
			}
			if third.Location, rest, problem = packet(rest, "cl ", noLocations); problem != none {
				return Macaroon{}, problem
			}
			m.ThirdParty = append(m.ThirdParty, third)
		}
		caveats = append(caveats, text)
	}
	signature, rest, problem := packet(rest, "signature ", false)
	if problem != none {
		return Macaroon{}, problem
	}
	if len(signature) != signatureSize || rest != "" {
		return Macaroon{}, badSignature
	}
	m.Caveats = caveats
	return m, none
}

// Signature returns the signature of packets that Parse accepts.
func Signature(raw string) string { return raw[len(raw)-1-signatureSize : len(raw)-1] }

// Unsigned returns the packets before the signature, of packets that Parse
// accepts.
func Unsigned(raw string) string { return raw[:len(raw)-packetSize("signature", Signature(raw))] }

// key returns the text after the length of the first packet.
func key(packets string) string {
	if len(packets) < lengthSize {
		return ""
	}
	return packets[lengthSize:]
}

// packet splits off the first packet, which must have the given key and, unless
// it may be empty, a value. name is the key with the space that ends it.
func packet(packets, name string, mayBeEmpty bool) (value, rest, problem string) {
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
	if value = packets[head : size-1]; value == "" && !mayBeEmpty {
		return "", "", badOrder
	}
	return value, packets[size:], none
}

// Fits reports whether a packet can hold the value.
func Fits(key, value string) bool { return packetSize(key, value) <= MaxPacket }

func packetSize(key, value string) int { return lengthSize + len(key) + 1 + len(value) + 1 }

// AppendPacket appends a packet. The value must fit: see [Fits].
func AppendPacket(b []byte, key, value string) []byte {
	const digits = "0123456789abcdef"
	size := packetSize(key, value)
	b = append(b, digits[size>>12], digits[size>>8&15], digits[size>>4&15], digits[size&15])
	b = append(b, key...)
	b = append(b, ' ')
	b = append(b, value...)
	return append(b, '\n')
}

// Append appends the packets of a macaroon. problem says why packets cannot hold
// it, "" if they can.
func Append(b []byte, m *Macaroon, signature string) (raw []byte, problem string) {
	add := func(key, value string) {
		if !Fits(key, value) {
			problem = "a field of it is too long for a packet of 65535 bytes"
			return
		}
		b = AppendPacket(b, key, value)
	}
	add("location", m.Location)
	add("identifier", m.Identifier)
	third := m.ThirdParty
	for i, text := range m.Caveats {
		add("cid", text)
		if len(third) > 0 && third[0].Index == i {
			add("vid", third[0].Verification)
			add("cl", third[0].Location)
			third = third[1:]
		}
	}
	add("signature", signature)
	return b, problem
}
