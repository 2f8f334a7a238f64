// Package duration parses durations that may be in days, and waits for them.
package duration

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Parse is [time.ParseDuration] that also accepts a whole number of days, such
// as 30d.
func Parse(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseInt(days, 10, 32)
		if err == nil && time.Duration(n)*day/day != time.Duration(n) {
			err = strconv.ErrRange
		}
		return time.Duration(n) * day, err
	}
	return time.ParseDuration(text)
}

// Sleep waits for d. It returns the error of ctx if that is done first.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
