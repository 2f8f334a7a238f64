package rest

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
	"github.com/onezone-go/onezone/macaroon"
)

// input decodes the members of a body. After the first bad member all others
// decode as zero, so that a route decodes its members in the order of the API
// and then checks err once.
type input struct {
	*config
	body *strictjson.Object
	err  error
}

func (c *call) input() *input { return &input{config: c.config, body: c.body} }

func (in *input) has(key string) bool { return in.body.Get(key) != nil }

// require sets the error missingRequiredValue if the member is missing.
func (in *input) require(key string) {
	if in.err == nil && !in.has(key) {
		in.err = errors.MissingRequiredValue(key)
	}
}

// optional decodes one member with read. It returns zero for a missing one.
func optional[T any](in *input, key string, read func(raw json.RawMessage) (T, error)) (v T) {
	if raw := in.body.Get(key); in.err == nil && raw != nil {
		v, in.err = read(raw)
	}
	return v
}

// required is optional for a member that must not be missing.
func required[T any](in *input, key string, read func(raw json.RawMessage) (T, error)) T {
	in.require(key)
	return optional(in, key, read)
}

// isConstant reports whether the value is null, true or false, which the
// original accepts as symbolic constants in the place of a name.
func isConstant(raw json.RawMessage) bool {
	return slices.Contains([]string{"null", "true", "false"}, string(raw))
}

// tokenValue is a token that a member of a body holds.
type tokenValue struct {
	macaroon.Token
	text string
}

// token reads a token. Errors: missingRequiredValue, badValueEmpty,
// badValueToken {tokenError}.
func (in *input) token(key string) tokenValue {
	return required(in, key, func(raw json.RawMessage) (tokenValue, error) {
		s, ok := strictjson.Text(raw)
		switch {
		case !ok:
			return tokenValue{}, errors.BadValueToken(key, errors.BadToken("it is not a string"))
		case s == "":
			return tokenValue{}, errors.BadValueEmpty(key)
		}
		t, err := in.authority.Parse(s)
		if err != nil {
			return tokenValue{}, errors.BadValueToken(key, err)
		}
		return tokenValue{t, s}, nil
	})
}

// partyToken is token for an optional service or consumer token; "" if it is
// missing.
func (in *input) partyToken(key string) caveat.PartyToken {
	if !in.has(key) {
		return ""
	}
	t := in.token(key)
	if t.Version() == 1 {
		// A body cannot name the service that presents a token without a subject.
		return caveat.PartyToken(t.String())
	}
	return caveat.PartyToken(t.text)
}

// boolean reads true or false; false if the member is missing. The error is
// badValueBoolean.
func (in *input) boolean(key string) bool {
	return optional(in, key, func(raw json.RawMessage) (bool, error) {
		if string(raw) != "true" && string(raw) != "false" {
			return false, errors.BadValueBoolean(key)
		}
		return string(raw) == "true", nil
	})
}

// name reads the name of a token. As in the original, true and false count as
// their texts. Errors: missingRequiredValue, badValueString, badValueName.
func (in *input) name(key string) string {
	return required(in, key, func(raw json.RawMessage) (string, error) {
		s, ok := strictjson.Text(raw)
		switch {
		case string(raw) == "null":
			return "", errors.BadValueName()
		case isConstant(raw):
			s = string(raw)
		case !ok:
			return "", errors.BadValueString(key)
		}
		return s, macaroon.ValidateName(s)
	})
}

// object reads an object, nil if it is missing. The error is badValueJSON.
func (in *input) object(key string) json.RawMessage {
	return optional(in, key, func(raw json.RawMessage) (json.RawMessage, error) {
		if raw[0] != '{' {
			return nil, errors.BadValueJSON(key)
		}
		return bytes.Clone(raw), nil // a kept part must not keep the whole body in memory
	})
}

// ipv4 reads a strict dotted quad. null is an unknown address; def is returned
// for a missing member. The error is badValueIPv4Address.
func (in *input) ipv4(key string, def netip.Addr) netip.Addr {
	if !in.has(key) {
		return def
	}
	return optional(in, key, func(raw json.RawMessage) (netip.Addr, error) {
		if string(raw) == "null" {
			return netip.Addr{}, nil
		}
		s, _ := strictjson.Text(raw)
		addr, err := netip.ParseAddr(s)
		if err != nil || !addr.Is4() {
			return netip.Addr{}, errors.BadValueIPv4Address(key)
		}
		return addr, nil
	})
}

// interfaceName reads the name of an interface, zero if it is missing. Errors:
// badValueString, badValueNotAllowed.
func (in *input) interfaceName(key string) caveat.Interface {
	return optional(in, key, func(raw json.RawMessage) (caveat.Interface, error) {
		s, ok := strictjson.Text(raw)
		if !ok && !isConstant(raw) {
			return 0, errors.BadValueString(key)
		}
		i, err := caveat.ParseInterface(s)
		if err != nil {
			return 0, errors.BadValueNotAllowed(key,
				caveat.REST.Name(), caveat.Oneclient.Name(), caveat.GraphSync.Name())
		}
		return i, nil
	})
}

// caveats reads a list of caveats for a new token, nil if it is missing.
// Errors: badData, badValueCaveat {caveat}.
func (in *input) caveats(key string) []caveat.Caveat {
	return optional(in, key, func(raw json.RawMessage) ([]caveat.Caveat, error) {
		// The body is valid JSON. The limit is that of a new token; a list that
		// exceeds it is rejected as a whole.
		most := in.authority.MaxCaveats()
		list, ok := strictjson.Elements(raw, most)
		if !ok {
			return nil, errors.BadData(key)
		}
		if len(list) > most {
			return nil, errors.LimitReached(most, "caveats in a token")
		}
		cs := make([]caveat.Caveat, len(list))
		for i, item := range list {
			if len(item) > maxCaveatJSON {
				return nil, errors.BadToken("a caveat is too long for a packet of 65535 bytes")
			}
			var err error
			if cs[i], err = in.authority.Vocabulary().FromJSON(item); err != nil {
				return nil, err
			}
		}
		return cs, nil
	})
}

// maxCaveatJSON is longer than the JSON of any caveat that fits in a packet,
// with every character escaped.
const maxCaveatJSON = 6*65535 + 1024

// tokenType reads a token type, that of access tokens if it is missing. The
// error is badValueTokenType.
func (in *input) tokenType(key string) macaroon.Type {
	if !in.has(key) {
		return macaroon.AccessToken()
	}
	return optional(in, key, func(raw json.RawMessage) (t macaroon.Type, err error) {
		if t.UnmarshalJSON(raw) != nil {
			return macaroon.Type{}, errors.BadValueTokenType(key)
		}
		return t, nil
	})
}

// inviteType reads the name of an invite type, zero if it is missing. The error
// is badValueInviteType.
func (in *input) inviteType(key string) macaroon.InviteType {
	return optional(in, key, func(raw json.RawMessage) (macaroon.InviteType, error) {
		s, _ := strictjson.Text(raw)
		t, err := macaroon.ParseInviteType(s)
		if err != nil {
			return 0, errors.BadValueInviteType(key)
		}
		return t, nil
	})
}

// usageLimit reads how often a token can be used, 0 for "infinity" and if it is
// missing. As in the original, a string may hold the integer. Errors:
// badValueInteger, badValueTooLow {limit 1}.
func (in *input) usageLimit(key string) int64 {
	return optional(in, key, func(raw json.RawMessage) (int64, error) {
		digits, ok := strictjson.Text(raw)
		if ok && digits == "infinity" {
			return 0, nil
		}
		if !ok {
			digits = string(raw)
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange): // out of range; n is the nearest integer
			return 0, errors.BadValueInteger(key)
		case n < 1:
			return 0, errors.BadValueTooLow(key, 1)
		}
		return n, nil
	})
}

// privileges reads the privileges of a new member, nil if they are missing.
// Errors: badValueListOfStrings, badValueListNotAllowed {allowed}.
func (in *input) privileges(key string, allowed []string) []string {
	return optional(in, key, func(raw json.RawMessage) ([]string, error) {
		var list []json.RawMessage
		if raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
			return nil, errors.BadValueListOfStrings(key)
		}
		names, known := make([]string, 0, len(list)), true
		for _, item := range list {
			s, ok := strictjson.Text(item)
			if !ok && !isConstant(item) {
				return nil, errors.BadValueListOfStrings(key)
			}
			known = known && slices.Contains(allowed, s)
			names = append(names, s)
		}
		if !known {
			return nil, errors.BadValueListNotAllowed(key, allowed...)
		}
		return names, nil
	})
}
