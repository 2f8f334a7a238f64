package postgres

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// answerTimeout is how long a server may take to show that it is there.
	answerTimeout = 2 * time.Second
	// verdictTTL is for how long a server is not asked again.
	verdictTTL = time.Second
	// maxServers bounds what is remembered, where addresses change.
	maxServers = 64
)

// address is where a server listens.
type address struct{ network, text string }

// remote returns the address of the server that the connection leads to.
func remote(conn *pgx.Conn) address {
	at := conn.PgConn().Conn().RemoteAddr()
	return address{at.Network(), at.String()}
}

// servers knows which servers answer.
type servers struct {
	dial pgconn.DialFunc

	mu    sync.Mutex
	known map[address]*server
	last  address // of the last server that was connected to
}

// server is what is known of a server.
type server struct {
	mu        sync.Mutex // held while it is asked
	asked     time.Time
	alive     bool
	at        address   // resolved
	suspected time.Time // when a connection to it got lost
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

// suspect notes that a connection to the server got no answer.
func (s *servers) suspect(a address) {
	known := s.at(a)
	known.mu.Lock()
	defer known.mu.Unlock()
	known.suspected = time.Now()
}

// answers reports whether a server is there. Those who ask at the same time share
// one answer.
func (s *servers) answers(a address) bool {
	alive, _ := s.ask(a)
	return alive
}

func (s *servers) ask(a address) (alive bool, at address) {
	known := s.at(a)
	known.mu.Lock()
	defer known.mu.Unlock()
	if time.Since(known.asked) >= verdictTTL {
		known.alive, known.at = greets(s.dial, a)
		known.asked = time.Now()
	}
	return known.alive, known.at
}

// requestTLS is the message by which a client asks whether it may speak TLS. Every
// server and pooler answers it with one byte, before anybody has logged in.
var requestTLS = []byte{0, 0, 0, 8, 4, 210, 22, 47}

// greets reports whether a server answers at the address, and the address that it
// resolves to.
func greets(dial pgconn.DialFunc, a address) (bool, address) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	conn, err := dial(ctx, a.network, a.text)
	if err != nil {
		return false, address{}
	}
	defer conn.Close()
	return greeted(ctx, conn), address{conn.RemoteAddr().Network(), conn.RemoteAddr().String()}
}

func greeted(ctx context.Context, conn net.Conn) bool {
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

// order puts the hosts of a new connection in the order in which they are worth
// trying: the last one that was connected to, if it answers, then others that
// answer, then those that do not.
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

// rank asks all hosts at once whether they are there. It does not wait for all of
// them where the last one that was connected to is. nil: there is one only.
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
			alive, at := s.ask(host)
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
	return time.Since(known.suspected) < verdictTTL
}

// connected notes where a new connection leads to.
func (s *servers) connected(_ context.Context, conn *pgx.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = remote(conn)
	return nil
}

func addressOf(f *pgconn.FallbackConfig) address {
	network, text := pgconn.NetworkAddress(f.Host, f.Port)
	return address{network, text}
}

// distinct returns the addresses of the hosts. One may be there twice, with TLS
// and without.
func distinct(hosts []*pgconn.FallbackConfig) (addresses []address) {
	for _, host := range hosts {
		if a := addressOf(host); !slices.Contains(addresses, a) {
			addresses = append(addresses, a)
		}
	}
	return addresses
}
