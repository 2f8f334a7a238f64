package wire

import "encoding/binary"

// version2 is the first byte of a macaroon in version 2.
const version2 = 2

// The types of fields in version 2. Fields of a section are in this order.
const (
	endOfSection      = 0
	locationField     = 1
	identifierField   = 2
	verificationField = 4
	signatureField    = 6
)

// Problems that ParseVersion2 returns, besides those of Parse.
const (
	badVersion  = "it is not a macaroon of version 2"
	badField    = "a field is missing, empty, unknown or out of order"
	badSize     = "the size of a field is not in its shortest form, or does not fit the data"
	notLocated  = "a first-party caveat has a location"
	badEndField = "the signature is not 32 bytes at the very end"
)

// IsVersion2 reports whether the bytes begin like a macaroon in version 2.
func IsVersion2(raw string) bool { return raw != "" && raw[0] == version2 }

// ParseVersion2 parses the binary form of version 2. There is one form of each
// macaroon: without empty fields, and with sizes in as few bytes as possible.
// problem describes why the bytes are not a macaroon, "" if they are one.
func ParseVersion2(raw string, maxCaveats int) (m Macaroon, signature, problem string) {
	if !IsVersion2(raw) {
		return Macaroon{}, "", badVersion
	}
	r := reader{rest: raw[1:]}
	m.Location = r.optional(locationField)
	m.Identifier = r.required(identifierField)
	r.endSection()
	for r.problem == none && !r.isNext(endOfSection) {
		if len(m.Caveats) == maxCaveats {
			return Macaroon{}, "", tooMany
		}
		location := r.optional(locationField)
		m.Caveats = append(m.Caveats, r.required(identifierField))
		if verification := r.optional(verificationField); verification != "" {
			m.ThirdParty = append(m.ThirdParty, ThirdParty{len(m.Caveats) - 1, verification, location})
		} else if location != "" {
			r.fail(notLocated)
		}
		r.endSection()
	}
	r.endSection()
	if signature = r.required(signatureField); len(signature) != signatureSize || r.rest != "" {
		r.fail(badEndField)
	}
	if r.problem != none {
		return Macaroon{}, "", r.problem
	}
	return m, signature, none
}

// reader reads fields of version 2. It keeps the first problem, after which it
// reads nothing.
type reader struct{ rest, problem string }

func (r *reader) fail(problem string) {
	if r.problem == none {
		r.rest, r.problem = "", problem
	}
}

// isNext reports whether the next field has the type.
func (r *reader) isNext(field byte) bool { return r.rest != "" && r.rest[0] == field }

func (r *reader) endSection() {
	if !r.isNext(endOfSection) {
		r.fail(badField)
		return
	}
	r.rest = r.rest[1:]
}

// optional returns the value of a field that may be missing; it is then "".
func (r *reader) optional(field byte) string {
	if !r.isNext(field) {
		return ""
	}
	return r.required(field)
}

// required returns the value of a field.
func (r *reader) required(field byte) string {
	if !r.isNext(field) {
		r.fail(badField)
		return ""
	}
	size, width := 0, 1
	for shift := 0; ; shift += 7 {
		if width == len(r.rest) || shift > 21 { // more than any text has
			r.fail(badSize)
			return ""
		}
		b := r.rest[width]
		width++
		size |= int(b&0x7f) << shift
		if b < 0x80 {
			if b == 0 && shift > 0 { // overlong
				r.fail(badSize)
				return ""
			}
			break
		}
	}
	switch {
	case size == 0:
		r.fail(badField)
		return ""
	case size > len(r.rest)-width:
		r.fail(badSize)
		return ""
	}
	value := r.rest[width : width+size]
	r.rest = r.rest[width+size:]
	return value
}

// AppendVersion2 appends the binary form of version 2.
func AppendVersion2(b []byte, m *Macaroon, signature string) []byte {
	b = append(b, version2)
	b = appendField(b, locationField, m.Location)
	b = appendField(b, identifierField, m.Identifier)
	b = append(b, endOfSection)
	third := m.ThirdParty
	for i, text := range m.Caveats {
		var verification string
		if len(third) > 0 && third[0].Index == i {
			b = appendField(b, locationField, third[0].Location)
			verification, third = third[0].Verification, third[1:]
		}
		b = appendField(b, identifierField, text)
		b = appendField(b, verificationField, verification)
		b = append(b, endOfSection)
	}
	b = append(b, endOfSection)
	return appendField(b, signatureField, signature)
}

// appendField appends a field, unless it is empty.
func appendField(b []byte, field byte, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, field)
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}
