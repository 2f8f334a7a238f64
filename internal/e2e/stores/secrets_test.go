//go:build e2e

package stores_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/sqlite"
	"github.com/onezone-go/onezone/store/transfer"
)

// marker begins every secret in these tests. Its length is a multiple of three,
// so that its base64 form does not depend on the text after it.
const marker = "plaintext of a secret"

// needles are the forms in which the marker could be stored.
var needles = [][]byte{
	[]byte(marker),
	[]byte(hex.EncodeToString([]byte(marker))),
	[]byte(base64.StdEncoding.EncodeToString([]byte(marker))),
	bytes.ReplaceAll([]byte(fmt.Sprintf("%q", []byte(marker))), []byte(`"`), nil),
}

// shows reports whether the data contains the marker.
func shows(data []byte) bool {
	for _, needle := range needles {
		if bytes.Contains(data, needle) {
			return true
		}
	}
	return false
}

// raw is a database that can be read without a store.
type raw struct {
	place
	// scan reports whether the marker is in answers of the server, or in any of
	// its files.
	scan func(t *testing.T) (told, written bool)
}

var raws = map[string]func(t *testing.T) raw{
	"sqlite": func(t *testing.T) raw {
		path := newPath(t)
		return raw{inSQLite(path, sqlite.Options{}), func(t *testing.T) (told, written bool) {
			require.FileExists(t, path+"-wal")
			written = inFiles(t, filepath.Dir(path))
			return written, written
		}}
	},
	"postgres": func(t *testing.T) raw {
		server := pgtest.Own(t, "fsync=off")
		return raw{inPostgres(ownPool(server.URL), postgres.Options{}), func(t *testing.T) (told, written bool) {
			told = inTables(t, server.URL)
			require.NoError(t, server.Stop("fast"))
			return told, inFiles(t, server.Dir())
		}}
	},
	"redis": func(t *testing.T) raw {
		server := redistest.New(t, "--appendonly", "yes", "--rdbcompression", "no")
		return raw{inRedis("redis://"+server.Addr, ""), func(t *testing.T) (told, written bool) {
			_, err := server.Do("SAVE")
			require.NoError(t, err)
			require.FileExists(t, filepath.Join(server.Dir, "dump.rdb"))
			require.DirExists(t, filepath.Join(server.Dir, "appendonlydir"))
			return inKeys(t, server), inFiles(t, server.Dir)
		}}
	},
}

// inFiles reports whether the marker is in a file below the directory.
func inFiles(t *testing.T, dir string) (shown bool) {
	t.Helper()
	read := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		read += len(data)
		shown = shown || shows(data)
		return err
	}))
	require.NotZero(t, read)
	return shown
}

// inTables reports whether the marker is in any column of any table of the store.
func inTables(t *testing.T, url string) (shown bool) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'onezone'`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	read := 0
	for _, table := range tables {
		rows, err := conn.Query(ctx, "SELECT * FROM "+pgx.Identifier{"onezone", table}.Sanitize())
		require.NoError(t, err)
		for rows.Next() {
			values, err := rows.Values()
			require.NoError(t, err)
			for _, value := range values {
				data, ok := value.([]byte)
				if !ok {
					data = fmt.Append(nil, value)
				}
				read += len(data)
				shown = shown || shows(data)
			}
		}
		require.NoError(t, rows.Err())
	}
	require.NotZero(t, read)
	return shown
}

// inKeys reports whether the marker is in any key or value.
func inKeys(t *testing.T, server *redistest.Server) (shown bool) {
	t.Helper()
	keys, err := server.List("KEYS", "*")
	require.NoError(t, err)
	require.NotEmpty(t, keys)
	for _, key := range keys {
		value, err := server.Do("DUMP", key)
		require.NoError(t, err)
		shown = shown || shows([]byte(key)) || shows([]byte(value))
	}
	return shown
}

// writeSecrets writes secrets to the store with every method that takes them.
func writeSecrets(t *testing.T, s store.Store) {
	t.Helper()
	ctx, n := t.Context(), 0
	secret := func() store.Secret {
		n++
		return store.NewSecret(fmt.Sprint(marker, " ", n))
	}
	token := func(id string) *store.Token {
		return &store.Token{ID: id, Name: id, Version: 2, Subject: alice, Type: "act", Secret: secret()}
	}
	require.NoError(t, s.CreateIdentity(ctx, store.Identity{Subject: alice, Username: "alice", Password: secret()}))
	require.NoError(t, s.UpdateIdentity(ctx, alice, func(i *store.Identity) error { i.Password = secret(); return nil }))
	require.NoError(t, second(s.CreateToken(ctx, *token("a"), 0)))
	require.NoError(t, s.UpdateToken(ctx, "a", func(t *store.Token) error { t.Secret = secret(); return nil }))
	require.NoError(t, s.UpdateToken(ctx, "a", func(t *store.Token) error { t.Revoked = true; return nil }))
	_, err := s.EnsureTemporaryKey(ctx, alice, secret())
	require.NoError(t, err)
	_, err = s.RotateTemporaryKey(ctx, alice, secret())
	require.NoError(t, err)
	require.NoError(t, s.Import(ctx, []store.Record{
		{Identity: &store.Identity{Subject: bob, Username: "bob", Password: secret()}},
		{Temporary: &store.Temporary{Subject: bob, Secret: secret(), Generation: 3}},
		{Token: token("b")},
	}))
	require.NoError(t, second(s.CreateToken(ctx, *token("deleted"), 0)))
	require.NoError(t, s.DeleteToken(ctx, "deleted"))

	for id, number := range map[string]int{"a": 4, "b": 9} {
		key, err := s.NamedKey(ctx, id)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(marker, " ", number), key.Secret.Reveal(), "it is there for who may see it")
	}
}

// TestNoSecretIsStoredInPlaintext searches everything that engines store for a
// sealed store. The same search in an unsealed store finds the secrets.
func TestNoSecretIsStoredInPlaintext(t *testing.T) {
	t.Parallel()
	for name, newRaw := range raws {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("sealed", func(t *testing.T) {
				t.Parallel()
				r := newRaw(t)
				s := cached(t, sealed(t, r.place(t), "old"), cache.Options{})
				writeSecrets(t, s)
				// Resealing holds plaintext only in memory.
				_, err := sealed(t, r.place(t), "new", "old").Reseal(t.Context(), seal.ResealOptions{})
				require.NoError(t, err)
				told, written := r.scan(t)
				require.False(t, told, "the server tells a secret")
				require.False(t, written, "a secret is in a file")
			})
			t.Run("not sealed", func(t *testing.T) {
				t.Parallel()
				r := newRaw(t)
				writeSecrets(t, r.place(t))
				told, written := r.scan(t)
				require.True(t, told, "the check of what the server tells sees nothing")
				require.True(t, written, "the check of files sees nothing")
			})
		})
	}
}

// TestResealInEveryEngine replaces a key and then removes the old one.
func TestResealInEveryEngine(t *testing.T) {
	t.Parallel()
	original := filled(t)
	forEach(t, engines, func(t *testing.T, p place) {
		backend := p(t)
		_, err := transfer.Copy(t.Context(), sealed(t, backend, "old"), original, transfer.Options{})
		require.NoError(t, err)
		keys, err := seal.NewStaticKeys(ringKey("new"))
		require.NoError(t, err)
		_, err = seal.New(t.Context(), backend, keys, seal.Options{})
		require.ErrorIs(t, err, seal.ErrUnknownKey)
		require.True(t, isOperational(err))

		ctx, cancel := context.WithCancel(t.Context())
		first, err := sealed(t, backend, "new", "old").Reseal(ctx, seal.ResealOptions{Progress: func(p seal.ResealProgress) {
			if p.Records > records/2 {
				cancel()
			}
		}})
		require.ErrorIs(t, err, context.Canceled)
		rest, err := sealed(t, p(t), "new", "old").Reseal(t.Context(), seal.ResealOptions{From: first.Next})
		require.NoError(t, err)
		require.EqualValues(t, records-uses, first.Records+rest.Records, "uses have no secrets")
		require.EqualValues(t, passwords+subjects+tokens, first.Resealed+rest.Resealed)
		require.Empty(t, differences(t, sealed(t, p(t), "new"), original), "the old key is still needed, or something was lost")
	})
}
