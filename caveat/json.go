package caveat

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/onezone-go/onezone/errors"
)

// FromJSON reads and validates a caveat of the Onezone language in the object
// form; see [Vocabulary.FromJSON].
func FromJSON(data []byte) (Caveat, error) { return (*Vocabulary)(nil).FromJSON(data) }

// FromJSON reads a caveat that a client hands in for a new token, in the object
// form of the REST API, and validates it. Keys that the form does not have are
// ignored. The error is badValueCaveat {caveat}, with the offending value as it
// came where it is an object or a string, and as its JSON text otherwise.
func (v *Vocabulary) FromJSON(data []byte) (Caveat, error) {
	var o object
	if json.Unmarshal(data, &o) != nil || o == nil {
		return nil, badCaveat(offender(data), "it must be an object")
	}
	c, problem := v.read(o)
	if problem == "" {
		_, problem = v.text(c)
	}
	if problem != "" {
		return nil, badCaveat(offender(data), problem)
	}
	return c, nil
}

// offender is the detail that names a bad caveat.
func offender(data []byte) any {
	data = bytes.TrimSpace(data)
	if json.Valid(data) && (data[0] == '{' || data[0] == '"') {
		return json.RawMessage(bytes.Clone(data))
	}
	return string(bytes.ToValidUTF8(data, []byte("\uFFFD")))
}

// object is a JSON object, its values unread. A map, because the keys of the
// API are case-sensitive.
type object map[string]json.RawMessage

func (o object) has(key string) bool { return o[key] != nil }

// text returns the string under the key; ok is false where there is none.
func (o object) text(key string) (s string, ok bool) { return text(o[key]) }

func text(raw json.RawMessage) (s string, ok bool) {
	var p *string
	if json.Unmarshal(raw, &p) != nil || p == nil || !isText(*p) {
		return "", false
	}
	return *p, true
}

// list returns the entries of the list under the key; nil where it is no list
// or an empty one. Of a list with more entries than most it returns one more,
// and reads no further.
func (o object) list(key string, most int) (list []json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(o[key]))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return nil
	}
	for d.More() && len(list) <= most {
		var entry json.RawMessage
		if d.Decode(&entry) != nil {
			return nil
		}
		list = append(list, entry)
	}
	return list
}

// read picks the first form that fits, in the order of the API: a form fits by
// its type and keys, and the legacy scope by its key alone, once the forms
// before it did not fit.
func (v *Vocabulary) read(o object) (Caveat, string) {
	t, _ := o.text("type")
	whitelist, list := o.list("whitelist", v.limit()), o.list("list", v.limit())
	switch {
	case t == string(TypeTime) && o.has("validUntil"):
		n, ok := integer(o["validUntil"])
		return Time{n}, unless(ok, "validUntil must be an integer number of seconds")
	case t == string(TypeIP) && whitelist != nil:
		list, ok := readTexts(whitelist, parseMask)
		return IP(list), unless(ok, "every entry must be an IPv4 address or A.B.C.D/LENGTH")
	case t == string(TypeASN) && whitelist != nil:
		return readASN(whitelist)
	case t == string(TypeCountry) && o.has("filter") && list != nil:
		p, problem := readPlaces(o, list)
		return Country{p.filter, p.list}, problem
	case t == string(TypeRegion) && o.has("filter") && list != nil:
		p, problem := readPlaces(o, list)
		return Region{p.filter, p.list}, problem
	case o.has("scope"):
		scope, _ := o.text("scope")
		return IdentityOnly{}, unless(scope == "identityToken", `scope must be "identityToken"`)
	case t == string(TypeInterface):
		name, _ := o.text("interface")
		i, ok := ParseInterface(name)
		return i, unless(ok, "interface must be rest, oneclient or graphsync")
	case t == string(TypeDataReadonly):
		return DataReadonly{}, ""
	}
	if k := v.kind(t); k != nil {
		value, ok := o.text("value")
		return Custom{k, value}, unless(ok, "value must be a string")
	}
	return readWhitelist(Type(t), whitelist)
}

// readWhitelist reads the forms that are a list of texts and nothing else.
func readWhitelist(t Type, list []json.RawMessage) (Caveat, string) {
	const bad = "whitelist must be a list with one or more entries of the form that the type has"
	switch t {
	case TypeService:
		list, ok := readTexts(list, ParseService)
		return Services(list), unless(ok, bad)
	case TypeConsumer:
		list, ok := readTexts(list, ParseSubject)
		return Consumers(list), unless(ok, bad)
	case TypeAPI:
		list, ok := readTexts(list, ParseMatchSpec)
		return API(list), unless(ok, bad)
	case TypeDataPath:
		list, ok := readTexts(list, strictPath)
		return DataPath(list), unless(ok, bad)
	case TypeDataObjectID:
		list, ok := readTexts(list, verbatim)
		return DataObjectID(list), unless(ok, bad)
	}
	return nil, "its type must be one of the known ones, with the keys that belong to it"
}

func unless(ok bool, problem string) string {
	if ok {
		return ""
	}
	return problem
}

// readTexts reads a list of strings, each by parse.
func readTexts[E any](raw []json.RawMessage, parse func(string) (E, error)) ([]E, bool) {
	list := make([]E, 0, len(raw))
	for _, r := range raw {
		s, ok := text(r)
		if !ok {
			return nil, false
		}
		e, err := parse(s)
		if err != nil {
			return nil, false
		}
		list = append(list, e)
	}
	return list, len(list) > 0
}

// strictPath reads base64 that a client wrote: only what prints back the same.
func strictPath(entry string) (string, error) {
	path, err := decodePath(entry)
	if err == nil && encodePath(path) != entry {
		err = errors.BadValueFilePath()
	}
	return path, err
}

func readASN(raw []json.RawMessage) (Caveat, string) {
	list := make(ASN, 0, len(raw))
	for _, r := range raw {
		n, ok := integer(r)
		if !ok || n < 0 || n > 1<<32-1 {
			return nil, "every entry must be an integer from 0 to 4294967295"
		}
		list = append(list, uint32(n))
	}
	return list, unless(len(list) > 0, "the list must not be empty")
}

func readPlaces(o object, entries []json.RawMessage) (p places, problem string) {
	filter, _ := o.text("filter")
	switch filter {
	case Whitelist.String():
		p.filter = Whitelist
	case Blacklist.String():
		p.filter = Blacklist
	}
	list, ok := readTexts(entries, verbatim)
	p.list = list
	return p, unless(ok, "list must be a list of strings")
}

// integer reads a JSON number that is written as an integer.
func integer(raw json.RawMessage) (int64, bool) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return n, err == nil
}
