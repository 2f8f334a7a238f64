package duration

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// unit is a unit of time with its letter in ISO 8601.
type unit struct {
	letter byte
	length time.Duration
}

// isoUnits are the units of ISO 8601 in the order in which they may appear.
// Those after the first two belong to the time and follow the letter T. Years
// and months are not among them, because their length varies.
var isoUnits = []unit{
	{'W', 7 * 24 * time.Hour}, {'D', 24 * time.Hour}, {'H', time.Hour}, {'M', time.Minute}, {'S', time.Second},
}

// firstTimeUnit is the index of the first unit that follows the letter T.
const firstTimeUnit = 2

var errISO8601 = errors.New("expected an ISO 8601 duration of whole weeks, days, hours, minutes and seconds, such as PT1H30M or P2D")

// ParseISO8601 parses a duration such as PT1H30M or P1DT12H. Letters may be
// lower case, as dCache accepts them. It accepts no fractions, signs, years and
// months.
func ParseISO8601(text string) (time.Duration, error) {
	date, clock, timed := strings.Cut(strings.Map(upper, text), "T")
	date, ok := strings.CutPrefix(date, "P")
	if !ok || timed && clock == "" || date == "" && !timed {
		return 0, errISO8601
	}
	days, ok := sumUnits(date, isoUnits[:firstTimeUnit])
	if !ok {
		return 0, errISO8601
	}
	seconds, ok := sumUnits(clock, isoUnits[firstTimeUnit:])
	if !ok || days > math.MaxInt64-seconds {
		return 0, errISO8601
	}
	return days + seconds, nil
}

// upper returns the capital of an ASCII letter. unicode.ToUpper would also
// return ASCII letters for others.
func upper(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

// sumUnits adds up numbers that are each followed by one of the units. A unit
// may be missing, but not appear twice or out of order.
func sumUnits(text string, units []unit) (sum time.Duration, ok bool) {
	for _, u := range units {
		at := strings.IndexByte(text, u.letter)
		if at < 0 {
			continue
		}
		n, err := strconv.ParseUint(text[:at], 10, 63)
		if err != nil || time.Duration(n) > (math.MaxInt64-sum)/u.length {
			return 0, false
		}
		sum += time.Duration(n) * u.length
		text = text[at+1:]
	}
	return sum, text == ""
}
