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

// layouts are the forms of times that people write, besides Unix seconds.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00", time.DateOnly,
}

// parseMoment reads Unix seconds, a date, which begins at midnight UTC, or a
// time with a zone. The years are 1970 to 9999, so that no computation
// overflows.
func parseMoment(text string) (at time.Time, err error) {
	if seconds, notNumber := strconv.ParseInt(text, 10, 64); notNumber == nil {
		at = time.Unix(seconds, 0)
	} else {
		for _, layout := range layouts {
			if at, err = time.Parse(layout, text); err == nil {
				break
			}
		}
	}
	if err != nil || at.Unix() < 0 || at.UTC().Year() > 9999 {
		return time.Time{}, errBadValue
	}
	return at, nil
}
