package errors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// maxJSON is the largest JSON of an error that is read, in bytes. An error may
// quote a caveat that is nearly as large as the largest token, 1 MiB.
const maxJSON = 2 << 20

// Envelope is the body of an HTTP answer that reports an error:
// {"error":{"id":...,"details":...,"description":...}}. A null error is read as
// a nil Error, and a nil Error is written as null.
type Envelope struct {
	// Error is the reported error.
	Error *Error `json:"error"`
}

// MarshalJSON returns the error object without its envelope: id, details
// (omitted if nil) and description. Nested errors are error objects, too. An
// unrecognized error is returned unchanged, with a description added if it had
// none. A nil error is null.
func (e *Error) MarshalJSON() ([]byte, error) {
	if e == nil {
		return []byte("null"), nil
	}
	if e.original != nil {
		return e.describedOriginal()
	}
	return json.Marshal(struct {
		ID          ID      `json:"id"`
		Details     details `json:"details,omitempty"`
		Description string  `json:"description"`
	}{e.ID, e.Details, e.description()})
}

// describedOriginal returns the original JSON with a description. It inserts
// the description as text, so that the rest does not change.
func (e *Error) describedOriginal() ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.original, &members); err != nil {
		return nil, fmt.Errorf("read back an unrecognized error: %w", err)
	}
	if _, ok := members["description"]; ok {
		return bytes.Clone(e.original), nil
	}
	description, err := json.Marshal(e.description())
	if err != nil {
		return nil, fmt.Errorf("write a description: %w", err)
	}
	end := bytes.LastIndexByte(e.original, '}')
	out := bytes.Clone(e.original[:end])
	if len(members) > 0 {
		out = append(out, ',')
	}
	out = append(out, `"description":`...)
	out = append(out, description...)
	return append(out, '}'), nil
}

// UnmarshalJSON reads an error object without its envelope, of either
// generation of the API. For an error of the catalogue, the description and
// unknown details are ignored. An error with an unknown id, without an id, or
// with details missing or of the wrong type is unrecognized: it is kept and
// written back unchanged, has the status 500, and has the ID and Description of
// the object, if any.
//
// It returns an error, outside the catalogue, only if data is not a JSON object
// or larger than 2 MiB. Null leaves e unchanged.
func (e *Error) UnmarshalJSON(data []byte) error {
	if e == nil {
		return New("read an error object into a nil Error")
	}
	if len(data) > maxJSON {
		return fmt.Errorf("read an error object: %d bytes exceed the limit of %d", len(data), maxJSON)
	}
	decoded, err := decode(data, 0)
	if err != nil || decoded == nil {
		return err
	}
	*e = *decoded
	return nil
}

// decode reads an error object that is nested in depth others. It returns nil
// for null.
func decode(data []byte, depth int) (*Error, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("read an error object: nested deeper than %d", maxNesting)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("read an error object: %w", err)
	}
	if members == nil {
		return nil, nil
	}
	id, _ := parseValue(members["id"]).(string)
	if entry, ok := lookup(ID(id)); ok {
		if d, ok := entry.readDetails(members["details"], depth); ok {
			return newError(entry.id, d), nil
		}
	}
	e := newError(ID(id), nil)
	e.original = bytes.Clone(data)
	if description, _ := parseValue(members["description"]).(string); strings.TrimSpace(description) != "" {
		e.Description = sanitize(description)
	}
	return e, nil
}

// readDetails reads the details that the entry lists. It returns false if a
// required one is missing or one has the wrong type.
func (e entry) readDetails(raw json.RawMessage, depth int) (details, bool) {
	if len(e.fields) == 0 {
		return nil, true
	}
	var members map[string]json.RawMessage
	if raw != nil {
		if err := json.Unmarshal(raw, &members); err != nil {
			return nil, false
		}
	}
	d := make(details, len(e.fields))
	for _, f := range e.fields {
		member, present := members[f.key]
		if f.optional && (!present || isNull(member)) {
			if present && f.keepsNull {
				d[f.key] = nil
			}
			continue
		}
		value, ok := f.read(member, depth)
		if !present || !ok {
			return nil, false
		}
		d[f.key] = value
	}
	if len(d) == 0 {
		return nil, true
	}
	return d, true
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }
