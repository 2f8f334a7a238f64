//go:build e2e && unix

package main

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// TestASmallRoundOfEveryMeasurement makes each measurement with few tokens.
func TestASmallRoundOfEveryMeasurement(t *testing.T) {
	t.Parallel()
	const tokens = 10_000
	for _, name := range []string{"memory", "sqlite", "postgres", "redis"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := newEngine(name)
			e = started(t, e, err)
			figures := make(map[string]string)
			require.NoError(t, measure(t.Context(), e, dataset{tokens}, func(what, figure string) { figures[what] = figure }))
			require.Equal(t, "10000", figures["tokens"])
			for _, what := range []string{
				"loaded a second", "bytes of a token with its share of a user", "open and migrate", "look-up of any token, cold",
				"look-up of 10000 tokens in use, warm", "look-ups a second, 64 callers", "list the 10 tokens of a user", "list the 1000 tokens of a user, pages of 1000",
				"create, 1 caller", "created a second, 64 callers", "revoke, 1 caller", "clean-up: tokens read a second",
				"clean-up: delete a token", "bytes of memory an entry of the cache", "backup",
			} {
				require.NotEmpty(t, figures[what], what)
			}
		})
	}
}

// started returns an engine that could be started. Without an installed server
// the test is skipped, or fails if CI is set.
func started[E interface{ Close() error }](t *testing.T, e E, err error) E {
	t.Helper()
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("no server to measure:", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func TestTheRecordsOfAMeasurement(t *testing.T) {
	t.Parallel()
	d := dataset{2500}
	names, held := make(map[string]bool), make(map[caveat.Subject]int)
	known := make(map[caveat.Subject]bool)
	for from := 0; from < d.tokens; from += 100 {
		for _, r := range d.batch(from, from+100) {
			require.NoError(t, r.Validate())
			if r.Identity != nil {
				require.False(t, known[r.Identity.Subject])
				known[r.Identity.Subject] = true
				continue
			}
			require.True(t, known[r.Token.Subject], "the first token of a user comes with the user")
			require.False(t, names[r.Token.ID])
			names[r.Token.ID] = true
			held[r.Token.Subject]++
		}
	}
	require.Len(t, names, d.tokens)
	require.Equal(t, d.heavy(), held[subjectOf(0)])
	require.Equal(t, tokensEach, held[subjectOf(1)])
}

// TestEveryWatcherIsCounted measures the feed with few watchers.
func TestEveryWatcherIsCounted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"memory", "sqlite", "postgres", "redis"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := newShared(name)
			e = started(t, e, err)
			figures := make(map[string]string)
			require.NoError(t, fanOut(t.Context(), e, 3, 5, func(what, figure string) { figures[what] = figure }))
			require.Equal(t, "3", figures["watchers"])
			for _, what := range []string{"connections of a replica", "processor of a look-up: replica, server", "revoke", "known to all"} {
				require.NotEmpty(t, figures[what], what)
			}
		})
	}
}

func TestAnEngineThatDoesNotExist(t *testing.T) {
	t.Parallel()
	_, err := newEngine("oracle")
	require.ErrorContains(t, err, `"oracle"`)
	_, err = newShared("oracle")
	require.ErrorContains(t, err, `"oracle"`)
}

// deaf is an engine whose feed reports nothing.
type deaf struct{ sharedMemory }

func (d deaf) replica(context.Context) (store.Store, error) { return deafStore{d.s}, nil }

type deafStore struct{ store.Store }

func (deafStore) Watch(ctx context.Context, observe func(store.Change)) error {
	return context.Canceled
}

func TestAFeedThatEndsFailsTheMeasurement(t *testing.T) {
	t.Parallel()
	e, err := newShared("memory")
	e = started(t, e, err)
	require.ErrorIs(t, fanOut(t.Context(), deaf{e.(sharedMemory)}, 2, 2, func(string, string) {}), context.Canceled)
}
