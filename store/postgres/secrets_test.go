package postgres_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
)

// TestErrorsDoNotQuoteRecords makes the server reject rows, which it quotes.
func TestErrorsDoNotQuoteRecords(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	prepare(t, s)
	for _, table := range []string{"tokens", "identities", "temporary_keys"} {
		execute(t, pool, "ALTER TABLE "+quote(schema, table)+" ADD CHECK (false) NOT VALID")
	}
	const text = "topsecret"
	hidden := []string{text, fmt.Sprintf("%x", text), fmt.Sprint([]byte(text))}
	secret := store.NewSecret(text)
	token, user := newToken("b"), newUser("bob")
	token.Secret, user.Password = secret, secret
	for name, err := range map[string]error{
		"CreateToken":    second(s.CreateToken(t.Context(), token, 0)),
		"CreateIdentity": s.CreateIdentity(t.Context(), user),
		"Rotate":         second(s.RotateTemporaryKey(t.Context(), alice, secret)),
		"Ensure":         second(s.EnsureTemporaryKey(t.Context(), bob, secret)),
		"Replace":        second(s.ReplaceTemporarySecret(t.Context(), alice, store.NewSecret("temporary"), secret)),
		"Import":         s.Import(t.Context(), []store.Record{{Token: &token}}),
		"UpdateToken": s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
			token.Secret = secret
			return nil
		}),
		"UpdateIdentity": s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
			i.Password = secret
			return nil
		}),
	} {
		requireOperational(t, err, name)
		require.ErrorContains(t, err, "check constraint", name)
		shown := ""
		for e := err; e != nil; {
			asJSON, _ := json.Marshal(e)
			shown += fmt.Sprintf("%v %+v %#v %s", e, e, e, asJSON)
			wrapper, ok := e.(interface{ Unwrap() error })
			if !ok {
				break
			}
			e = wrapper.Unwrap()
		}
		for _, s := range hidden {
			require.NotContains(t, shown, s, name)
		}
	}
}

// TestDamagedRecordsAreOperationalErrors reads rows that no store wrote.
func TestDamagedRecordsAreOperationalErrors(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	prepare(t, s)
	execute(t, pool, "UPDATE "+quote(schema, "tokens")+` SET revoked_tails = '\x00'`)
	requireOperational(t, second(s.NamedKey(t.Context(), "a")))
	requireOperational(t, second(s.GetToken(t.Context(), "a")))
	requireOperational(t, s.UpdateToken(t.Context(), "a", revoke))
	execute(t, pool, "UPDATE "+quote(schema, "tokens")+` SET revoked_tails = '', subject = 'alice'`)
	requireOperational(t, second(s.NamedKey(t.Context(), "a")))
	requireOperational(t, third(s.ListTokens(t.Context(), store.Query{})))
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
}

// TestRejectedValuesAreNotQuoted uses columns of types that secrets do not fit.
// The server or the driver may quote the value in its message.
func TestRejectedValuesAreNotQuoted(t *testing.T) {
	t.Parallel()
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		pool := newPool(t, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
		schema := newSchema(t, pool)
		s := storeIn(t, pool, schema)
		prepare(t, s)
		for table, column := range map[string]string{"tokens": "secret", "identities": "password", "temporary_keys": "secret"} {
			execute(t, pool, "ALTER TABLE "+quote(schema, table)+" ALTER COLUMN "+column+" TYPE integer USING 1")
		}
		secret := store.NewSecret("topsecret")
		token, user := newToken("b"), newUser("bob")
		token.Secret, user.Password = secret, secret
		for name, err := range map[string]error{
			"CreateToken":    second(s.CreateToken(t.Context(), token, 0)),
			"CreateIdentity": s.CreateIdentity(t.Context(), user),
			"Rotate":         second(s.RotateTemporaryKey(t.Context(), alice, secret)),
			"Import":         s.Import(t.Context(), []store.Record{{Token: &token}}),
		} {
			requireOperational(t, err, name)
			said := fmt.Sprintf("%v %+v %#v", err, err, err)
			for _, form := range []string{"topsecret", fmt.Sprintf("%x", "topsecret"), "0x74, 0x6f", "116 111"} {
				require.NotContains(t, said, form, "%s, %v", name, mode)
			}
		}
	}
}
