package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
)

// serverClock is a store whose clock is ahead, and whose answer takes a while.
type serverClock struct {
	now   *time.Time
	ahead time.Duration
	takes time.Duration // each way
	err   error
}

func (c serverClock) ServerTime(context.Context) (time.Time, error) {
	*c.now = c.now.Add(c.takes)
	theirs := c.now.Add(c.ahead)
	*c.now = c.now.Add(c.takes)
	return theirs, c.err
}

func TestClocksThatDifferAreReported(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_600_000_000, 0)
	for about, c := range map[string]struct {
		clock serverClock
		want  bool
	}{
		"the same":                      {serverClock{}, false},
		"a second ahead":                {serverClock{ahead: time.Second}, false},
		"more than a second ahead":      {serverClock{ahead: time.Second + 1}, true},
		"more than a second behind":     {serverClock{ahead: -time.Second - 1}, true},
		"a slow answer":                 {serverClock{takes: time.Minute}, false},
		"a slow answer does not excuse": {serverClock{takes: time.Second, ahead: 3 * time.Second}, true},
		"no answer":                     {serverClock{ahead: time.Hour, err: errors.New("down")}, false},
	} {
		c.clock.now = &now
		var log bytes.Buffer
		compareClock(t.Context(), c.clock, func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil)))
		require.Equal(t, c.want, bytes.Contains(log.Bytes(), []byte("--clock-leeway")), "%s: %s", about, &log)
	}
}

// Stores on servers have a clock, which is ours in tests.
func TestStoresOnServersHaveAClock(t *testing.T) {
	t.Parallel()
	for url, has := range map[string]bool{
		pgtest.Own(t).URL: true, "redis://" + redistest.New(t).Addr: true, "memory:": false,
	} {
		s := newSettings()
		s.store = url
		opened, err := openStore(t.Context(), *s, nil, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		require.Equal(t, has, opened.clock != nil)
		if has {
			theirs, err := opened.clock.ServerTime(t.Context())
			require.NoError(t, err)
			require.WithinDuration(t, time.Now(), theirs, time.Minute)
		}
		require.NoError(t, opened.Close())
	}
}
