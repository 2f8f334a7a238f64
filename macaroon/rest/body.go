package rest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/onezone-go/onezone/errors"
)

// Limits of a request body.
const (
	maxBody  = 2 << 20 // bytes
	maxDepth = 64      // nested objects and lists
)

// errMediaType is a body that is not said to be JSON.
var errMediaType = errors.New("the body is not application/json")

// readBody reads the text of a body: errMediaType for a type that the API does
// not speak, where there is a body at all, and [http.MaxBytesError] past maxBody.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if !isJSON(r.Header.Get("Content-Type")) {
		if _, err := io.ReadFull(r.Body, make([]byte, 1)); err == nil {
			return nil, errMediaType
		} else if err != io.EOF {
			return nil, err
		}
		return nil, nil
	}
	if r.ContentLength > maxBody {
		return nil, &http.MaxBytesError{Limit: maxBody}
	}
	// Room for what most bodies need, whatever this one says of itself: memory
	// goes to bytes that come, not to those that are announced.
	var b bytes.Buffer
	b.Grow(int(min(max(r.ContentLength, 0), 16<<10)) + bytes.MinRead)
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	return b.Bytes(), err
}

// maxListed bounds the headers that are read as lists or with parameters. What is
// longer is none that JSON is in.
const maxListed = 8 << 10

func isJSON(contentType string) bool {
	if contentType == jsonType {
		return true
	}
	if len(contentType) > maxListed {
		return false
	}
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == jsonType
}

// accepts reports whether an Accept header allows JSON (RFC 9110, section
// 12.5.1). Of the ranges that cover it the most specific counts.
func accepts(values []string) bool {
	length := 0 // looked at before the values are joined
	for _, value := range values {
		if length += len(value) + len(","); length > maxListed+len(",") {
			return false
		}
	}
	accept := strings.Join(values, ",")
	if accept == "*/*" || strings.TrimSpace(accept) == "" {
		return true
	}
	best, allowed := 0, false
	for _, value := range elements(accept) {
		media, params, err := mime.ParseMediaType(value)
		if err != nil {
			continue
		}
		specificity := 0
		switch media {
		case jsonType:
			specificity = 3
		case "application/*":
			specificity = 2
		case "*/*", "*": // as old Java clients write it
			specificity = 1
		}
		if specificity > best {
			q, err := strconv.ParseFloat(params["q"], 64)
			best, allowed = specificity, params["q"] == "" || err == nil && q > 0
		}
	}
	return allowed
}

// elements returns the elements of a list in a header: commas in quotes are no
// separators (RFC 9110, section 5.6).
func elements(list string) []string {
	quoted, escaped := false, false
	return strings.FieldsFunc(list, func(r rune) bool {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quoted:
			escaped = true
		case r == '"':
			quoted = !quoted
		}
		return r == ',' && !quoted
	})
}

// object is the body of a request: the members of a JSON object, unread.
type object map[string]json.RawMessage

// parseBody reads exactly one JSON value. isObject is false for every value but
// an object; the error is malformedData for what is no JSON in UTF-8, repeats a
// key or is nested too deep. An empty body is an empty object.
func parseBody(data []byte) (o object, isObject bool, err error) {
	if len(data) == 0 {
		return object{}, true, nil
	}
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, false, errors.MalformedData()
	}
	w := walker{data: data}
	o, err = w.value(0)
	return o, o != nil, err
}

// walker goes once over a JSON text that is known to be one, to see that no
// object in it repeats a key, about which two readers could disagree, and that its
// depth is bounded.
type walker struct {
	data []byte
	at   int
	seen [maxDepth]map[string]struct{} // the keys of the object that the walker is in, by depth
}

// value goes over one value and the white space around it, and returns the
// members of an object at depth 0. The error is malformedData.
func (w *walker) value(depth int) (o object, err error) {
	w.space()
	switch c := w.data[w.at]; {
	case c == '"':
		w.text()
	case c != '{' && c != '[': // a number, true, false or null
		for w.at < len(w.data) && !strings.ContainsRune(",]} \t\r\n", rune(w.data[w.at])) {
			w.at++
		}
	case depth == maxDepth:
		return nil, errors.MalformedData()
	case c == '[':
		err = w.list(depth)
	default:
		o, err = w.object(depth)
	}
	w.space()
	return o, err
}

func (w *walker) space() {
	for w.at < len(w.data) && strings.ContainsRune(" \t\r\n", rune(w.data[w.at])) {
		w.at++
	}
}

// text goes over a string and returns it with its quotes.
func (w *walker) text() []byte {
	from := w.at
	for w.at++; w.data[w.at] != '"'; w.at++ {
		if w.data[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.data[from:w.at]
}

// ends reports whether the list or object that the walker is in is over, and
// goes over its end or the comma before the next element.
func (w *walker) ends(closing byte) bool {
	c := w.data[w.at]
	if c == ',' || c == closing {
		w.at++
	}
	return c == closing
}

func (w *walker) list(depth int) error {
	w.at++
	for w.space(); !w.ends(']'); {
		if _, err := w.value(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) object(depth int) (o object, err error) {
	w.at++
	seen := w.keys(depth)
	if depth == 0 {
		o = make(object)
	}
	for w.space(); !w.ends('}'); {
		w.space()
		key, ok := text(w.text())
		if _, again := seen[key]; again || !ok {
			return nil, errors.MalformedData()
		}
		seen[key] = struct{}{}
		w.space()
		w.at++ // the colon
		w.space()
		from := w.at
		if _, err := w.value(depth + 1); err != nil {
			return nil, err
		}
		if depth == 0 {
			o[key] = bytes.TrimRight(w.data[from:w.at], " \t\r\n")
		}
	}
	return o, nil
}

// keys returns an empty set for the keys of an object at the depth: that of the
// object before, because a body can hold very many of them. A large set is not kept,
// because it takes long to clear.
func (w *walker) keys(depth int) map[string]struct{} {
	if seen := w.seen[depth]; seen != nil && len(seen) <= 64 {
		clear(seen)
		return seen
	}
	w.seen[depth] = make(map[string]struct{})
	return w.seen[depth]
}
