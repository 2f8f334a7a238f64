package errors

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// maxNesting is the deepest nesting of errors that is read, because each level
// costs a pass over the JSON. The API nests about five.
const maxNesting = 8

// field is one key of an error's details.
type field struct {
	key  string
	read reader
	// optional: the key may be missing or null, which is the same.
	optional bool
	// keepsNull: the null of an optional key is kept, and differs from missing.
	keepsNull bool
}

// reader reads the JSON of one detail at the given depth of nested errors. It
// returns false for JSON of the wrong type.
type reader func(raw json.RawMessage, depth int) (any, bool)

// readers are the types of details in the catalogue.
var readers = map[string]reader{
	"any":     func(raw json.RawMessage, _ int) (any, bool) { return parseValue(raw), true },
	"text":    readValue[string],
	"list":    readValue[[]any],
	"object":  readValue[map[string]any],
	"integer": readInteger,
	"texts": where(func(items []any) bool {
		return !slices.ContainsFunc(items, func(item any) bool { return !is[string](item) })
	}),
	"textOrObject": func(raw json.RawMessage, _ int) (any, bool) {
		v := parseValue(raw)
		return v, is[string](v) || is[map[string]any](v)
	},
	// The JSON form of a token's type.
	"tokenType": where(func(o map[string]any) bool {
		return is[map[string]any](o["accessToken"]) || is[map[string]any](o["identityToken"]) || is[map[string]any](o["inviteToken"])
	}),
	// The JSON form of a caveat. Applications define further types.
	"caveat": where(func(o map[string]any) bool { return is[string](o["type"]) || o["scope"] == "identityToken" }),
	// The JSON form of a subject or a service. The id is null for the subject
	// nobody.
	"party": where(func(o map[string]any) bool {
		id, present := o["id"]
		return is[string](o["type"]) && present && (id == nil || is[string](id))
	}),
}

// parseField parses a detail in the catalogue: KEY:TYPE, KEY:TYPE? or
// KEY:TYPE?null.
func parseField(text string) field {
	key, typ, _ := strings.Cut(text, ":")
	typ, null, optional := strings.Cut(typ, "?")
	f := field{key: key, read: readers[typ], optional: optional, keepsNull: null != ""}
	if typ == "error" { // not in the map, which would be an initialization cycle
		f.read = readNested
	}
	return f
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

// where reads a value that satisfies a condition.
func where[T any](ok func(T) bool) reader {
	return func(raw json.RawMessage, _ int) (any, bool) {
		v, isValue := parseValue(raw).(T)
		return v, isValue && ok(v)
	}
}

func readValue[T any](raw json.RawMessage, _ int) (any, bool) {
	v, ok := parseValue(raw).(T)
	return v, ok
}

func readInteger(raw json.RawMessage, _ int) (any, bool) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return n, err == nil
}

func readNested(raw json.RawMessage, depth int) (any, bool) {
	e, err := decode(raw, depth+1)
	return e, err == nil && e != nil
}

// parseValue reads valid JSON into the plain values of [Error.Details].
func parseValue(raw json.RawMessage) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a float64 would not be written back unchanged
	var v any
	if err := d.Decode(&v); err != nil {
		return nil
	}
	return integers(v)
}

// integers replaces, in place, numbers by int64 where that keeps their text.
func integers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil && strconv.FormatInt(n, 10) == v.String() {
			return n
		}
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = integers(v[key])
		}
	}
	return v
}

// plainJSON returns a private copy of any value as plain JSON. A value without
// a JSON form becomes null.
func plainJSON(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return parseValue(raw)
}

// plainStrings returns a private copy of a list of strings as plain JSON.
func plainStrings(items []string) []any {
	plain := make([]any, len(items))
	for i, item := range items {
		plain[i] = item
	}
	return plain
}
