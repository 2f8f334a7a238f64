package oidc

import (
	"crypto/sha256"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The number of remembered answers is bounded, and old ones go first.
func TestAnswersAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	u := newUserinfo(Options{Now: func() time.Time { return now }}, nil)
	id := func(i int) [sha256.Size]byte { return sha256.Sum256([]byte(strconv.Itoa(i))) }
	for i := range maxAnswers {
		lifetime := acceptedFor
		if i%2 == 0 {
			lifetime = refusedFor
		}
		u.remember(id(i), answer{until: now.Add(lifetime)})
	}
	now = now.Add(refusedFor)
	u.remember(id(maxAnswers), answer{until: now.Add(acceptedFor)})
	require.Len(t, u.answers, maxAnswers/2+1)
	for i := range 3 * maxAnswers {
		u.remember(id(-1-i), answer{until: now.Add(acceptedFor)})
		if len(u.answers) > maxAnswers {
			t.Fatalf("%d answers", len(u.answers))
		}
	}
	_, ok := u.remembered(id(-3 * maxAnswers))
	require.True(t, ok)
	// A clock that is set back must not make answers last longer.
	now = now.Add(-time.Hour)
	_, ok = u.remembered(id(-3 * maxAnswers))
	require.False(t, ok)
}
