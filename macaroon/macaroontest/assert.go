package macaroontest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/onezone-go/onezone/errors"
)

// AssertStatus fails the test if the answer has another status. The failure
// message includes the whole error in the answer.
func AssertStatus(tb testing.TB, r Response, status int) {
	tb.Helper()
	if r.Status != status {
		tb.Errorf("want the status %d, got %d with %s", status, r.Status, explain(r.Err()))
	}
}

// AssertError fails the test if the answer does not contain the error. The
// error may be the cause of another, such as tokenRevoked inside unauthorized.
func AssertError(tb testing.TB, r Response, id errors.ID) {
	tb.Helper()
	if err := r.Err(); !errors.Is(err, id) {
		tb.Errorf("want the error %s, got an answer %d with %s", id, r.Status, explain(err))
	}
}

// AssertErrorID fails the test if neither the error nor one of its causes has
// the id. The failure message includes the whole error and all its causes.
func AssertErrorID(tb testing.TB, err error, id errors.ID) {
	tb.Helper()
	if !errors.Is(err, id) {
		tb.Errorf("want the error %s, got %s", id, explain(err))
	}
}

// explain returns the text of an error, its JSON if it is of the catalogue, and
// the causes that neither of these includes.
func explain(err error) string {
	if err == nil {
		return "no error" // without the body of the answer, which may contain a token
	}
	text := "the error " + err.Error()
	if e, ok := errors.AsType[*errors.Error](err); ok {
		if raw, err := json.Marshal(e); err == nil {
			text += "\n\tin JSON: " + string(raw)
		}
	}
	return addCauses(text, err)
}

// addCauses adds the errors in the tree of err that the text does not include.
func addCauses(text string, err error) string {
	if words := err.Error(); !isCatalogued(err) && !strings.Contains(text, words) {
		text += "\n\tcaused by: " + words
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			text = addCauses(text, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			text = addCauses(text, inner)
		}
	}
	return text
}

func isCatalogued(err error) bool {
	_, ok := err.(*errors.Error)
	return ok
}
