package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
)

// TestTheFeedBypassesAPooler runs PgBouncer with one connection per
// transaction.
func TestTheFeedBypassesAPooler(t *testing.T) {
	t.Parallel()
	database := pgtest.Own(t, "fsync=off")
	pooler := database.Bouncer(t, "transaction") + "&default_query_exec_mode=exec"
	isUp := func(s *server, value string) bool {
		return strings.Contains(s.metrics(), "\nonezone_cache_feed_up "+value+"\n")
	}
	s := start(t, t.TempDir(), "--demo", "--store", pooler, "--feed-url", database.URL)
	eventually(t, func() bool { return isUp(s, "1") }, "the feed is up")
	s.stop()

	s = start(t, t.TempDir(), "--demo", "--store", pooler)
	eventually(t, func() bool { return strings.Contains(s.log.String(), "the feed of changes is down") }, "the log says that there is no feed")
	require.True(t, isUp(s, "0"), "the feed is said to be up")
	s.stop()
}
