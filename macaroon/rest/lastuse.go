package rest

import (
	"strconv"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// usedAt is a last use in the form of the API. A member that is
// unknown or not kept is null.
type usedAt struct {
	Time      int64   `json:"time"` // Unix seconds of the beginning of the minute
	Address   *string `json:"address"`
	Service   *string `json:"service"`
	Interface *string `json:"interface"`
	Count     int64   `json:"count"`
}

// lastUse returns the last use in the form of the API, nil for none.
func lastUse(u store.Use) *usedAt {
	if u.IsZero() {
		return nil
	}
	known := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	return &usedAt{u.At, known(u.Address), known(u.Service), known(u.Interface), u.Count}
}

// unusedSince is the parameter of a query that selects the tokens that were not
// used since a time, in Unix seconds.
const unusedSince = "unusedSince"

// maxUnixSeconds is the last second of the year 9999.
const maxUnixSeconds = 253402300799

// unusedSince returns the time that a list is limited to, zero for none. Errors:
// badValueInteger, badValueNotInRange, badData {key} if uses are not recorded.
func (c *call) unusedSince() (time.Time, error) {
	values := c.r.URL.Query()[unusedSince]
	if len(values) == 0 {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(values[0], 10, 64)
	switch {
	case err != nil || len(values) > 1 || strconv.FormatInt(seconds, 10) != values[0]:
		return time.Time{}, errors.BadValueInteger(unusedSince)
	case seconds < 1 || seconds > maxUnixSeconds:
		return time.Time{}, errors.Make("badValueNotInRange", map[string]any{"key": unusedSince, "low": 1, "high": int64(maxUnixSeconds)})
	case !c.authority.RecordsUses():
		return time.Time{}, errors.BadDataHint(unusedSince, "this Onezone does not record when tokens are used")
	}
	return time.Unix(seconds, 0), nil
}
