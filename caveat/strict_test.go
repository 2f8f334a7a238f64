package caveat_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// JSON that two decoders could read differently is rejected.
func TestCaveatsAreStrictJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"type":"ip","type":"time","validUntil":5}`, `{"type":"time","validUntil":5,"validUntil":6}`,
		`{"type":"time","validUntil":5,"note":{"a":1,"a":2}}`, `{"type":"time","validUntil":5,"note":"\ud800"}`,
	} {
		_, err := caveat.FromJSON([]byte(text))
		require.ErrorIs(t, err, errors.IDBadValueCaveat, text)
	}
	_, err := caveat.FromJSON([]byte(`{"type":"time","validUntil":5,"note":"\ud83d\ude00"}`))
	require.NoError(t, err)
}
