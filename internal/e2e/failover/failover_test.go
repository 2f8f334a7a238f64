//go:build e2e && failover && linux

package failover_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	rounds    = flag.Int("rounds", 3, "failovers of each store; the faults take turns")
	only      = flag.String("fault", "", "the only fault: killed, frozen or cut off")
	processes = flag.Bool("processes", false, "put hosts behind proxies instead of in network namespaces")
)

var results report

func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case os.Getenv(insideEnv) != "":
		if err := connectNamespaces(); err != nil {
			fmt.Fprintln(os.Stderr, "hosts are processes, because network namespaces cannot be connected here:", err)
			os.Exit(exitNoBridge)
		}
	default:
		if code, ran := reexec(); ran {
			os.Exit(code)
		}
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := m.Run()
	results.print(os.Stdout)
	os.Exit(code)
}

// fault is what happens to the leader.
type fault string

const (
	kill   fault = "killed"
	freeze fault = "frozen"
	cut    fault = "cut off"
)

var faults = []fault{kill, freeze, cut}

const (
	// slack is the tolerance for deadlines on a busy machine.
	slack = 2 * time.Second
	// connecting is dial_timeout of Redis, for which its client ignores
	// deadlines.
	connecting = 2 * time.Second
	// afterwards is how long the load goes on after the old leader is back.
	afterwards = time.Second
)

// cluster is a store on several servers.
type cluster interface {
	// open returns a store like that of a new process.
	open(context.Context) (watched, error)
	// fail strikes the leader, and returns when it was struck, and when another
	// one may have become the leader.
	fail(fault) (struck, replaced time.Time, err error)
	// comeBack lets the old leader come back after the fault, and waits until
	// it follows the new one.
	comeBack(context.Context, fault) error
}

// limits are what the documentation promises, from the time at which another
// server may have become the leader.
type limits struct {
	writes, feed time.Duration
	// overrun is for how long a call may outlast its deadline.
	overrun time.Duration
	// lost is the share of the acknowledged writes that a failover may lose.
	// Replicas of Redis are asynchronous: docs/stores.md promises nothing more.
	lost float64
}

func TestNothingIsLostInAFailover(t *testing.T) {
	for engine, c := range map[string]struct {
		start func(*testing.T) cluster
		limits
	}{
		"PostgreSQL":                  {func(t *testing.T) cluster { return newPair(t, false) }, limits{5 * time.Second, 5 * time.Second, 0, 0}},
		"PostgreSQL behind PgBouncer": {func(t *testing.T) cluster { return newPair(t, true) }, limits{10 * time.Second, 10 * time.Second, 0, 0}},
		"Redis with Sentinel":         {func(t *testing.T) cluster { return newSentinels(t) }, limits{20 * time.Second, 20 * time.Second, connecting, 0.05}},
		"Redis Cluster":               {func(t *testing.T) cluster { return newShards(t) }, limits{20 * time.Second, 20 * time.Second, connecting, 0.05}},
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cluster := c.start(t)
			ledger := newLedger(userIDs())
			for i := range *rounds {
				r := result{engine: engine, fault: cmp.Or(*only, string(faults[i%len(faults)]))}
				round(t, cluster, ledger, &r)
				results.add(r)
				assert.LessOrEqual(t, float64(r.lost), c.lost*float64(r.written), "%+v", r)
				assert.Empty(t, r.wrong, "%+v", r)
				assert.Less(t, r.longest, callTimeout+c.overrun+slack, "%+v", r)
				assert.Less(t, r.toWrites-r.election, c.writes, "%+v", r)
				assert.Less(t, r.toFeed-r.election, c.feed, "%+v", r)
			}
		})
	}
}

// round runs one failover under load.
func round(t *testing.T, c cluster, l *ledger, r *result) {
	t.Helper()
	here, err := c.open(t.Context())
	require.NoError(t, err)
	there, err := c.open(t.Context())
	require.NoError(t, err)
	l.reset()
	load, err := begin(t.Context(), l, here, there)
	require.NoError(t, err)
	ended := false
	end := func() {
		if !ended {
			ended = true
			assert.NoError(t, load.end())
		}
	}
	defer end()
	require.NoError(t, until("the load runs", func() (bool, error) {
		return load.feedUp.Load() && l.writes() >= warmUp, nil
	}))
	fault := fault(r.fault)
	struck, replaced, err := c.fail(fault)
	require.NoError(t, err)
	l.faultAt(struck)
	require.NoError(t, until("all users are served again", func() (ok bool, _ error) {
		r.toWrites, r.toFeed, ok = l.recovered()
		return ok && load.feedUp.Load(), nil
	}), "%s %s", r.engine, r.fault)
	r.election = replaced.Sub(struck)
	// Calls that are in flight at a frozen leader would get its old answer.
	<-time.After(time.Until(struck.Add(callTimeout)))
	require.NoError(t, c.comeBack(t.Context(), fault), "%s %s", r.engine, r.fault)
	<-time.After(afterwards)
	end()
	auditor, err := c.open(t.Context())
	require.NoError(t, err)
	r.tally, err = l.audit(t.Context(), auditor)
	require.NoError(t, err)
	require.NoError(t, auditor.Close())
}
