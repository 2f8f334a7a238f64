package general

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	// Writes the formats in JSON. It is the reference implementation in Go.
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// Encode returns the whole text of the macaroon in a format. It is a credential.
// Base64 is in the URL alphabet without padding.
//
// Errors:
//   - badData {key "format"} if the format cannot hold the macaroon: a field is too
//     long for V1, or is not UTF-8 in JSON;
//   - badValueNotAllowed {key "format"} if it is not one format;
//   - badToken for the zero Macaroon;
//   - tokenTooLarge {limit} if the text would be longer than
//     [macaroon.DefaultMaxSize].
func (m Macaroon) Encode(format Format) (string, error) {
	if m.IsZero() {
		return "", errors.BadToken("it is empty")
	}
	text, err := m.content.encode(format)
	if err == nil && len(text) > macaroon.DefaultMaxSize {
		return "", errors.TokenTooLarge(macaroon.DefaultMaxSize)
	}
	return text, err
}

func (c *content) encode(format Format) (string, error) {
	switch format {
	case V2:
		return base64.RawURLEncoding.EncodeToString(c.version2()), nil
	case V2JSON:
		if !c.locationsAreUTF8() {
			return "", errors.BadDataHint("format", "a location is not UTF-8, so JSON cannot hold it")
		}
		return toJSON(c.version2())
	case Onezone, V1, V1JSON:
	default:
		return "", errors.BadValueNotAllowed("format", formatNames...)
	}
	packets, problem := wire.Append(nil, &c.Macaroon, c.signature)
	switch {
	case problem != "":
		return "", errors.BadDataHint("format", problem)
	case format == Onezone:
		return wire.Encode(string(packets)), nil
	case format == V1:
		return base64.RawURLEncoding.EncodeToString(packets), nil
	case !c.locationsAreUTF8() || !c.textsAreUTF8():
		return "", errors.BadDataHint("format", "a field is not UTF-8, so the JSON of version 1 cannot hold it")
	}
	return toJSON(packets)
}

func (c *content) version2() []byte { return wire.AppendVersion2(nil, &c.Macaroon, c.signature) }

func (c *content) locationsAreUTF8() bool {
	valid := utf8.ValidString(c.Location)
	for _, third := range c.ThirdParty {
		valid = valid && utf8.ValidString(third.Location)
	}
	return valid
}

func (c *content) textsAreUTF8() bool {
	valid := utf8.ValidString(c.Identifier)
	for _, text := range c.Caveats {
		valid = valid && utf8.ValidString(text)
	}
	return valid
}

// toJSON returns a macaroon in binary form as JSON of the same version.
func toJSON(raw []byte) (string, error) {
	var m macaroonv2.Macaroon
	if err := m.UnmarshalBinary(raw); err != nil {
		return "", fmt.Errorf("encoding a macaroon: %w", err)
	}
	data, err := json.Marshal(&m)
	if err != nil {
		return "", fmt.Errorf("encoding a macaroon: %w", err)
	}
	return string(data), nil
}
