package discharge

import (
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/general"
)

// endOf returns the time at which the first of the macaroon's time caveats ceases
// to hold, at most latest. It knows the caveats "time < SECONDS" and, of
// macaroon-bakery, "time-before RFC3339".
func endOf(m general.Macaroon, latest time.Time) time.Time {
	for _, c := range m.Caveats() {
		if end, ok := endOfCaveat(c); ok && end.Before(latest) {
			latest = end
		}
	}
	return latest
}

func endOfCaveat(c general.Caveat) (time.Time, bool) {
	if c.IsThirdParty() {
		return time.Time{}, false
	}
	if text, ok := strings.CutPrefix(c.Text, "time-before "); ok {
		end, err := time.Parse(time.RFC3339Nano, text)
		return end, err == nil
	}
	parsed, err := caveat.Parse(c.Text)
	t, ok := parsed.(caveat.Time)
	return time.Unix(t.ValidUntil, 0), err == nil && ok
}

// isOperational reports whether the error is not one of the catalogue.
func isOperational(err error) bool {
	_, ok := errors.AsType[*errors.Error](err)
	return !ok
}
