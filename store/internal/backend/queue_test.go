package backend

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
)

func TestQueueKeepsTheOrder(t *testing.T) {
	t.Parallel()
	q := newQueue()
	var want []store.Change
	for i := range maxQueue {
		c := store.Change{Kind: store.TokenChanged, TokenID: fmt.Sprint(i)}
		want = append(want, c)
		q.Push(c)
	}
	<-q.wake
	require.Empty(t, q.wake)
	require.Equal(t, want, q.take())
	require.Empty(t, q.take())
	q.Push(want[0])
	<-q.wake
	require.Equal(t, want[:1], q.take())
}

// TestFullQueueReportsADisconnect checks that a slow observer always learns the
// final state of the feed, whatever is dropped.
func TestFullQueueReportsADisconnect(t *testing.T) {
	t.Parallel()
	token := store.Change{Kind: store.TokenChanged, TokenID: "a"}
	down, up := store.Change{Kind: store.FeedDown}, store.Change{Kind: store.FeedUp}
	for name, c := range map[string]struct{ then, want []store.Change }{
		"by a change":              {[]store.Change{token}, []store.Change{down, up}},
		"by changes":               {[]store.Change{token, token}, []store.Change{down, up, token}},
		"by the loss of the feed":  {[]store.Change{down}, []store.Change{down}},
		"by a loss and a recovery": {[]store.Change{down, up, token}, []store.Change{down, up, token}},
		"by a recovery":            {[]store.Change{up, token}, []store.Change{down, up, token}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue()
			for range maxQueue {
				q.Push(token)
			}
			for _, change := range c.then {
				q.Push(change)
			}
			require.Equal(t, c.want, q.take())
		})
	}
}
