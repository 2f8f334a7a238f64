package main

import (
	"strconv"
	"time"
)

// declareNow declares --now, which replaces the clock.
func declareNow(f *flags, now *time.Time) {
	*now = time.Now()
	value(f, now, "now", "TIME", "Unix seconds or RFC 3339; default the current time", parseMoment)
}

// parseMoment reads a time in the years 1970 to 9999, so that no computation
// overflows.
func parseMoment(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if seconds, notNumber := strconv.ParseInt(text, 10, 64); notNumber == nil {
		at, err = time.Unix(seconds, 0), nil
	}
	if err != nil || at.Unix() < 0 || at.UTC().Year() > 9999 {
		return time.Time{}, errBadValue
	}
	return at, nil
}
