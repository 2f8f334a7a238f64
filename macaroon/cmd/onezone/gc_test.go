package main

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBallastRaisesTheGoalOfTheGarbageCollector(t *testing.T) {
	goal := func(gogc string) uint64 {
		t.Setenv("GOGC", gogc)
		defer holdBallast()()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NextGC
	}
	without := goal("100")
	require.Greater(t, goal(""), without+ballastBytes)
	require.Less(t, goal("100"), without+ballastBytes/2, "it is released, and not held if GOGC is set")
}
