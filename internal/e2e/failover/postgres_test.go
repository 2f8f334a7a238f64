//go:build e2e && failover && linux

package failover_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	// pgx: the driver of store/postgres, for statements about replication.
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/store/postgres"
)

// unfenced is how long an old primary of PostgreSQL is back as a primary.
const unfenced = 1500 * time.Millisecond

// pair is a primary with a synchronous standby, each on a host of its own.
type pair struct {
	primary, standby database
	pooler           *pgtest.Bouncer // nil: none
}

type database struct {
	*pgtest.Server
	host *host
}

// newPair starts the servers, and a pooler in transaction mode on a third host
// if wanted.
func newPair(t *testing.T, pooled bool) *pair {
	t.Helper()
	first, second := newHost(t), newHost(t)
	p := &pair{
		primary: startDatabase(t, first, func() (*pgtest.Server, error) { return pgtest.NewAt(first.listen, "fsync=off") }),
	}
	p.standby = startDatabase(t, second, func() (*pgtest.Server, error) { return p.primary.StandbyAt(second.listen) })
	require.NoError(t, p.synchronize(t.Context()))
	if !pooled {
		return p
	}
	third := newHost(t)
	require.NoError(t, third.run(func() (err error) {
		p.pooler, err = p.primary.BouncerAt(third.listen, "transaction")
		return err
	}))
	t.Cleanup(p.pooler.Close)
	return p
}

// startDatabase starts a server on the host, and makes it reachable.
func startDatabase(t *testing.T, h *host, start func() (*pgtest.Server, error)) database {
	t.Helper()
	d := database{host: h}
	require.NoError(t, h.run(func() (err error) {
		d.Server, err = start()
		return err
	}))
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	at, err := url.Parse(d.URL)
	require.NoError(t, err)
	at.Host, err = h.expose(at.Host)
	require.NoError(t, err)
	d.URL = at.String()
	return d
}

// synchronize makes the primary wait for the standby with each commit.
func (p *pair) synchronize(ctx context.Context) error {
	if err := p.primary.Set("synchronous_standby_names", "*"); err != nil {
		return err
	}
	return until("the standby is synchronous", func() (bool, error) {
		conn, err := pgx.Connect(ctx, p.primary.URL)
		if err != nil {
			return false, err
		}
		defer func() { _ = conn.Close(ctx) }()
		var standbys int
		err = conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&standbys)
		return standbys == 1, err
	})
}

func (p *pair) open(ctx context.Context) (watched, error) {
	hosts, err := pgtest.URLOf(p.primary.Server, p.standby.Server)
	if err != nil {
		return nil, err
	}
	o := postgres.Options{}
	if p.pooler != nil {
		o.FeedURL = hosts
		hosts = p.pooler.URL + "&default_query_exec_mode=exec"
	}
	s, err := postgres.Open(ctx, hosts, o)
	if err != nil {
		return nil, err
	}
	return s, s.Migrate(ctx)
}

// fail strikes the primary, and promotes the standby like a failover manager
// that notices at once.
func (p *pair) fail(f fault) (struck, replaced time.Time, err error) {
	switch f {
	case kill:
		err = p.primary.Kill()
	case freeze:
		err = p.primary.Freeze()
	case cut:
		err = p.primary.host.cut()
	}
	struck = time.Now()
	if err != nil {
		return struck, struck, err
	}
	if err := p.standby.Set("synchronous_standby_names", ""); err != nil {
		return struck, struck, err
	}
	if err := p.standby.Promote(); err != nil {
		return struck, struck, err
	}
	replaced = time.Now()
	if p.pooler != nil {
		err = p.pooler.SwitchTo(p.standby.Server)
	}
	return struck, replaced, err
}

// comeBack lets the old primary come back as a primary, which nobody fences,
// and after a while makes it the standby.
func (p *pair) comeBack(ctx context.Context, f fault) error {
	var err error
	switch f {
	case kill:
		err = p.primary.host.run(p.primary.Start)
	case freeze:
		err = p.primary.Thaw()
	case cut:
		err = p.primary.host.restore()
	}
	if err != nil {
		return err
	}
	<-time.After(unfenced)
	if err := p.primary.host.run(func() error { return p.primary.Rejoin(p.standby.Server) }); err != nil {
		return err
	}
	p.primary, p.standby = p.standby, p.primary
	return p.synchronize(ctx)
}
