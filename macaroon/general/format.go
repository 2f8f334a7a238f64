package general

import (
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// Format is a format of macaroons, or a set of them: V2|V2JSON. The zero Format
// means Onezone.
type Format uint8

const (
	// Onezone is the format of Onezone's tokens: the packets of V1 in letters and
	// digits. As in package macaroon, V1 in base64 is also read, because it is the
	// form of old tokens.
	Onezone Format = 1 << iota
	// V1 is the packets of libmacaroons version 1, in base64. A field has at most
	// 65535 bytes, together with its key.
	V1
	// V2 is the binary form of version 2, in base64.
	V2
	// V1JSON is the JSON object of version 1, with the keys location, identifier,
	// caveats and signature. Identifiers and caveats must be UTF-8.
	V1JSON
	// V2JSON is the JSON object of version 2, with the keys v, l, i, c and s, or
	// i64 and s64 for values in base64. Locations must be UTF-8.
	V2JSON

	// Any is the set of all formats.
	Any = Onezone | V1 | V2 | V1JSON | V2JSON
)

// formatNames are the names of formats, in the order of their bits.
var formatNames = []string{"onezone", "v1", "v2", "v1-json", "v2-json"}

// String returns the name, such as "v2-json". The names of a set are joined with
// "|".
func (f Format) String() string {
	var names []string
	for i, name := range formatNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// ParseFormat returns the format with the name: onezone, v1, v2, v1-json or
// v2-json. The error is badValueNotAllowed {key "format"}.
func ParseFormat(name string) (Format, error) {
	for i, each := range formatNames {
		if each == name {
			return 1 << i, nil
		}
	}
	return 0, errors.BadValueNotAllowed("format", formatNames...)
}
