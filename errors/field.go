package errors

import (
	"bytes"
	"encoding/json"
	"strconv"
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

func text(key string) field    { return field{key: key, read: readValue[string]} }
func integer(key string) field { return field{key: key, read: readInteger} }
func list(key string) field    { return field{key: key, read: readValue[[]any]} }
func object(key string) field  { return field{key: key, read: readValue[map[string]any]} }
func nested(key string) field  { return field{key: key, read: readNested} }
func anyJSON(key string) field { return field{key: key, read: readAnyJSON} }

// texts is a list of strings.
func texts(key string) field {
	return field{key: key, read: func(raw json.RawMessage, _ int) (any, bool) {
		items, ok := parseValue(raw).([]any)
		for _, item := range items {
			_, isText := item.(string)
			ok = ok && isText
		}
		return items, ok
	}}
}

// textOrObject is a string or an object.
func textOrObject(key string) field {
	return field{key: key, read: func(raw json.RawMessage, _ int) (any, bool) {
		switch v := parseValue(raw).(type) {
		case string, map[string]any:
			return v, true
		default:
			return nil, false
		}
	}}
}

// tokenType is the JSON form of a token's type.
func tokenType(key string) field {
	return objectWhere(key, func(o map[string]any) bool {
		for _, name := range []string{"accessToken", "identityToken", "inviteToken"} {
			if _, ok := o[name].(map[string]any); ok {
				return true
			}
		}
		return false
	})
}

// caveat is the JSON form of a caveat. Applications define further types.
func caveat(key string) field {
	return objectWhere(key, func(o map[string]any) bool {
		_, typed := o["type"].(string)
		return typed || o["scope"] == "identityToken"
	})
}

// party is the JSON form of a subject or a service. The id is null for the
// subject nobody.
func party(key string) field {
	return objectWhere(key, func(o map[string]any) bool {
		_, typed := o["type"].(string)
		id, present := o["id"]
		_, isText := id.(string)
		return typed && present && (id == nil || isText)
	})
}

// objectWhere is an object that satisfies a condition.
func objectWhere(key string, ok func(map[string]any) bool) field {
	return field{key: key, read: func(raw json.RawMessage, _ int) (any, bool) {
		o, isObject := parseValue(raw).(map[string]any)
		return o, isObject && ok(o)
	}}
}

// optional makes a detail optional.
func optional(f field) field {
	f.optional = true
	return f
}

// nullable makes a detail optional, and distinguishes null from missing.
func nullable(f field) field {
	f.optional, f.keepsNull = true, true
	return f
}

func readValue[T any](raw json.RawMessage, _ int) (any, bool) {
	v, ok := parseValue(raw).(T)
	return v, ok
}

func readAnyJSON(raw json.RawMessage, _ int) (any, bool) { return parseValue(raw), true }

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
