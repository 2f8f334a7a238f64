package rest

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
)

// maxBody is the largest request body, in bytes.
const maxBody = 2 << 20

// errMediaType reports a body whose Content-Type is not JSON.
var errMediaType = errors.New("the body is not application/json")

// readBody reads the body of a request. The error is errMediaType if a
// non-empty body is not JSON, and [http.MaxBytesError] past maxBody.
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
	// Start with room for most bodies, whatever the Content-Length: memory is
	// spent on bytes that arrive, not on those that are announced. One byte more
	// lets the last read find the end.
	b := make([]byte, 0, min(max(r.ContentLength, 0), smallBody)+1)
	body := http.MaxBytesReader(w, r.Body, maxBody)
	for {
		n, err := body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		case len(b) == cap(b):
			b = slices.Grow(b, max(len(b), bytes.MinRead))
		}
	}
}

// maxListed is the longest header that is parsed as a list or with parameters,
// in bytes. A longer one is treated as not allowing JSON.
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
// 12.5.1). The most specific matching range decides.
func accepts(values []string) bool {
	length := 0 // checked before the values are joined
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

// elements splits a list in a header at the commas outside quotes (RFC 9110,
// section 5.6).
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

// parseBody reads exactly one JSON value. isObject is false for other values
// than objects, and body is then nil. An empty text is an empty object. The error
// is malformedData for a text that is not strict JSON.
func parseBody(data []byte) (body *strictjson.Object, isObject bool, err error) {
	if len(data) == 0 {
		return new(strictjson.Object), true, nil
	}
	body, err = strictjson.ParseObject(data)
	return body, body != nil, err
}
