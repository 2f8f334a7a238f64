package duration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/duration"
)

func TestDurationsMayBeInDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "0d": 0, "-1d": -24 * time.Hour, "90s": 90 * time.Second, "1h30m": 90 * time.Minute,
	} {
		got, err := duration.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "d", "30", "1.5d", "1d12h", "106752d", "99999999999d", "ten days"} {
		_, err := duration.Parse(text)
		require.Error(t, err, text)
	}
}
