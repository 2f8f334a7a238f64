//go:build unix

package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var costs = []cost{memoryCost, sqliteCost, postgresCost, redisCost, clusterCost}

func TestTheDocumentIsWhatTheProgramPrints(t *testing.T) {
	t.Parallel()
	var printed bytes.Buffer
	require.NoError(t, render(&printed))
	committed, err := os.ReadFile("../../../docs/scale.md")
	require.NoError(t, err)
	require.Equal(t, string(committed), printed.String(), "run: go run ./internal/e2e/scale > docs/scale.md")
}

func TestTheModelGivesWhatWasMeasured(t *testing.T) {
	t.Parallel()
	for _, c := range costs {
		for _, k := range c.known {
			assert.Equal(t, k.took, c.everywhere(k.watchers), "%s, %d watchers", c.name, k.watchers)
			assert.Equal(t, k.spent, c.spent(k.watchers), "%s, %d watchers", c.name, k.watchers)
			assert.True(t, c.isMeasured(k.watchers))
		}
		assert.False(t, c.isMeasured(1000), c.name)
		assert.InEpsilon(t, c.bytes*float64(c.tokens), c.space(float64(c.tokens)), 1e-9, c.name)
	}
}

func TestTheModelNeverFallsWithMoreReplicas(t *testing.T) {
	t.Parallel()
	for _, c := range costs {
		last := c.known[len(c.known)-1]
		for _, replicas := range []int{last.watchers, 2 * last.watchers, 1000} {
			assert.GreaterOrEqual(t, c.everywhere(replicas), last.took, c.name)
			assert.GreaterOrEqual(t, c.spent(replicas), last.spent, c.name)
		}
	}
}

// TestTheModelPredictsTheLargestMeasurement computes the largest fan-out of
// each engine from the smaller ones. docs/scale.md names the factor.
func TestTheModelPredictsTheLargestMeasurement(t *testing.T) {
	t.Parallel()
	for _, c := range costs {
		factor := time.Duration(2)
		if c.name == memoryCost.name {
			factor = 4
		}
		smaller := c
		smaller.known = c.known[:len(c.known)-1]
		largest := c.known[len(c.known)-1]
		for what, figures := range map[string][2]time.Duration{
			"time": {smaller.everywhere(largest.watchers), largest.took}, "processor": {smaller.spent(largest.watchers), largest.spent},
		} {
			predicted, measured := figures[0], figures[1]
			assert.LessOrEqual(t, predicted, factor*measured, "%s of %s", what, c.name)
			assert.LessOrEqual(t, measured, factor*predicted, "%s of %s", what, c.name)
		}
	}
}

func TestALineThroughMeasurements(t *testing.T) {
	t.Parallel()
	c := cost{known: []known{{1, 10, 4}, {11, 20, 3}, {21, 60, 3}}}
	for replicas, want := range map[int]time.Duration{1: 10, 6: 15, 11: 20, 16: 40, 21: 60, 31: 100} {
		assert.Equal(t, want, c.everywhere(replicas), replicas)
	}
	assert.Equal(t, time.Duration(3), c.spent(1000), "a time that falls is noise")
}

func TestTheServersOfTheModel(t *testing.T) {
	t.Parallel()
	c := cost{bytes: 1000, server: 50 * time.Microsecond}
	require.Equal(t, 1, masters(c, 1e6))
	require.Equal(t, 30, masters(c, 1e9), "1 TB, twice, in servers of 64 GiB")
	require.InDelta(t, 10_000, mostLookUps(c, 1), 1e-6)
	require.InDelta(t, 1, cores(c.server, mostLookUps(c, 1)), 1e-9)
	require.InDelta(t, 5e8, mostTokens(c, 1e12, 2), 1e-6)
}

func TestNumbersOfTables(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"0.056": number(0.0558), "5": number(5), "56": number(56), "120": number(123), "1,200": number(1234), "120,000": number(123_456),
		"1 million": count(1e6), "3.4 billion": count(3.4e9), "6.6 GB": size(6.6e9), "660 MB": size(6.6e8), "1.2 TB": size(1.2e12),
		"1.2ms": rounded(1_234_567), "98µs": rounded(98 * time.Microsecond),
	} {
		assert.Equal(t, want, got)
	}
}
