package main

import (
	"strconv"
	"time"
)

// declareNow declares -now, which stands in for the clock.
func declareNow(f *flags, now *time.Time) {
	*now = time.Now()
	value(f, now, "now", "TIME", "Unix seconds or RFC 3339; without the flag it is what the clock says", parseMoment)
}

// parseMoment reads a moment of the years 1970 to 9999, which every computation
// here can be trusted with.
func parseMoment(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if seconds, notNumber := strconv.ParseInt(text, 10, 64); notNumber == nil {
		at, err = time.Unix(seconds, 0), nil
	}
	if err != nil || at.Unix() < 0 || at.UTC().Year() > 9999 {
		return time.Time{}, errUnfit
	}
	return at, nil
}
