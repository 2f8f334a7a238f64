package sqlite_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// TestUnknownChangesDisconnectTheFeedAtMostOnceASecond writes changes of an
// unknown kind.
func TestUnknownChangesDisconnectTheFeedAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{})
	db := newHandle(t, path)
	f := watch(t, s)
	start := time.Now()
	for time.Since(start) < time.Second {
		execute(t, db, "INSERT INTO onezone_changes (kind, key) VALUES ('garbage', '')")
	}
	ups := 0
	for heard := false; !heard; {
		execute(t, db, "INSERT INTO onezone_changes (kind, key) VALUES ('t', 'a')")
		switch f.next(t).Kind {
		case store.FeedUp:
			ups++
		case store.TokenChanged:
			heard = true
		}
	}
	require.LessOrEqual(t, ups, int(time.Since(start)/time.Second)+1, "FeedUp was reported too often")
}
