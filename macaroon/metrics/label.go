package metrics

import (
	"context"
	"net/http"

	"github.com/onezone-go/onezone/errors"
)

// Values of labels that are no ids of the catalogue.
const (
	outcomeOK       = "ok"
	outcomeCanceled = "canceled" // the caller gave up, or ran out of time
	outcomeFault    = "fault"    // the environment's doing
	outcomeThrottle = "throttled"
	unrecognised    = "unrecognised"
)

// logInOutcomes are those that the series begins with, at zero.
var logInOutcomes = []string{outcomeOK, string(errors.IDBadBasicCredentials), string(errors.IDUserBlocked), outcomeThrottle}

// reason is the label of an error: its id, if the catalogue has it. An error that
// was read from JSON may have any id, and has the status of a fault then.
func reason(err error) string {
	e, ok := errors.AsType[*errors.Error](err)
	switch {
	case !ok:
		return outcomeFault
	case e.HTTPStatus() == http.StatusInternalServerError && e.ID != errors.IDInternalServerError:
		return unrecognised
	}
	return string(e.ID)
}

// outcome is the label of how a call ended.
func outcome(err error) string {
	switch {
	case err == nil:
		return outcomeOK
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return outcomeCanceled
	}
	return reason(err)
}
