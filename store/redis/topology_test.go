package redis_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/freeport"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

// newReplica starts a replica of the server and waits until it has the data.
func newReplica(t *testing.T, master *redistest.Server, args ...string) *redistest.Server {
	t.Helper()
	host, port, _ := strings.Cut(master.Addr, ":")
	replica := redistest.New(t, append([]string{"--replicaof", host + " " + port, "--repl-diskless-sync-delay", "0"}, args...)...)
	eventually(t, func() bool {
		info, err := replica.Do("INFO", "replication")
		return err == nil && strings.Contains(info, "master_link_status:up")
	}, "the replica has the data")
	return replica
}

func TestWriteWaitsForReplicas(t *testing.T) {
	t.Parallel()
	master := redistest.New(t)
	client := newClient(t, rueidis.ClientOption{InitAddress: []string{master.Addr}})
	s := newStore(t, client, redis.Options{WaitReplicas: 1, WaitTimeout: 20 * time.Millisecond})
	err := second(s.CreateToken(t.Context(), newToken("alone"), 0))
	requireOperational(t, err)
	require.ErrorContains(t, err, "0 replicas")
	token, err := s.GetToken(t.Context(), "alone")
	require.NoError(t, err, "the master has the write")
	require.Equal(t, newToken("alone"), token)

	replica := newReplica(t, master)
	s = newStore(t, client, redis.Options{Prefix: s.Prefix(), WaitReplicas: 1, WaitTimeout: testTimeout})
	fill(t, s)
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
	keys, err := replica.Do("DBSIZE")
	require.NoError(t, err)
	want, err := master.Do("DBSIZE")
	require.NoError(t, err)
	require.Equal(t, want, keys, "the replica lacks an acknowledged write")
	for _, c := range calls(s) {
		require.NoError(t, c.do(t.Context()), c.name)
	}
	replica.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	requireOperational(t, second(s.CreateToken(ctx, newToken("alone again"), 0)))
}

func TestWaitInCluster(t *testing.T) {
	t.Parallel()
	s := newStore(t, newClusterClient(t), redis.Options{WaitReplicas: 1, WaitTimeout: time.Nanosecond})
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	err := s.CreateIdentity(ctx, store.Identity{Subject: alice})
	requireOperational(t, err)
	require.ErrorContains(t, err, "0 replicas")
}

// The master dies, Sentinel promotes a replica, and the store continues there
// with all acknowledged writes.
func TestFailoverBySentinel(t *testing.T) {
	t.Parallel()
	master := redistest.New(t, "--appendonly", "yes", "--appendfsync", "always")
	newReplica(t, master)
	host, port, _ := strings.Cut(master.Addr, ":")
	sentinel := redistest.NewSentinel(t, fmt.Sprintf(
		"sentinel monitor tokens %s %s 1\nsentinel down-after-milliseconds tokens 300\nsentinel failover-timeout tokens 2000\n", host, port))
	eventually(t, func() bool {
		info, err := sentinel.Do("INFO", "sentinel")
		return err == nil && strings.Contains(info, "slaves=1")
	}, "Sentinel knows the replica")

	client := newClient(t, rueidis.ClientOption{
		InitAddress: []string{sentinel.Addr}, Sentinel: rueidis.SentinelOption{MasterSet: "tokens"},
	})
	s := newStore(t, client, redis.Options{WaitReplicas: 1, WaitTimeout: testTimeout})
	fill(t, s)
	changes := watch(t, s)
	for i := range 100 {
		require.NoError(t, second(s.CreateToken(t.Context(), newToken(fmt.Sprint("token ", i)), 0)))
	}
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
	key, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, key.Revoked)

	master.Kill()
	awaitKind(t, changes, store.FeedDown)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	requireOperational(t, s.UpdateToken(ctx, "a", revoke))
	cancel()
	awaitKind(t, changes, store.FeedUp)

	after := newStore(t, client, redis.Options{Prefix: s.Prefix()}) // there is no replica left to wait for
	eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return second(after.CreateToken(ctx, newToken("after"), 0)) == nil
	}, "the new master accepts writes")
	require.Len(t, listAll(t, after, store.Query{}), 102)
	key, err = s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, key.Revoked)
	requireSound(t, after)
}

// A shard moves to another server of the cluster: no record is lost, and the
// feed reports that changes may have been missed.
func TestShardMovesInCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.NewCluster(t)
	client := newClient(t, rueidis.ClientOption{InitAddress: cluster.Addrs()})
	s := newStore(t, client, redis.Options{})
	fill(t, s)
	changes := watch(t, s)
	_, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)

	slot, err := cluster.Servers[0].Do("CLUSTER", "KEYSLOT", s.KeyOf(alice))
	require.NoError(t, err)
	move, err := cluster.BeginMove(slot)
	require.NoError(t, err)
	require.NoError(t, move.Finish())
	awaitKind(t, changes, store.FeedDown)
	awaitKind(t, changes, store.FeedUp)
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
	awaitKind(t, changes, store.TokenChanged)
	key, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, key.Revoked)
	for _, c := range calls(s) {
		require.NoError(t, c.do(t.Context()), c.name)
	}
	requireSound(t, s)
}

// The keys of a shard are on two servers while it moves: writes wait until the
// move is complete and are then done on the new server. The same holds for a
// client that learns of the move from a MOVED reply and waits for replicas on
// another connection.
func TestWritesWhileAShardMoves(t *testing.T) {
	t.Parallel()
	cluster := redistest.NewCluster(t)
	s := newStore(t, newClient(t, rueidis.ClientOption{InitAddress: cluster.Addrs()}), redis.Options{})
	fill(t, s)
	waiting := newStore(t, newClient(t, rueidis.ClientOption{InitAddress: cluster.Addrs()}),
		redis.Options{Prefix: s.Prefix(), WaitReplicas: 1, WaitTimeout: time.Millisecond})
	slot, err := cluster.Servers[0].Do("CLUSTER", "KEYSLOT", s.KeyOf(alice))
	require.NoError(t, err)
	move, err := cluster.BeginMove(slot)
	require.NoError(t, err)

	written := make(chan error, 1)
	go func() { written <- second(s.CreateToken(t.Context(), newToken("b"), 0)) }()
	eventually(t, func() bool {
		stats, err := move.From.Do("INFO", "errorstats")
		return err == nil && strings.Contains(stats, "errorstat_TRYAGAIN")
	}, "the server does not have all keys of the new token")
	require.NoError(t, move.Finish())
	require.NoError(t, await(t, written, "the write is done"))
	require.ErrorContains(t, waiting.UpdateToken(t.Context(), "b", revoke), "0 replicas")
	key, err := s.NamedKey(t.Context(), "b")
	require.NoError(t, err)
	require.True(t, key.Revoked, "the write is on the server that has the shard")
	requireSound(t, s)
}

// A replica is promoted while its old master stays connected and makes no
// further changes.
func TestFeedDisconnectsFromADemotedMaster(t *testing.T) {
	t.Parallel()
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		cluster := redistest.NewCluster(t)
		replica, err := cluster.AddReplica(t.TempDir())
		require.NoError(t, err)
		t.Cleanup(replica.Kill)
		s := newStore(t, newClient(t, rueidis.ClientOption{InitAddress: cluster.Addrs()}), redis.Options{})
		fill(t, s)
		changes := watch(t, s)
		_, err = replica.Do("CLUSTER", "FAILOVER")
		require.NoError(t, err)
		awaitKind(t, changes, store.FeedDown)
		awaitKind(t, changes, store.FeedUp)
		require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
		awaitKind(t, changes, store.TokenChanged)
	})
	t.Run("single", func(t *testing.T) {
		t.Parallel()
		server, other := redistest.New(t), redistest.New(t)
		s := newStore(t, newClient(t, rueidis.ClientOption{InitAddress: []string{server.Addr}}), redis.Options{})
		fill(t, s)
		changes := watch(t, s)
		host, port, _ := strings.Cut(other.Addr, ":")
		_, err := server.Do("REPLICAOF", host, port)
		require.NoError(t, err)
		awaitKind(t, changes, store.FeedDown)
		tries, err := server.Do("INFO", "commandstats")
		require.NoError(t, err)
		before := callsOf(t, tries, "ssubscribe")
		eventually(t, func() bool {
			tries, err := server.Do("INFO", "commandstats")
			return err == nil && callsOf(t, tries, "ssubscribe") > before+2*64 // channels
		}, "the feed keeps retrying")
		require.Empty(t, changes, "the feed is connected to a replica")
		_, err = server.Do("REPLICAOF", "NO", "ONE")
		require.NoError(t, err)
		awaitKind(t, changes, store.FeedUp)
	})
}

// callsOf returns the number of calls of the command in the statistics of the
// server.
func callsOf(t *testing.T, stats, command string) (calls int) {
	t.Helper()
	_, rest, ok := strings.Cut(stats, "cmdstat_"+command+":calls=")
	require.True(t, ok, stats)
	text, _, _ := strings.Cut(rest, ",")
	calls, err := strconv.Atoi(text)
	require.NoError(t, err)
	return calls
}

// A node that does not know its own address, as a cluster of one.
func TestClusterOfOneServer(t *testing.T) {
	t.Parallel()
	busPort, err := freeport.Find()
	require.NoError(t, err)
	server := redistest.New(t, "--cluster-enabled", "yes", "--cluster-port", busPort)
	_, err = server.Do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	require.NoError(t, err)
	eventually(t, func() bool {
		info, err := server.Do("CLUSTER", "INFO")
		return err == nil && strings.Contains(info, "cluster_state:ok")
	}, "the cluster is ready")
	s := newStore(t, newClient(t, rueidis.ClientOption{InitAddress: []string{server.Addr}}), redis.Options{})
	fill(t, s)
	changes := watch(t, s)
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
	awaitKind(t, changes, store.TokenChanged)
	requireSound(t, s)
}

// A server of the cluster dies and restarts with its data.
func TestServerOfClusterDies(t *testing.T) {
	t.Parallel()
	cluster := redistest.NewCluster(t, "--appendonly", "yes", "--appendfsync", "always")
	client := newClient(t, rueidis.ClientOption{InitAddress: cluster.Addrs()})
	s := newStore(t, client, redis.Options{})
	fill(t, s)
	for i := range 50 {
		token := newToken(strconv.Itoa(i))
		token.Subject.ID = strconv.Itoa(i)
		require.NoError(t, second(s.CreateToken(t.Context(), token, 0)))
	}
	changes := watch(t, s)
	cluster.Servers[1].Kill()
	awaitKind(t, changes, store.FeedDown)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	_, _, err := s.ListTokens(ctx, store.Query{})
	cancel()
	requireOperational(t, err, "a listing without the dead server")
	require.NoError(t, cluster.Servers[1].Restart())
	awaitKind(t, changes, store.FeedUp)
	eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		page, _, err := s.ListTokens(ctx, store.Query{})
		return err == nil && len(page) == 51
	}, "all tokens are listed again")
}
