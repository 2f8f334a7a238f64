package errors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// maxJSON bounds the JSON of an error that is read, in bytes. Errors quote single caveats whole, and a caveat may be
// nearly as large as the largest token, 1 MiB.
const maxJSON = 2 << 20

// Envelope is the body of an HTTP answer that reports an error: {"error":{"id":...,"details":...,"description":...}}.
// A null error reads as a nil Error, and a nil Error is written as null.
type Envelope struct {
	// Error is the reported error.
	Error *Error `json:"error"`
}

// MarshalJSON returns the error object without its envelope: id, details (absent when there are none) and
// description. Nested errors are error objects too. An unrecognised error is returned as it was read, with a
// description added if it had none. A nil error is null.
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

// describedOriginal returns the original JSON, in which a description is spliced as text so that nothing else of
// it changes.
func (e *Error) describedOriginal() ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.original, &members); err != nil {
		return nil, fmt.Errorf("read back an unrecognised error: %w", err)
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

// UnmarshalJSON reads an error object without its envelope, of either generation of the API. An error of the
// catalogue gets the details that the catalogue lists, other details and the description are ignored. An error
// with an unknown id, without an id, or with details missing or of the wrong type is unrecognised: it is kept
// whole, written back as it is, and has the status 500. The ID and the Description of such an error are still set
// when the object has them.
//
// It fails, with an error that is not of the catalogue, only if data is not a JSON object or larger than 2 MiB.
// Null leaves e as it is.
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

// decode reads an error object that is nested in depth others; nil stands for null.
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
			return raise(entry.id, d), nil
		}
	}
	e := raise(ID(id), nil)
	e.original = bytes.Clone(data)
	if description, _ := parseValue(members["description"]).(string); strings.TrimSpace(description) != "" {
		e.Description = plain(description)
	}
	return e, nil
}

// readDetails reads the details that the entry lists. It reports false if a required one is missing or one has the
// wrong type.
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
