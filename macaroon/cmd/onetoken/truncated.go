package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// truncation is where the text of a token ends too early.
type truncation struct {
	Packet string `json:"packet"` // such as "caveat 2"
	// Missing is the least number of characters that are missing. There are more
	// if some of them are digits zero, which are written as two, or if caveats
	// follow.
	Missing int `json:"missingCharacters"`
	// rest has the complete packets and an invalid signature; zero if they are
	// too few for a token.
	rest macaroon.Token
}

// String describes the truncation.
func (t truncation) String() string {
	unit := "characters are"
	if t.Missing == 1 {
		unit = "character is"
	}
	article := "the "
	if strings.HasPrefix(t.Packet, "caveat ") {
		article = ""
	}
	return fmt.Sprintf("in %s%s: at least %d %s missing", article, t.Packet, t.Missing, unit)
}

const (
	lengthDigits = 4 // at the start of a packet
	// signaturePacket is the size of the last packet in bytes.
	signaturePacket = len("002fsignature 0123456789abcdef0123456789abcdef\n")
	// maxIncomplete is the number of characters at the end of a cut text that may
	// not make a whole byte: three, escaped as two each, and half an escape.
	maxIncomplete = 7
)

// findTruncation returns where the text was cut. ok is false if the text is not
// the beginning of a token.
func findTruncation(text string) (found truncation, ok bool) {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "opw-"), "opp-")
	raw, sextets, ok := decodeBeginning(text)
	if !ok {
		return truncation{}, false
	}
	whole, name, missing := splitPackets(raw)
	if missing == 0 {
		return truncation{}, false
	}
	total := (8*(len(raw)+missing) + 5) / 6
	found = truncation{Packet: name, Missing: total - sextets}
	signature := wire.AppendPacket([]byte(whole), "signature", strings.Repeat("\x00", 32))
	found.rest, _ = macaroon.Parse(wire.Encode(string(signature)))
	return found, true
}

// decodeBeginning decodes as much of a text as makes whole bytes. sextets is how
// many characters of base64 the text has.
func decodeBeginning(text string) (raw string, sextets int, ok bool) {
	for cut := 0; cut <= min(maxIncomplete, len(text)); cut++ {
		beginning := text[:len(text)-cut]
		raw, ok := wire.Decode(beginning)
		if !ok || len(raw) <= lengthDigits || !begins(raw[lengthDigits:], "location ") {
			continue
		}
		if wire.Encode(raw) != beginning {
			return raw, len(text), true // plain base64
		}
		return raw, countSextets(text), true
	}
	return "", 0, false
}

// begins reports whether one of the texts begins with the other.
func begins(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// countSextets counts the characters of base64 in escaped text: a zero begins an
// escape of two characters.
func countSextets(text string) (n int) {
	for i := 0; i < len(text); i++ {
		if text[i] == '0' {
			if i++; i == len(text) {
				break
			}
		}
		n++
	}
	return n
}

// splitPackets returns the complete packets of raw and the name of the packet
// that is cut. missing is the least number of bytes that it lacks, 0 if no packet
// is cut or raw is not made of packets.
func splitPackets(raw string) (whole, name string, missing int) {
	rest, caveats, order := raw, 0, []string{"location ", "identifier "}
	for {
		next, expected := "signature or a caveat", ""
		if len(order) > 0 {
			next, expected, order = strings.TrimSpace(order[0]), order[0], order[1:]
		}
		if len(rest) <= lengthDigits {
			return raw[:len(raw)-len(rest)], next, signaturePacket - len(rest)
		}
		size, err := strconv.ParseUint(rest[:lengthDigits], 16, 16)
		key := rest[lengthDigits:]
		last := expected == "" && begins(key, "signature ")
		switch {
		case err != nil || size <= lengthDigits || expected != "" && !begins(key, expected):
			return "", "", 0
		case last:
			next = "signature"
		case expected == "" && begins(key, "cid "):
			caveats++
			next = "caveat " + strconv.Itoa(caveats)
		case expected == "":
			next = "caveat " + strconv.Itoa(caveats) // its third-party fields
		}
		if int(size) > len(rest) {
			if missing = int(size) - len(rest); !last {
				missing += signaturePacket
			}
			return raw[:len(raw)-len(rest)], next, missing
		}
		if last {
			return "", "", 0
		}
		rest = rest[size:]
	}
}

// isEnd reports whether the text is the end of a token whose beginning is
// missing.
func isEnd(text string) bool {
	if strings.HasPrefix(text, "MDA") && strings.Contains(text[:min(len(text), 12)], "xvY2") {
		return false // it begins with the packet "location"
	}
	for skip := range min(2, len(text)) { // the text may begin inside an escape
		for _, padding := range []string{"", "A", "AA", "AAA"} {
			raw, ok := wire.Decode(padding + text[skip:])
			at := len(raw) - signaturePacket
			if ok && at >= 0 && strings.HasPrefix(raw[at:], "002fsignature ") {
				return true
			}
		}
	}
	return false
}
