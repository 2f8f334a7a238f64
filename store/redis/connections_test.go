package redis_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store/redis"
)

// atRest is the maximum number of connections of an idle store to a server.
const atRest = 3

// TestConnectionsAtRest counts the connections after a burst of calls, with and
// without waiting for replicas.
func TestConnectionsAtRest(t *testing.T) {
	t.Parallel()
	single, cluster := redistest.New(t), redistest.NewCluster(t)
	for name, servers := range map[string][]*redistest.Server{"single": {single}, "cluster": cluster.Servers} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			option := rueidis.ClientOption{InitAddress: []string{servers[0].Addr}}
			redis.SetDefaults(&option)
			option.BlockingPoolCleanup = 100 * time.Millisecond // instead of a minute
			client := newClient(t, option)
			s := newStore(t, client, redis.Options{})
			waiting := newStore(t, client, redis.Options{WaitReplicas: 1, WaitTimeout: 20 * time.Millisecond})
			watch(t, s)
			var calls sync.WaitGroup
			for i := range 32 {
				calls.Go(func() {
					token := newToken(fmt.Sprint(i))
					token.Subject = caveat.User(fmt.Sprint("user", i))
					_, _ = s.CreateToken(t.Context(), token, 0)
					_, _ = waiting.CreateToken(t.Context(), token, 0) // there is no replica to wait for
				})
			}
			calls.Wait()
			for _, server := range servers {
				eventually(t, func() bool {
					clients, err := server.Do("CLIENT", "LIST")
					require.NoError(t, err)
					found := strings.Count(clients, "\n") - strings.Count(clients, "cmd=client|list") - strings.Count(clients, "flags=S")
					return found > 0 && found <= atRest
				}, "idle connections are closed")
			}
		})
	}
}
