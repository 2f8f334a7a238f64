package caveat

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/onezone-go/onezone/internal/strictjson"
)

// FromJSON reads and validates a caveat of the Onezone language in the object
// form; see [Vocabulary.FromJSON].
func FromJSON(data []byte) (Caveat, error) { return (*Vocabulary)(nil).FromJSON(data) }

// FromJSON reads and validates a caveat for a new token in the object form of
// the REST API. Unknown keys are ignored. The error is badValueCaveat {caveat},
// with the bad value itself if it is an object or a string, and its JSON text
// otherwise.
func (v *Vocabulary) FromJSON(data []byte) (Caveat, error) {
	o, err := strictjson.Parse(data)
	if err != nil || o == nil {
		return nil, badCaveat(offender(data), "it must be a JSON object that repeats no key")
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

// offender returns the bad value as a detail of the error.
func offender(data []byte) any {
	data = bytes.TrimSpace(data)
	if json.Valid(data) && (data[0] == '{' || data[0] == '"') {
		return json.RawMessage(bytes.Clone(data))
	}
	return string(bytes.ToValidUTF8(data, []byte("\uFFFD")))
}

// object is a JSON object with undecoded values. It is a map because the keys
// of the API are case-sensitive.
type object map[string]json.RawMessage

func (o object) has(key string) bool { return o[key] != nil }

// text returns the string under the key; ok is false if the value is missing or
// not a string.
func (o object) text(key string) (s string, ok bool) { return text(o[key]) }

func text(raw json.RawMessage) (s string, ok bool) {
	s, ok = strictjson.Text(raw)
	return s, ok && isText(s)
}

// list returns the entries of the list under the key, nil if the value is not a
// list or is empty. It returns at most most+1 entries, so that the caller
// notices a list that is too long.
func (o object) list(key string, most int) []json.RawMessage {
	list, _ := strictjson.Elements(o[key], most)
	return list
}

// read decodes a caveat of the Onezone language or of an application's kind.
// The problem says what would be right.
func (v *Vocabulary) read(o object) (c Caveat, problem string) {
	typ, _ := o.text("type")
	form := ""
	for _, r := range v.language().rows {
		if r.key == "" && string(r.typ) != typ || r.key != "" && !o.has(r.key) {
			continue
		}
		form = cmp.Or(form, r.object)
		switch c, problem = r.read(o, v.limit()); problem {
		case "":
			return c, ""
		case notThisForm:
		default:
			return nil, hasForm(problem, r.object)
		}
	}
	if k := v.kind(typ); k != nil {
		if value, ok := o.text("value"); ok {
			return Custom{k, value}, ""
		}
		return nil, hasForm("value must be a string", fmt.Sprintf(`{"type":%q,"value":"VALUE"}`, typ))
	}
	if form != "" {
		return nil, hasForm(notThisForm, form)
	}
	return nil, "its type must be one of " + v.kindsBy(func(r row) string { return string(r.typ) })
}

func hasForm(problem, form string) string { return problem + "; its type has the form " + form }

func unless(ok bool, problem string) string {
	if ok {
		return ""
	}
	return problem
}

// listJSON returns the reader of a caveat that is a whitelist of texts, each
// read by parse.
func listJSON[C interface {
	~[]E
	Caveat
}, E any](parse func(string) (E, error)) func(object, int) (Caveat, string) {
	return func(o object, most int) (Caveat, string) {
		raw := o.list("whitelist", most)
		if raw == nil {
			return nil, notThisForm
		}
		list, ok := readTexts(raw, parse)
		return C(list), unless(ok, "every entry of the whitelist must have the form of the type")
	}
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

// integer reads a JSON number that is written as an integer.
func integer(raw json.RawMessage) (int64, bool) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return n, err == nil
}
