package duration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/duration"
)

func TestParseISO8601(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"PT1H": time.Hour, "PT30M": 30 * time.Minute, "PT720M": 12 * time.Hour, "PT90S": 90 * time.Second, "PT0S": 0,
		"P2D": 48 * time.Hour, "P1DT12H": 36 * time.Hour, "P1W": 168 * time.Hour, "P1W1DT1H1M1S": 193*time.Hour + 61*time.Second,
		"pt48h": 48 * time.Hour, "PT48h": 48 * time.Hour, "PT007M": 7 * time.Minute, "P106751D": 106751 * 24 * time.Hour,
	} {
		got, err := duration.ParseISO8601(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "P", "T", "PT", "P1DT", "1H", "PT1", "PTH", "1DT1H", "T1H", "PT1H1H", "PT1M1H", "PT1D", "P1H", "P1D1W", "P1Y", "P1M",
		"PT1.5H", "PT1,5H", "PT0.5S", "-PT1H", "PT-1H", "PT+1H", "PT 1H", " PT1H", "PT1H ", "PPT1H", "PTT1H", "PT1HT1M", "60", "1h",
		"P106752D", "P106751DT24H", "PT9223372037S", "PT99999999999999999999S", "PT1Hé", "PT1ſ", "ＰT1H",
	} {
		_, err := duration.ParseISO8601(text)
		require.ErrorContains(t, err, "ISO 8601", text)
	}
}
