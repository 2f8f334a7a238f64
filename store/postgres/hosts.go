package postgres

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// answerTimeout is the timeout of a probe.
	answerTimeout = 2 * time.Second
	// aliveTTL is how long the result of a probe is reused.
	aliveTTL = time.Second
	// maxServers limits the number of remembered servers, because addresses may
	// change.
	maxServers = 64
)

// address is the network address of a server.
type address struct{ network, text string }

// remote returns the address of the connection's server.
func remote(conn *pgx.Conn) address {
	at := conn.PgConn().Conn().RemoteAddr()
	return address{at.Network(), at.String()}
}

// servers remembers which servers answer, and which is the primary.
type servers struct {
	dial pgconn.DialFunc
	// single reports whether only one of several hosts is in use, the primary.
	single bool
	pool   atomic.Pointer[pgxpool.Pool] // to reset when the primary is replaced

	mu    sync.Mutex
	known map[address]*server
	last  address // of the last new connection
	term  atomic.Int64
}

// server is the state of a server.
type server struct {
	mu        sync.Mutex // held during a probe
	probed    time.Time
	alive     bool
	at        address   // resolved
	suspected time.Time // when a connection to it was lost
}

func newServers(dial pgconn.DialFunc) *servers {
	return &servers{dial: dial, known: make(map[address]*server)}
}

func (s *servers) at(a address) *server {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxServers {
		clear(s.known)
	}
	if s.known[a] == nil {
		s.known[a] = new(server)
	}
	return s.known[a]
}

// suspect records that a connection to the server got no answer.
func (s *servers) suspect(a address) {
	known := s.at(a)
	known.mu.Lock()
	defer known.mu.Unlock()
	known.suspected = time.Now()
}

// answered records that the server answers.
func (s *servers) answered(a address) {
	known := s.at(a)
	known.mu.Lock()
	defer known.mu.Unlock()
	known.alive, known.at, known.probed = true, a, time.Now()
}

// check reports whether a server answers, and its resolved address. Concurrent
// callers share one probe.
func (s *servers) check(a address) (alive bool, at address) {
	known := s.at(a)
	known.mu.Lock()
	defer known.mu.Unlock()
	if time.Since(known.probed) >= aliveTTL {
		known.alive, known.at = probeServer(s.dial, a)
		known.probed = time.Now()
	}
	return known.alive, known.at
}

// requestTLS is the message with which a client requests TLS. Every server and
// pooler answers it with one byte before log-in.
var requestTLS = []byte{0, 0, 0, 8, 4, 210, 22, 47}

// probeServer reports whether a server answers at the address, and returns the
// resolved address.
func probeServer(dial pgconn.DialFunc, a address) (bool, address) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	conn, err := dial(ctx, a.network, a.text)
	if err != nil {
		return false, address{}
	}
	defer conn.Close()
	return requestAnswered(ctx, conn), address{conn.RemoteAddr().Network(), conn.RemoteAddr().String()}
}

func requestAnswered(ctx context.Context, conn net.Conn) bool {
	limit, _ := ctx.Deadline()
	if conn.SetDeadline(limit) != nil {
		return false
	}
	if _, err := conn.Write(requestTLS); err != nil {
		return false
	}
	n, _ := conn.Read(make([]byte, 1))
	return n == 1
}

// order sorts the hosts of a new connection: first the last one that was
// connected to if it answers, then others that answer, then the rest.
func (s *servers) order(ctx context.Context, c *pgx.ConnConfig) error {
	all := append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
	rank := s.rank(ctx, distinct(all))
	if rank == nil {
		return nil
	}
	slices.SortStableFunc(all, func(a, b *pgconn.FallbackConfig) int { return rank[addressOf(a)] - rank[addressOf(b)] })
	c.Host, c.Port, c.TLSConfig, c.Fallbacks = all[0].Host, all[0].Port, all[0].TLSConfig, all[1:]
	return nil
}

// The ranks of hosts.
const (
	rankLast = iota
	rankAlive
	rankDead
)

// rank probes all hosts concurrently. It does not wait for all of them if the
// last connected one answers. It returns nil if there is only one host.
func (s *servers) rank(ctx context.Context, hosts []address) map[address]int {
	if len(hosts) < 2 {
		return nil
	}
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	type answer struct {
		host address
		rank int
	}
	answers := make(chan answer, len(hosts))
	for _, host := range hosts {
		go func() {
			alive, at := s.check(host)
			switch {
			case !alive || s.isSuspect(at):
				answers <- answer{host, rankDead}
			case at == last:
				answers <- answer{host, rankLast}
			default:
				answers <- answer{host, rankAlive}
			}
		}()
	}
	rank := make(map[address]int, len(hosts))
	for _, host := range hosts {
		rank[host] = rankDead
	}
	for range hosts {
		select {
		case a := <-answers:
			if rank[a.host] = a.rank; a.rank == rankLast {
				return rank
			}
		case <-ctx.Done():
			return rank
		}
	}
	return rank
}

func (s *servers) isSuspect(a address) bool {
	known := s.at(a)
	known.mu.Lock()
	defer known.mu.Unlock()
	return time.Since(known.suspected) < aliveTTL
}

// termKey is the key for custom data of a connection: its term.
const termKey = "onezone: term"

// connected records the server of a new connection. A server other than the
// last one begins a new term.
func (s *servers) connected(_ context.Context, conn *pgx.Conn) error {
	at := remote(conn)
	s.answered(at)
	s.mu.Lock()
	isNew := s.last != at && s.last != address{}
	s.last = at
	if isNew {
		s.term.Add(1)
	}
	conn.PgConn().CustomData()[termKey] = s.term.Load()
	s.mu.Unlock()
	if pool := s.pool.Load(); isNew && s.single && pool != nil {
		pool.Reset()
	}
	return nil
}

// isReplaced reports whether another server has become the primary since the
// connection was opened. The old one may be alive, and then has outdated
// records.
func (s *servers) isReplaced(conn *pgx.Conn) bool {
	term, ok := conn.PgConn().CustomData()[termKey].(int64)
	return ok && s.single && term != s.term.Load()
}

func addressOf(f *pgconn.FallbackConfig) address {
	network, text := pgconn.NetworkAddress(f.Host, f.Port)
	return address{network, text}
}

// distinct returns the addresses of the hosts without duplicates. A host is
// listed twice if it is tried with and without TLS.
func distinct(hosts []*pgconn.FallbackConfig) (addresses []address) {
	for _, host := range hosts {
		if a := addressOf(host); !slices.Contains(addresses, a) {
			addresses = append(addresses, a)
		}
	}
	return addresses
}
