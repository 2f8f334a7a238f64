package metrics

import (
	"context"
	"net/http"

	"github.com/onezone-go/onezone/errors"
)

// Values of labels other than the error ids of the catalogue.
const (
	outcomeOK       = "ok"
	outcomeCanceled = "canceled" // the caller's context was canceled or timed out
	outcomeFault    = "fault"    // another operational error
	outcomeThrottle = "throttled"
	unrecognized    = "unrecognized"
)

// logInOutcomes are the outcomes that are exported as zero from the start.
var logInOutcomes = []string{outcomeOK, string(errors.IDBadBasicCredentials), string(errors.IDUserBlocked), outcomeThrottle}

// reason returns the label of an error: its id, if the catalogue has it. An
// error decoded from JSON may have any id; its status is then that of an
// internal error.
func reason(err error) string {
	e, ok := errors.AsType[*errors.Error](err)
	switch {
	case !ok:
		return outcomeFault
	case e.HTTPStatus() == http.StatusInternalServerError && e.ID != errors.IDInternalServerError:
		return unrecognized
	}
	return string(e.ID)
}

// outcome returns the label of the outcome of a call.
func outcome(err error) string {
	switch {
	case err == nil:
		return outcomeOK
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return outcomeCanceled
	}
	return reason(err)
}
