package redis

import (
	"context"
	"net"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/errors"
)

// masters returns a client for each master, with the hash tags of its shards.
func (s *Store) masters(ctx context.Context) (map[rueidis.Client][]string, error) {
	if !s.isCluster() {
		return map[rueidis.Client][]string{s.client: tags[:]}, nil
	}
	nodes := s.client.Nodes()
	asked, ranges, err := s.slotRanges(ctx, nodes)
	if err != nil {
		return nil, err
	}
	masters := make(map[rueidis.Client][]string)
	found := 0
	for _, r := range ranges {
		first, last, address, err := slotRange(r, asked)
		if err != nil {
			return nil, err
		}
		for _, tag := range tags {
			if slot := slotOf(tag); slot < first || slot > last {
				continue
			}
			node := nodes[address]
			if node == nil {
				// The client learns of a new master from a MOVED reply.
				_, _ = s.get(ctx, s.key(tokenKind, tag, ""))
				return nil, errors.New("a master of the cluster is not known yet")
			}
			masters[node] = append(masters[node], tag)
			found++
		}
	}
	if found < shards {
		return nil, errors.New("some slots of the cluster have no master")
	}
	return masters, nil
}

// slotRanges returns the result of CLUSTER SLOTS from one of the nodes, and the
// address of that node.
func (s *Store) slotRanges(ctx context.Context, nodes map[string]rueidis.Client) (asked string, ranges []rueidis.RedisMessage, err error) {
	err = errors.New("the cluster has no nodes")
	for address, node := range nodes {
		asking, cancel := context.WithTimeout(ctx, roleCheck)
		ranges, err = node.Do(asking, node.B().ClusterSlots().Build().Pin()).ToArray()
		cancel()
		if err == nil {
			return address, ranges, nil
		}
	}
	return "", nil, err
}

// slotRange parses an element of the result of CLUSTER SLOTS: first slot, last
// slot, and the address of their master. A server that does not know its own
// host is at the address that was asked.
func slotRange(m rueidis.RedisMessage, asked string) (first, last int64, address string, err error) {
	fields, err := m.ToArray()
	if err != nil || len(fields) < 3 {
		return 0, 0, "", errFormat
	}
	master, err := fields[2].ToArray()
	if err != nil || len(master) < 2 {
		return 0, 0, "", errFormat
	}
	first, firstErr := fields[0].AsInt64()
	last, lastErr := fields[1].AsInt64()
	host, hostErr := textOf(master[0].ToString())
	port, portErr := master[1].AsInt64()
	if host == "" {
		host, _, _ = net.SplitHostPort(asked)
	}
	return first, last, net.JoinHostPort(host, strconv.FormatInt(port, 10)), errors.Join(firstErr, lastErr, hostErr, portErr)
}
