package macaroontest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/onezone-go/onezone/errors"
)

// AssertStatus fails the test if the answer has another status. The failure
// shows the whole error that the answer carries.
func AssertStatus(tb testing.TB, r Response, status int) {
	tb.Helper()
	if r.Status != status {
		tb.Errorf("want the status %d, got %d with %s", status, r.Status, explain(r.Err()))
	}
}

// AssertError fails the test if the answer does not carry the error, itself or
// as the cause of another: tokenRevoked inside unauthorized, for instance.
func AssertError(tb testing.TB, r Response, id errors.ID) {
	tb.Helper()
	if err := r.Err(); !errors.Is(err, id) {
		tb.Errorf("want the error %s, got an answer %d with %s", id, r.Status, explain(err))
	}
}

// AssertErrorID fails the test if the error is not of the id, and has none of
// the id as its cause. The failure shows the whole error, operational causes
// included.
func AssertErrorID(tb testing.TB, err error, id errors.ID) {
	tb.Helper()
	if !errors.Is(err, id) {
		tb.Errorf("want the error %s, got %s", id, explain(err))
	}
}

// explain returns all that an error says: its text, its JSON if it is of the
// catalogue, and the causes that neither of them shows.
func explain(err error) string {
	if err == nil {
		return "no error" // the body of the answer is not shown: it may hold a token
	}
	text := "the error " + err.Error()
	if e, ok := errors.AsType[*errors.Error](err); ok {
		if raw, err := json.Marshal(e); err == nil {
			text += "\n\tin JSON: " + string(raw)
		}
	}
	return addCauses(text, err)
}

// addCauses adds the errors in the tree of err whose words are not yet in the
// text.
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
