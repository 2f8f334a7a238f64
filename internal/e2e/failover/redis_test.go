//go:build e2e && failover && linux

package failover_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store/redis"
)

// node is a Redis on a host of its own.
type node struct {
	*redistest.Server
	host *host
}

// startServer starts a server on the host.
func startServer(h *host, dir string, args ...string) (*redistest.Server, error) {
	return redistest.StartAt(h.listen, dir, args...)
}

// startShard starts a server for a Cluster on the host.
func startShard(h *host, dir string, args ...string) (*redistest.Server, error) {
	return redistest.StartNodeAt(h.listen, dir, append(args, "--cluster-announce-ip", h.ip, "--cluster-node-timeout", "1000")...)
}

// startNode starts a server on a new host, and makes it reachable.
func startNode(t *testing.T, start func(h *host, dir string, args ...string) (*redistest.Server, error), args ...string) node {
	t.Helper()
	n := node{host: newHost(t)}
	args = append([]string{"--appendonly", "yes", "--repl-diskless-sync-delay", "0", "--repl-timeout", "5",
		"--replica-announce-ip", n.host.ip, "--bind-source-addr", n.host.listen}, args...)
	require.NoError(t, n.host.run(func() (err error) {
		n.Server, err = start(n.host, t.TempDir(), args...)
		return err
	}))
	t.Cleanup(n.Kill)
	var err error
	if n.BusPort != "" {
		_, err := n.host.expose(net.JoinHostPort(n.host.listen, n.BusPort))
		require.NoError(t, err)
	}
	n.Addr, err = n.host.expose(n.Addr)
	require.NoError(t, err)
	return n
}

func (n node) strike(f fault) error {
	switch f {
	case kill:
		n.Kill()
		return nil
	case freeze:
		return n.Freeze()
	}
	return n.host.cut()
}

func (n node) recover(f fault) error {
	switch f {
	case kill:
		return n.host.run(n.Restart)
	case freeze:
		return n.Thaw()
	}
	return n.host.restore()
}

// is reports whether INFO of the server has all lines.
func (n node) is(lines ...string) (bool, error) {
	info, err := n.Do("INFO", "replication")
	if err != nil {
		return false, err
	}
	for _, line := range lines {
		if !strings.Contains(info, line+"\r\n") {
			return false, fmt.Errorf("%s does not have %s: %s", n.Addr, line, info)
		}
	}
	return true, nil
}

// awaitReplica waits until the server is a replica with the data.
func (n node) awaitReplica() error {
	return until(n.Addr+" is a replica", func() (bool, error) { return n.is("role:slave", "master_link_status:up") })
}

// group is a master with its replicas.
type group []node

func (g group) master() (node, error) {
	for _, n := range g {
		if is, _ := n.is("role:master"); is {
			return n, nil
		}
	}
	return node{}, errors.New("there is no master")
}

// sentinels is a group under three Sentinels, one on each host.
type sentinels struct {
	group
	url string
	old node
}

// redisOptions make each write wait for one of the two replicas of a master. The
// other one may lag behind, and take over.
var redisOptions = redis.Options{WaitReplicas: 1}

func newSentinels(t *testing.T) *sentinels {
	t.Helper()
	s := &sentinels{group: group{startNode(t, startServer)}}
	host, port, _ := strings.Cut(s.group[0].Addr, ":")
	for range 2 {
		n := startNode(t, startServer, "--replicaof", host+" "+port)
		require.NoError(t, n.awaitReplica())
		s.group = append(s.group, n)
	}
	var addresses []string
	for i, n := range s.group {
		config := fmt.Sprintf("sentinel monitor tokens %s %s 2\nsentinel down-after-milliseconds tokens 1000\n"+
			"sentinel failover-timeout tokens 3000\nsentinel parallel-syncs tokens 2\nsentinel announce-ip %s\nbind-source-addr %s\n",
			host, port, n.host.ip, n.host.listen)
		var server *redistest.Server
		require.NoError(t, n.host.run(func() (err error) {
			server, err = redistest.StartSentinelAt(n.host.listen, t.TempDir(), config)
			return err
		}), "Sentinel %d", i)
		t.Cleanup(server.Kill)
		address, err := n.host.expose(server.Addr)
		require.NoError(t, err)
		addresses = append(addresses, address)
	}
	s.url = "redis://" + addresses[0] + "?master_set=tokens&addr=" + strings.Join(addresses[1:], "&addr=")
	for _, address := range addresses {
		sentinel := redistest.Server{Addr: address}
		require.NoError(t, until("the Sentinels know each other", func() (bool, error) {
			info, err := sentinel.Do("INFO", "sentinel")
			return strings.Contains(info, "slaves=2,sentinels=3"), err
		}))
	}
	return s
}

func (s *sentinels) open(ctx context.Context) (watched, error) { return openRedis(ctx, s.url) }

func openRedis(ctx context.Context, url string) (watched, error) {
	s, err := redis.Open(ctx, url, redisOptions)
	if err != nil {
		return nil, err
	}
	return s, s.Migrate(ctx)
}

func (s *sentinels) fail(f fault) (struck, replaced time.Time, err error) {
	return failMaster(s.group, &s.old, f)
}

// failMaster strikes the master, once all others of the group are its replicas.
// The servers elect another one.
func failMaster(g group, old *node, f fault) (struck, replaced time.Time, err error) {
	if *old, err = g.master(); err != nil {
		return struck, replaced, err
	}
	if err := until("all others are replicas", func() (bool, error) {
		return old.is(fmt.Sprintf("connected_slaves:%d", len(g)-1))
	}); err != nil {
		return struck, replaced, err
	}
	for _, n := range g {
		if n == *old {
			continue
		}
		if err := n.awaitReplica(); err != nil {
			return struck, replaced, err
		}
	}
	err = old.strike(f)
	struck = time.Now()
	return struck, struck, err
}

func (s *sentinels) comeBack(_ context.Context, f fault) error {
	return errors.Join(s.old.recover(f), s.old.awaitReplica())
}

// shards is a Cluster of three masters. The first has two replicas, so that one
// is left to wait for after a failover, and the others have one.
type shards struct {
	first group
	url   string
	old   node
}

func newShards(t *testing.T) *shards {
	t.Helper()
	var c redistest.Cluster
	var masters []node
	for range 3 {
		n := startNode(t, startShard)
		masters, c.Servers = append(masters, n), append(c.Servers, n.Server)
	}
	require.NoError(t, c.Create())
	s := &shards{first: group{masters[0]}, url: "redis://" + c.Servers[0].Addr + "?addr=" + strings.Join(c.Addrs()[1:], "&addr=")}
	for i, master := range []node{masters[0], masters[0], masters[1], masters[2]} {
		n := startNode(t, startShard)
		require.NoError(t, n.Replicate(master.Server))
		if i < 2 {
			s.first = append(s.first, n)
		}
	}
	return s
}

func (s *shards) open(ctx context.Context) (watched, error) { return openRedis(ctx, s.url) }

func (s *shards) fail(f fault) (struck, replaced time.Time, err error) {
	return failMaster(s.first, &s.old, f)
}

func (s *shards) comeBack(_ context.Context, f fault) error {
	return errors.Join(s.old.recover(f), s.old.awaitReplica())
}
