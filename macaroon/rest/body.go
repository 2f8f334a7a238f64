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
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || t != jsonType {
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
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
}

// accepts reports whether an Accept header allows JSON (RFC 9110, section
// 12.5.1). Of the ranges that cover it the most specific counts.
func accepts(values []string) bool {
	if len(values) == 0 || strings.TrimSpace(strings.Join(values, "")) == "" {
		return true
	}
	best, allowed := 0, false
	for value := range strings.SplitSeq(strings.Join(values, ","), ",") {
		media, params, err := mime.ParseMediaType(value)
		if err != nil {
			continue
		}
		specificity := map[string]int{jsonType: 3, "application/*": 2, "*/*": 1}[media]
		if specificity > best {
			q, err := strconv.ParseFloat(params["q"], 64)
			best, allowed = specificity, params["q"] == "" || err == nil && q > 0
		}
	}
	return allowed
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
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // which float64 might not hold
	if err := walk(d, 0); err != nil {
		return nil, false, errors.MalformedData()
	}
	isObject = json.Unmarshal(data, &o) == nil && o != nil
	return o, isObject, nil
}

// walk reads one value to see that no object in it repeats a key, about which
// two readers could disagree, and that its depth is bounded.
func walk(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth == maxDepth {
		return errors.MalformedData()
	}
	seen := make(map[string]bool)
	for d.More() {
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			if seen[name] {
				return errors.MalformedData()
			}
			seen[name] = true
		}
		if err := walk(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing bracket
	return err
}
