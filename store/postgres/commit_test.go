package postgres_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// atCommit makes each writing transaction run a function when it is about to
// commit. The server has then already reported its statements as complete.
func atCommit(t *testing.T, pool *pgxpool.Pool, schema, do string) {
	t.Helper()
	function := quote(schema, "at_commit")
	execute(t, pool, "CREATE FUNCTION "+function+"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "+do+" RETURN NULL; END $$")
	for _, table := range []string{"tokens", "identities", "temporary_keys", "uses"} {
		execute(t, pool, "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE OR DELETE ON "+quote(schema, table)+
			" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "+function+"()")
	}
}

// TestNothingIsAcknowledgedBeforeItIsCommitted ends transactions between the
// completion of their last statement and their commit.
func TestNothingIsAcknowledgedBeforeItIsCommitted(t *testing.T) {
	t.Parallel()
	const (
		refuse = "RAISE 'refused' USING ERRCODE = '%s';"
		// A warning is sent at once, after all buffered data, as in a fast
		// shutdown of the server.
		hang     = "RAISE WARNING 'about to commit'; PERFORM pg_sleep(600);"
		hangs    = "wait_event = 'PgSleep'"
		together = 5
	)
	terminate := func(c crowd) {
		execute(t, c.direct, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND "+hangs, c.name)
	}
	for name, end := range map[string]struct {
		do  string
		end func(c crowd) // of what hangs
	}{
		"rejected":                {do: fmt.Sprintf(refuse, "58030")},
		"rejected for the record": {do: fmt.Sprintf(refuse, "23514")},
		"ended by the server":     {hang, terminate},
		"cut by the network":      {hang, func(c crowd) { c.proxy.cut(); terminate(c) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrowd(t)
			prepare(t, c.watcher)
			atCommit(t, c.direct, c.schema, end.do)
			before := whole(t, c.watcher)
			// outcome waits for the result of a call and ends hanging sessions.
			outcome := func(ended <-chan error) (err error) {
				t.Helper()
				eventually(t, func() bool {
					select {
					case err = <-ended:
						return true
					default:
					}
					if end.end != nil && backends(t, c.direct, c.name, hangs) > 0 {
						end.end(c)
					}
					return false
				}, "a call does not end")
				return err
			}

			written := 0
			for _, call := range calls(c.Store) {
				if call.name == "Watch" {
					continue
				}
				c.pool.Reset() // without connections that were cut
				ended := make(chan error, 1)
				go func() { ended <- call.do(t.Context()) }()
				if err := outcome(ended); err != nil {
					requireOperational(t, err, call.name)
					written++
				}
				eventually(t, func() bool { return backends(t, c.direct, c.name, hangs) == 0 }, "a session is still active")
				require.Equal(t, before, whole(t, c.watcher), call.name)
			}
			require.Equal(t, 13, written, "calls that tried to write")

			first := c.begin(t)
			var tokens []store.Token
			for i := range together {
				tokens = append(tokens, newToken(fmt.Sprint("together ", i)))
			}
			ended := c.create(t, t.Context(), tokens...)
			first.unlock()
			for range postgres.MaxSlots {
				requireOperational(t, outcome(first.ended), "the creation in the first transaction")
			}
			for i := range together {
				requireOperational(t, outcome(ended[i]), tokens[i].ID)
			}
			require.Equal(t, before, whole(t, c.watcher), "creations that share a transaction")
		})
	}
}
