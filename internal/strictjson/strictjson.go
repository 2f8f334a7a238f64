// Package strictjson parses only JSON that all parsers interpret in the same
// way. The text must be UTF-8 with one value, without repeated keys in an
// object, unpaired surrogates or numbers that overflow a double, and with at
// most [MaxDepth] nested values.
package strictjson

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/onezone-go/onezone/errors"
)

// MaxDepth is the limit on nested objects and lists.
const MaxDepth = 64

// Parse parses a JSON text and returns the members of an object, undecoded. For
// other values it returns nil. The members share the memory of data. The error
// is malformedData for a text that is not strict.
func Parse(data []byte) (members map[string]json.RawMessage, err error) {
	object, err := ParseObject(data)
	if err != nil || object == nil {
		return nil, err
	}
	return object.Map(), nil
}

// ParseObject is Parse with a result that takes less time to make and to read
// than a map, if the object is small.
func ParseObject(data []byte) (*Object, error) {
	p := parser{data: data}
	p.space()
	var object *Object
	if p.peek() == '{' {
		object = &Object{few: make([]member, 0, 4)}
	}
	ok := p.value(0, object)
	p.space()
	if !ok || p.at != len(data) {
		return nil, errors.MalformedData()
	}
	return object, nil
}

// Object holds the members of an object, undecoded. The zero Object is empty.
type Object struct {
	few  []member                   // up to fewKeys
	many map[string]json.RawMessage // all members, if there are more
}

type member struct {
	key   []byte
	value json.RawMessage
}

// Get returns the value of a member, nil if the object has no such member.
func (o *Object) Get(key string) json.RawMessage {
	if o.many != nil {
		return o.many[key]
	}
	for _, m := range o.few {
		if string(m.key) == key {
			return m.value
		}
	}
	return nil
}

// Map returns the members as a map.
func (o *Object) Map() map[string]json.RawMessage {
	if o.many != nil {
		return o.many
	}
	members := make(map[string]json.RawMessage, len(o.few))
	for _, m := range o.few {
		members[string(m.key)] = m.value
	}
	return members
}

// has reports whether the object has a member with the key.
func (o *Object) has(key []byte) bool {
	if o.many != nil {
		_, found := o.many[string(key)]
		return found
	}
	return slices.ContainsFunc(o.few, func(m member) bool { return bytes.Equal(m.key, key) })
}

func (o *Object) add(key []byte, value json.RawMessage) {
	if o.many == nil && len(o.few) < fewKeys {
		o.few = append(o.few, member{key, value})
		return
	}
	if o.many == nil {
		o.many, o.few = o.Map(), nil
	}
	o.many[string(key)] = value
}

// Elements returns the elements of a JSON array, undecoded. It stops after
// most+1 elements. ok is false for other values.
func Elements(raw json.RawMessage, most int) (list []json.RawMessage, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return nil, false
	}
	for d.More() && len(list) <= most {
		var element json.RawMessage
		if d.Decode(&element) != nil {
			return nil, false
		}
		list = append(list, element)
	}
	return list, true
}

// Text decodes a JSON string. ok is false for other values. For a text that is
// not JSON the result has no meaning.
func Text(raw json.RawMessage) (s string, ok bool) {
	raw = bytes.TrimSpace(raw)
	last := len(raw) - 1
	switch {
	case last < 1 || raw[0] != '"':
		return "", false
	case raw[last] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw):
		return string(raw[1:last]), true
	}
	return decodeText(raw)
}

// decodeText is a function of its own because in Text it would make every string
// escape to the heap.
func decodeText(raw json.RawMessage) (s string, ok bool) {
	ok = json.Unmarshal(raw, &s) == nil
	return s, ok
}

// parser makes one pass over a text. Its methods return false if the text is
// not strict.
type parser struct {
	data []byte
	at   int
	keys [][]byte // of the objects around the current position, outermost first
}

// peek returns the next byte, or 0 at the end. Outside of strings, JSON does
// not contain a 0 byte.
func (p *parser) peek() byte {
	if p.at < len(p.data) {
		return p.data[p.at]
	}
	return 0
}

// take skips the next byte if it is c.
func (p *parser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *parser) space() {
	for p.at < len(p.data) {
		switch p.data[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// value parses one value. It adds the members of an object to members unless
// that is nil.
func (p *parser) value(depth int, members *Object) bool {
	switch c := p.peek(); {
	case c == '"':
		_, _, ok := p.text()
		return ok
	case c == '{':
		return depth < MaxDepth && p.object(depth, members)
	case c == '[':
		return depth < MaxDepth && p.list(depth)
	case c == '-' || isDigit(c):
		return p.number()
	case c == 't':
		return p.literal("true")
	case c == 'f':
		return p.literal("false")
	}
	return p.literal("null")
}

func (p *parser) literal(text string) bool {
	if !bytes.HasPrefix(p.data[p.at:], []byte(text)) {
		return false
	}
	p.at += len(text)
	return true
}

func (p *parser) list(depth int) bool {
	p.at++
	p.space()
	if p.take(']') {
		return true
	}
	for {
		p.space()
		if !p.value(depth+1, nil) {
			return false
		}
		p.space()
		if !p.take(',') {
			return p.take(']')
		}
	}
}

// fewKeys is the number of keys up to which an object's keys are compared one
// by one rather than stored in a set.
const fewKeys = 16

func (p *parser) object(depth int, members *Object) bool {
	p.at++
	p.space()
	if p.take('}') {
		return true
	}
	first := len(p.keys)
	var many map[string]bool
	for {
		p.space()
		key, ok := p.key()
		if !ok || members != nil && members.has(key) || members == nil && p.repeats(key, first, &many) {
			return false
		}
		p.space()
		if !p.take(':') {
			return false
		}
		p.space()
		from := p.at
		if !p.value(depth+1, nil) {
			return false
		}
		if members != nil {
			members.add(key, p.data[from:p.at:p.at])
		}
		p.space()
		if !p.take(',') {
			p.keys = p.keys[:first]
			return p.take('}')
		}
	}
}

// key parses a string and returns its decoded value.
func (p *parser) key() (key []byte, ok bool) {
	from := p.at
	key, escaped, ok := p.text()
	if escaped && ok {
		var s string
		ok = json.Unmarshal(p.data[from:p.at], &s) == nil
		key = []byte(s)
	}
	return key, ok
}

// repeats reports whether the object already has the key, and adds the key.
// first is the index of the object's first key.
func (p *parser) repeats(key []byte, first int, many *map[string]bool) bool {
	known := p.keys[first:]
	if *many == nil && len(known) == fewKeys {
		*many = make(map[string]bool)
		for _, k := range known {
			(*many)[string(k)] = true
		}
	}
	if *many != nil {
		repeated := (*many)[string(key)]
		(*many)[string(key)] = true
		return repeated
	}
	p.keys = append(p.keys, key)
	return slices.ContainsFunc(known, func(k []byte) bool { return bytes.Equal(k, key) })
}

// text parses a string and returns the text between its quotes.
func (p *parser) text() (text []byte, escaped, ok bool) {
	if !p.take('"') {
		return nil, false, false
	}
	from, ascii := p.at, true
	for p.at < len(p.data) {
		if rest := p.data[p.at:]; len(rest) >= 8 && isPlain(binary.LittleEndian.Uint64(rest)) {
			p.at += 8
			continue
		}
		switch c := p.data[p.at]; {
		case c == '"':
			text = p.data[from:p.at]
			p.at++
			return text, escaped, ascii || utf8.Valid(text)
		case c == '\\':
			escaped = true
			if !p.escape() {
				return nil, escaped, false
			}
		case c < ' ':
			return nil, escaped, false
		default:
			ascii = ascii && c < utf8.RuneSelf
			p.at++
		}
	}
	return nil, escaped, false
}

// isPlain reports whether the eight bytes are ASCII without control characters,
// quotes and backslashes. It tests all of them at once.
func isPlain(eight uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := eight^each*'"', eight^each*'\\' // with zero bytes in their places
	special := (eight-each*' ')&^eight | (quote-each)&^quote | (backslash-each)&^backslash | eight
	return special&high == 0
}

// escape parses one escape, or both escapes of a surrogate pair.
func (p *parser) escape() bool {
	p.at++
	switch p.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.at++
		return true
	}
	first, ok := p.unit()
	if !ok || !utf16.IsSurrogate(first) {
		return ok
	}
	second, ok := rune(0), p.take('\\')
	if ok {
		second, ok = p.unit()
	}
	return ok && utf16.DecodeRune(first, second) != unicode.ReplacementChar
}

// unit parses a UTF-16 code unit: the letter u and four hexadecimal digits.
func (p *parser) unit() (unit rune, ok bool) {
	if !p.take('u') || len(p.data)-p.at < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p.data[p.at:p.at+4]), 16, 16)
	p.at += 4
	return rune(n), err == nil
}

// safeDigits is a length up to which a number without an exponent cannot
// overflow a double.
const safeDigits = 300

func (p *parser) number() bool {
	from := p.at
	p.take('-')
	if !p.take('0') && !p.digits() {
		return false
	}
	if p.take('.') && !p.digits() {
		return false
	}
	exponent := p.peek() == 'e' || p.peek() == 'E'
	if exponent {
		p.at++
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return false
		}
	}
	if !exponent && p.at-from <= safeDigits {
		return true
	}
	_, err := strconv.ParseFloat(string(p.data[from:p.at]), 64)
	return err == nil
}

// digits skips digits, and reports whether it skipped any.
func (p *parser) digits() bool {
	from := p.at
	for isDigit(p.peek()) {
		p.at++
	}
	return p.at > from
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
