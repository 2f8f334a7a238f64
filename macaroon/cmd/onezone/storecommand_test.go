package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/transfer"
)

// command runs the program, and returns its output.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience) // so that a service does not serve forever
	defer cancel()
	var out, log syncbuffer.Buffer
	err := run(ctx, args, stdio{strings.NewReader(""), &out, &log}, unset)
	return out.String(), err
}

// filledStore returns the file of a store with users and tokens.
func filledStore(t *testing.T) (file string, laptop issued) {
	t.Helper()
	file = userStore(t, "alice", "bob")
	laptop = issue(t, file, "--user", "alice", "--name", "laptop", "--caveat", "ip = 127.0.0.0/8")
	revoked := issue(t, file, "--user", "bob", "--name", "phone")
	_, err := order(t, file, "", "token", "revoke", revoked.TokenID)
	require.NoError(t, err)
	_ = issue(t, file, "--user", "bob", "--ttl", "1h")
	return file, laptop
}

// edit changes a store behind the back of the program.
func edit(t *testing.T, file, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	_, err = db.Exec(statement, args...)
	require.NoError(t, errors.Join(err, db.Close()))
}

func TestStoresAreMigratedAndCounted(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "onezone.db")
	_, err := order(t, empty, "", "store", "stats")
	require.ErrorIs(t, err, os.ErrNotExist, "a typing error in a path creates no file")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err = order(t, empty, "", "store", "stats")
	require.ErrorContains(t, err, "if its tables are missing or old, run: onezone store migrate")
	out, err := order(t, empty, "", "store", "migrate")
	require.NoError(t, err)
	require.Equal(t, "the tables of sqlite:"+empty+" are up to date\n", out)
	_, err = order(t, empty, "", "store", "stats")
	require.NoError(t, err)

	file, _ := filledStore(t)
	out, err = order(t, file, "", "store", "stats", "--json")
	require.NoError(t, err)
	var n storeStats
	require.NoError(t, json.Unmarshal([]byte(out), &n))
	require.Equal(t, storeStats{Users: 2, Temporary: 1, NamedTokens: 2, Revoked: 1, ClearSecrets: 3}, n)
	out, err = order(t, file, "", "store", "stats")
	require.NoError(t, err)
	require.Contains(t, out, "\nnamed tokens\t2\n")
}

// Stores of all kinds hold the same records after a backup, a restore and
// copies.
func TestRecordsMoveBetweenAllStores(t *testing.T) {
	t.Parallel()
	file, laptop := filledStore(t)
	source := "sqlite:" + file
	backup := filepath.Join(t.TempDir(), "onezone.backup")
	out, err := command(t, "store", "backup", "--store", source, backup)
	require.NoError(t, err)
	require.Equal(t, "wrote 5 records to "+backup+"; the secrets are in clear, so keep it as safe as the store, or give --seal-key-file\n", out)
	about, err := os.Stat(backup)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), about.Mode().Perm())
	files, err := os.ReadDir(filepath.Dir(backup))
	require.NoError(t, err)
	require.Len(t, files, 1, "no file is left over")

	postgres := pgtest.Own(t).URL
	redis := "redis://" + redistest.New(t).Addr
	elsewhere := "sqlite:" + filepath.Join(t.TempDir(), "new", "onezone.db")
	out, err = command(t, "store", "restore", "--store", postgres, backup)
	require.NoError(t, err)
	require.Contains(t, out, "restored 5 records to postgres://")
	out, err = command(t, "store", "copy", postgres, redis)
	require.NoError(t, err)
	require.Contains(t, out, "copied 5 records to redis://")
	out, err = command(t, "store", "copy", "--json", redis, elsewhere)
	require.NoError(t, err)
	require.JSONEq(t, `{"records": 5}`, out)
	for _, s := range []string{postgres, redis, elsewhere} {
		out, err = command(t, "store", "compare", source, s)
		require.NoError(t, err, s)
		require.Equal(t, "the stores have the same records\n", out)
		second := filepath.Join(t.TempDir(), "again")
		_, err = command(t, "store", "backup", "--store", s, second)
		require.NoError(t, err)
		_, err = command(t, "store", "check", "--store", s)
		require.NoError(t, err)
	}
	s, end := inProcess(t, "--store", elsewhere)
	defer end()
	require.Equal(t, 200, s.verify(laptop.Token, "127.0.0.1").status)

	_, err = command(t, "store", "copy", source, postgres)
	require.ErrorContains(t, err, "has records: choose an empty store, or --overwrite")
	_, err = command(t, "store", "copy", "--overwrite", source, postgres)
	require.NoError(t, err)
	_, err = command(t, "user", "block", "--store", postgres, "alice")
	require.NoError(t, err)
	out, err = command(t, "store", "compare", "--json", source, postgres)
	require.ErrorContains(t, err, "the stores differ in 1 records")
	require.Contains(t, out, `"problem": "different"`)
}

// Events and passwords are as private as the store.
func TestTheCheckFindsReadableFiles(t *testing.T) {
	t.Parallel()
	postgres := pgtest.Own(t).URL
	dir := t.TempDir()
	config, audit, keys := filepath.Join(dir, "onezone.toml"), filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "keys")
	require.NoError(t, os.WriteFile(audit, nil, 0o640))
	require.NoError(t, os.WriteFile(keys, []byte(keyLine("2026", "a")), 0o604))
	withPassword, err := url.Parse(postgres)
	require.NoError(t, err)
	withPassword.User = url.UserPassword(withPassword.User.Username(), "hunter2") // which trust ignores
	_, err = command(t, "store", "migrate", "--store", postgres)
	require.NoError(t, err)
	for _, c := range []struct {
		store string
		args  []string
		want  []string
	}{
		{postgres, nil, nil},
		{withPassword.String(), nil, []string{config}},
		{postgres, []string{"--audit", audit}, []string{audit}},
		{withPassword.String(), []string{"--store", postgres}, nil},
		{withPassword.String(), []string{"--audit", audit}, []string{audit, config}},
	} {
		require.NoError(t, os.WriteFile(config, []byte("store = \""+c.store+"\"\n"), 0o644))
		out, err := command(t, append([]string{"store", "check", "--config", config}, c.args...)...)
		for _, file := range c.want {
			require.Contains(t, out, "file\t"+file+"\treadable by others\n")
		}
		require.Equal(t, len(c.want), strings.Count(out, "readable by others"), "%s %v", c.store, err)
		require.Equal(t, len(c.want) > 0, err != nil)
	}
	_, err = command(t, "store", "check", "--store", postgres, "--seal-key-file", keys)
	require.EqualError(t, err, "readable by others: 1; run: chmod 600 FILE")
}

// A copy can stop at records of every kind.
func TestPositionsOfCopiesAreRead(t *testing.T) {
	t.Parallel()
	at := transfer.Position{Kind: store.IdentityRecords, After: "a:b c%"}
	for ; !at.IsEnd(); at.Kind++ {
		read, err := parsePosition(formatPosition(at))
		require.NoError(t, err, at.Kind)
		require.Equal(t, at, read)
	}
	require.Equal(t, store.UseRecords+1, at.Kind)
	_, err := parsePosition(formatPosition(at))
	require.ErrorContains(t, err, "is not a position that a copy has printed")
}

// A copy that was interrupted continues where it stopped.
func TestACopyIsResumed(t *testing.T) {
	t.Parallel()
	file, _ := filledStore(t)
	dst := filepath.Join(t.TempDir(), "onezone.db")
	// A name that is taken in the destination stops the copy at the tokens.
	_, err := order(t, dst, "", "store", "migrate")
	require.NoError(t, err)
	edit(t, dst, "CREATE TRIGGER stop BEFORE INSERT ON onezone_tokens BEGIN SELECT RAISE(ABORT, 'no space'); END")
	_, err = command(t, "store", "copy", "sqlite:"+file, "sqlite:"+dst)
	require.ErrorContains(t, err, "copied 3 records, and then: ")
	_, position, found := strings.Cut(err.Error(), "run again with --from ")
	require.True(t, found, err)
	edit(t, dst, "DROP TRIGGER stop")
	out, err := command(t, "store", "copy", "--from", position, "sqlite:"+file, "sqlite:"+dst)
	require.NoError(t, err)
	require.Equal(t, "copied 2 records to sqlite:"+dst+"\n", out)
	_, err = command(t, "store", "compare", "sqlite:"+file, "sqlite:"+dst)
	require.NoError(t, err)
}

// Each kind of problem is found, with what to do about it.
func TestTheCheckFindsProblems(t *testing.T) {
	t.Parallel()
	file, laptop := filledStore(t)
	out, err := order(t, file, "", "store", "check")
	require.NoError(t, err)
	require.Equal(t, "no problems in sqlite:"+file+"\n", out)

	first, second := keyLine("2026", "a"), keyLine("2027", "b")
	out, err = order(t, file, "", "store", "check", "--seal-key-file", keyFile(t, first))
	require.ErrorContains(t, err, "in clear, and keys given: 3; stop the service and run: onezone store seal")
	require.Contains(t, out, "named token\t"+laptop.TokenID+"\tin clear, and keys given\n")
	empty := filepath.Join(t.TempDir(), "empty.db")
	_, err = order(t, empty, "", "store", "migrate")
	require.NoError(t, err)
	_, err = order(t, empty, "", "store", "check", "--seal-key-file", keyFile(t, first))
	require.NoError(t, err, "the first secret will be sealed")
	_, err = order(t, file, "", "store", "seal", "--seal-key-file", keyFile(t, first))
	require.NoError(t, err)
	_, err = order(t, file, "", "store", "check", "--seal-key-file", keyFile(t, first))
	require.NoError(t, err)
	_, err = order(t, file, "", "store", "check")
	require.ErrorContains(t, err, "sealed, and no keys given: 1; give --seal-key-file")
	_, err = order(t, file, "", "store", "check", "--seal-key-file", keyFile(t, second))
	require.ErrorContains(t, err, "does not hold the key that --store")

	edit(t, file, "UPDATE onezone_tokens SET caveats = '[\"ip = 0.0.0.0/0\"]' WHERE id = ?", laptop.TokenID)
	edit(t, file, "UPDATE onezone_tokens SET secret = CAST('planted' AS BLOB) WHERE id <> ?", laptop.TokenID)
	edit(t, file, "UPDATE onezone_temporary_keys SET secret = CAST(CAST(secret AS TEXT) || 'x' AS BLOB) WHERE subject NOT LIKE '%canary'")
	_, err = order(t, file, "", "user", "list", "--seal-key-file", keyFile(t, first))
	require.NoError(t, err)
	edit(t, file, "DELETE FROM onezone_identities WHERE username = 'bob'")
	require.NoError(t, os.Chmod(file, 0o644))
	require.NoError(t, os.Mkdir(filepath.Join(filepath.Dir(file), copyPrefix+"1"), 0o700))
	out, err = order(t, file, "", "store", "check", "--seal-key-file", keyFile(t, first))
	require.Equal(t, exitFailure, exitCode(err))
	for _, line := range []string{
		"file\t" + file + "\treadable by others\n", "named token\t" + laptop.TokenID + "\taltered\n",
		"file\t" + filepath.Join(filepath.Dir(file), copyPrefix+"1") + "\tleft over\n",
		"\torphan\n", "\tunsealed\n", "\tdoes not open\n",
	} {
		require.Contains(t, out, line)
	}
	require.Regexp(t, `readable by others: [123]; run: chmod 600 FILE`, err.Error(), "SQLite gives its other files the mode of the first")
	for _, remedy := range []string{
		"left over: 1; a backup was interrupted; unless one is running, run: rm -r FILE",
		"altered: 1; somebody changed the database", "orphan: 2; remove the tokens with: onezone token delete ID",
		"unsealed: 1; somebody wrote to the database", "does not open: 1; give the file with all keys",
	} {
		require.ErrorContains(t, err, remedy)
	}
}
