package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// TestTakenKeyIsNotReportedAsTakenName creates records whose key and name are
// both taken, in a database that checks names first, as a restored one may.
func TestTakenKeyIsNotReportedAsTakenName(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	prepare(t, s)
	for table, key := range map[string]string{"tokens": "id", "identities": "subject"} {
		execute(t, pool, "ALTER TABLE "+quote(schema, table)+" DROP CONSTRAINT "+table+"_pkey, ADD PRIMARY KEY ("+key+")")
	}
	require.ErrorIs(t, second(s.CreateToken(t.Context(), newToken("a"), 0)), errors.IDAlreadyExists)
	require.ErrorIs(t, s.CreateIdentity(t.Context(), newUser("alice")), errors.IDAlreadyExists)
	token, user := newToken("b"), newUser("bob")
	token.Name, user.Username = newToken("a").Name, "alice"
	require.ErrorIs(t, second(s.CreateToken(t.Context(), token, 0)), errors.IDBadValueIdentifierOccupied)
	require.ErrorIs(t, s.CreateIdentity(t.Context(), user), errors.IDBadValueIdentifierOccupied)
}

// TestUnusedNameIsNeverTaken creates and deletes an id while other callers try
// to create it, each with a unique name.
func TestUnusedNameIsNeverTaken(t *testing.T) {
	t.Parallel()
	s := newStore(t, newPool(t, nil))
	for _, err := range atOnce(4, func(i int) error {
		for n := range 100 {
			token := newToken("a")
			token.Name = fmt.Sprint("name ", i, " ", n)
			if err := second(s.CreateToken(t.Context(), token, 0)); err != nil && !errors.Is(err, errors.IDAlreadyExists) {
				return err
			}
			if err := s.DeleteToken(t.Context(), "a"); err != nil && !errors.Is(err, errors.IDNotFound) {
				return err
			}
		}
		return nil
	}) {
		require.NoError(t, err)
	}
}

// transactions counts the transactions of a pool.
type transactions struct{ begun atomic.Int64 }

func (c *transactions) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.HasPrefix(data.SQL, "begin") {
		c.begun.Add(1)
	}
	return ctx
}

func (c *transactions) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestImportsOfTheSameRecordsDoNotDeadlock imports them in any order.
func TestImportsOfTheSameRecordsDoNotDeadlock(t *testing.T) {
	t.Parallel()
	var c transactions
	pool := newPool(t, func(config *pgxpool.Config) {
		config.ConnConfig.Tracer = &c
		config.ConnConfig.RuntimeParams["deadlock_timeout"] = "5ms"
	})
	s := newStore(t, pool)
	before := c.begun.Load()
	const imports, each = 4, 20
	for _, err := range atOnce(imports, func(int) (err error) {
		for n := 0; n < each && err == nil; n++ {
			// New for the first import, existing for the others and for the
			// second round.
			var records []store.Record
			for i := range 50 {
				key := fmt.Sprint(n/2, " ", i)
				token, user := newToken(key), newUser(key)
				records = append(records, store.Record{Token: &token}, store.Record{Identity: &user})
			}
			err = s.Import(t.Context(), records)
		}
		return err
	}) {
		require.NoError(t, err)
	}
	require.EqualValues(t, imports*each, c.begun.Load()-before, "transactions were retried")
}
