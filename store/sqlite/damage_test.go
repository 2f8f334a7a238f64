package sqlite_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

const pageSize = 4096

// sound returns the content of a file with many tokens.
func sound(t *testing.T) []byte {
	t.Helper()
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{Synchronous: sqlite.Off})
	populate(t, s)
	var records []store.Record
	for i := range 200 {
		token := newToken(fmt.Sprint("token ", i))
		records = append(records, store.Record{Token: &token})
	}
	require.NoError(t, s.Import(t.Context(), records))
	require.NoError(t, s.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Zero(t, len(content)%pageSize)
	return content
}

// TestDamagedFile damages one page of the file at a time. A call may still
// return the right answer if it does not read the damage, or fail with an
// operational error. It never reports a stored record as not found.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	content := sound(t)
	random := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, pageSize)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	failed := 0
	damaged := func(name string, damage func([]byte) []byte) {
		path := newPath(t)
		require.NoError(t, os.WriteFile(path, damage(append([]byte(nil), content...)), 0o600))
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err == nil {
			defer s.Close()
			err = s.Migrate(t.Context())
		}
		if err != nil {
			requireOperational(t, err, name)
			failed++
			return
		}
		for _, c := range calls(s) {
			if c.writes {
				continue
			}
			if err := c.do(t.Context()); err != nil {
				requireOperational(t, err, "%s: %s", name, c.name)
				failed++
			}
		}
	}
	pages := len(content) / pageSize
	require.Greater(t, pages, 20)
	for page := range pages {
		damaged(fmt.Sprint("noise in page ", page+1), func(b []byte) []byte {
			copy(b[page*pageSize:], noise)
			return b
		})
		damaged(fmt.Sprint("nothing in page ", page+1), func(b []byte) []byte {
			clear(b[page*pageSize:][:pageSize])
			return b
		})
	}
	require.Greater(t, failed, pages/2, "the damage was not noticed")
	failed = 0
	damaged("cut off", func(b []byte) []byte { return b[:len(b)/2] })
	require.NotZero(t, failed)
}

// TestDamagedRecordsAreOperationalErrors reads rows that no store wrote.
func TestDamagedRecordsAreOperationalErrors(t *testing.T) {
	t.Parallel()
	db := newHandle(t, newPath(t))
	s := newOver(t, db, sqlite.Options{})
	populate(t, s)
	for set, inKey := range map[string]bool{
		"revoked_tails = x'00'": true,
		"subject = 'alice'":     true,
		"caveats = '{}'":        false,
		"privileges = '[1]'":    false,
	} {
		execute(t, db, "UPDATE onezone_tokens SET "+set)
		if inKey {
			requireOperational(t, second(s.NamedKey(t.Context(), "a")), set)
		}
		requireOperational(t, second(s.GetToken(t.Context(), "a")), set)
		requireOperational(t, third(s.ListTokens(t.Context(), store.Query{})), set)
		require.NoError(t, third(s.ListTokenIDs(t.Context(), store.Query{})), "ids do not need the record: %s", set)
		requireOperational(t, third(s.Export(t.Context(), store.TokenRecords, "", 0)), set)
		requireOperational(t, s.UpdateToken(t.Context(), "a", revoke), set)
		require.NoError(t, s.DeleteToken(t.Context(), "a"))
		require.NoError(t, second(s.CreateToken(t.Context(), newToken("a"), 0)))
	}
}

// TestErrorsDoNotQuoteRecords makes SQLite reject rows.
func TestErrorsDoNotQuoteRecords(t *testing.T) {
	t.Parallel()
	db := newHandle(t, newPath(t))
	s := newOver(t, db, sqlite.Options{})
	populate(t, s)
	for _, table := range []string{"tokens", "identities", "temporary_keys"} {
		for _, event := range []string{"INSERT", "UPDATE"} {
			execute(t, db, fmt.Sprintf("CREATE TRIGGER %[1]s_%[2]s BEFORE %[2]s ON onezone_%[1]s BEGIN SELECT raise(ABORT, 'refused'); END", table, event))
		}
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
		require.ErrorContains(t, err, "refused", name)
		shown := ""
		for e := err; e != nil; e = errors.Unwrap(e) {
			asJSON, _ := json.Marshal(e)
			shown += fmt.Sprintf("%v %+v %#v %s", e, e, e, asJSON)
		}
		for _, s := range hidden {
			require.NotContains(t, shown, s, name)
		}
	}
}

// TestMissingTable looks up a token when not all queries can be prepared.
func TestMissingTable(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	require.NoError(t, openAt(t, path, sqlite.Options{}).Close())
	execute(t, newHandle(t, path), "DROP TABLE onezone_temporary_keys")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	requireOperational(t, second(s.NamedKey(t.Context(), "id")))
}
