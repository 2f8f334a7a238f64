//go:build unix

package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/onezone-go/onezone/internal/testing/freeport"
)

// Cluster is a Redis Cluster of three masters without replicas.
type Cluster struct{ Servers []*Server }

// StartCluster starts a cluster in an otherwise unused directory. Each server
// gets the arguments.
func StartCluster(dir string, args ...string) (*Cluster, error) {
	c := &Cluster{}
	for i := range 3 {
		s, err := startNode(filepath.Join(dir, strconv.Itoa(i)), args)
		if err != nil {
			c.Kill()
			return nil, err
		}
		c.Servers = append(c.Servers, s)
	}
	if err := c.Create(); err != nil {
		c.Kill()
		return nil, err
	}
	return c, nil
}

// Create makes a cluster of the nodes, as its masters. It returns when all of
// them serve it.
func (c *Cluster) Create() error {
	cli, err := program("cli")
	if err != nil {
		return err
	}
	create := append([]string{"--cluster", "create", "--cluster-yes"}, c.Addrs()...)
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	if out, err := exec.CommandContext(ctx, cli, create...).CombinedOutput(); err != nil {
		return fmt.Errorf("create the cluster: %w\n%s", err, out)
	}
	for _, s := range c.Servers {
		if err := until(s.inCluster); err != nil {
			return err
		}
	}
	return nil
}

// startNode creates the directory and starts a server for a cluster in it.
func startNode(dir string, args []string) (*Server, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	return StartNodeAt(loopback, dir, append([]string{"--cluster-node-timeout", "2000"}, args...)...)
}

// StartNodeAt starts a server for a cluster, which listens on an address of this
// host, in an otherwise unused directory.
func StartNodeAt(host, dir string, args ...string) (*Server, error) {
	busPort := ""
	s, err := start(host, dir, func(port string) (_ []string, err error) {
		busPort, err = freeport.Find()
		return slices.Concat(listenAt(host, port, dir), []string{"--cluster-enabled", "yes", "--cluster-port", busPort}, args), err
	})
	if err != nil {
		return nil, err
	}
	s.BusPort = busPort
	return s, nil
}

// AddReplica starts a replica of the first server in an existing directory. It
// returns when the replica has the data.
func (c *Cluster) AddReplica(dir string) (*Server, error) {
	s, err := startNode(filepath.Join(dir, "replica"), nil)
	if err != nil {
		return nil, err
	}
	if err := s.Replicate(c.Servers[0]); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

// Replicate makes a new node the replica of a master of a cluster. It returns
// when the replica has the data.
func (s *Server) Replicate(master *Server) error {
	host, port, _ := strings.Cut(master.Addr, ":")
	if _, err := s.Do("CLUSTER", "MEET", host, port, master.BusPort); err != nil {
		return err
	}
	id, err := master.Do("CLUSTER", "MYID")
	if err != nil {
		return err
	}
	// The replica learns of the master by gossip, which takes a while.
	if err := until(func() error { _, err := s.Do("CLUSTER", "REPLICATE", id); return err }); err != nil {
		return err
	}
	return until(func() error {
		info, err := s.Do("INFO", "replication")
		if err == nil && !strings.Contains(info, "master_link_status:up") {
			err = errors.New("the replica has no data yet")
		}
		return err
	})
}

// inCluster returns an error if the node does not serve the cluster yet.
func (s *Server) inCluster() error {
	info, err := s.Do("CLUSTER", "INFO")
	if err == nil && !strings.Contains(info, "cluster_state:ok") {
		err = errors.New("the cluster is not ready")
	}
	return err
}

// Addrs returns the addresses of the nodes.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.Servers))
	for i, s := range c.Servers {
		addrs[i] = s.Addr
	}
	return addrs
}

// Kill kills all nodes.
func (c *Cluster) Kill() {
	for _, s := range c.Servers {
		s.Kill()
	}
}

// Move is the migration of a slot and its keys to another server.
type Move struct {
	From, To *Server
	slot     string
	toID     string
}

// BeginMove marks the slot as migrating on its server and as importing on
// another.
func (c *Cluster) BeginMove(slot string) (*Move, error) {
	from, err := c.owner(slot)
	if err != nil {
		return nil, err
	}
	to := c.Servers[0]
	if to == from {
		to = c.Servers[1]
	}
	fromID, err := from.Do("CLUSTER", "MYID")
	if err != nil {
		return nil, err
	}
	toID, err := to.Do("CLUSTER", "MYID")
	if err != nil {
		return nil, err
	}
	if _, err := to.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", fromID); err != nil {
		return nil, err
	}
	_, err = from.Do("CLUSTER", "SETSLOT", slot, "MIGRATING", toID)
	return &Move{from, to, slot, toID}, err
}

// Finish moves the keys of the slot, and then the slot.
func (m *Move) Finish() error {
	keys, err := m.From.List("CLUSTER", "GETKEYSINSLOT", m.slot, "100000")
	if err != nil {
		return err
	}
	host, port, _ := strings.Cut(m.To.Addr, ":")
	if _, err := m.From.Do(append([]string{"MIGRATE", host, port, "", "0", "5000", "KEYS"}, keys...)...); err != nil {
		return err
	}
	for _, s := range []*Server{m.To, m.From} {
		if _, err := s.Do("CLUSTER", "SETSLOT", m.slot, "NODE", m.toID); err != nil {
			return err
		}
	}
	return nil
}

// owner returns the server that owns the slot.
func (c *Cluster) owner(slot string) (*Server, error) {
	n, err := strconv.Atoi(slot)
	if err != nil {
		return nil, err
	}
	for _, s := range c.Servers {
		nodes, err := s.Do("CLUSTER", "NODES")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(nodes) {
			// ID ADDRESS FLAGS MASTER PING PONG EPOCH STATE RANGE...
			fields := strings.Fields(line)
			if !strings.Contains(line, "myself") {
				continue
			}
			for _, slots := range fields[8:] {
				var first, last int
				if _, err := fmt.Sscanf(slots, "%d-%d", &first, &last); err == nil && first <= n && n <= last {
					return s, nil
				}
			}
		}
	}
	return nil, errors.New("no server has the slot " + slot)
}
