package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
)

func TestABackupIsTakenWhileTheServiceWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	store := "sqlite:" + filepath.Join(dir, "data", "onezone.db")
	written := make(chan int, 1)
	stop := make(chan struct{})
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				written <- n
				return
			default:
				s.do("POST", "/user/tokens/named", `{"name": "token `+string(rune('a'+n%26))+strings.Repeat("x", n/26)+`"}`, "X-Auth-Token", s.token)
			}
		}
	}()
	for i := range 3 {
		backup := filepath.Join(dir, "backup"+string(rune('0'+i)))
		_, err := command(t, "store", "backup", "--store", store, backup)
		require.NoError(t, err)
		requireNoCopies(t, filepath.Join(dir, "data"))
		restored := "sqlite:" + filepath.Join(t.TempDir(), "onezone.db")
		_, err = command(t, "store", "restore", "--store", restored, backup)
		require.NoError(t, err)
		_, err = command(t, "store", "check", "--store", restored)
		require.NoError(t, err)
	}
	close(stop)
	require.Positive(t, <-written)
	s.stop()
}

// requireNoCopies asserts that no copy of a database is left over.
func requireNoCopies(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		require.False(t, strings.HasPrefix(f.Name(), copyPrefix), f.Name())
	}
}

// failingWriter is a pipe whose reader has gone.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestABackupThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	file, _ := filledStore(t)
	err := run(t.Context(), []string{"store", "backup", "--store", "sqlite:" + file, "-"},
		stdio{strings.NewReader(""), failingWriter{}, failingWriter{}}, unset)
	require.ErrorContains(t, err, "broken pipe")
	requireNoCopies(t, filepath.Dir(file))
}

func TestMistakesInBackupsAreReported(t *testing.T) {
	t.Parallel()
	file, _ := filledStore(t)
	dir := t.TempDir()
	backup := filepath.Join(dir, "backup")
	_, err := order(t, file, "", "store", "backup", backup)
	require.NoError(t, err)
	_, err = order(t, file, "", "store", "backup", backup)
	require.ErrorContains(t, err, backup+" exists; choose another name")
	_, err = order(t, file, "", "store", "backup", filepath.Join(dir, "no", "backup"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = order(t, file, "", "store", "restore", backup)
	require.EqualError(t, err, "restoring to sqlite:"+file+": the destination has records: choose an empty store, or overwrite the records with the same keys")
	text, err := os.ReadFile(backup)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "damaged"), []byte(strings.Replace(string(text), "laptop", "Laptop", 1)), 0o600))
	fresh := filepath.Join(dir, "fresh.db")
	_, err = order(t, fresh, "", "store", "restore", filepath.Join(dir, "damaged"))
	require.ErrorContains(t, err, filepath.Join(dir, "damaged")+": the backup cannot be used: the checksum differs, so it is damaged")
	_, err = order(t, fresh, "", "store", "restore", filepath.Join(dir, "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoFileExists(t, fresh)
	out, err := order(t, file, "", "store", "backup", "-")
	require.NoError(t, err)
	require.Equal(t, string(text), out, "a backup on standard output has the same text and nothing else")

	for _, args := range [][]string{
		{"copy", "sqlite:a"}, {"copy", "sqlite:a", "mysql:b"}, {"copy", "memory:", "sqlite:b"}, {"copy", "sqlite:a", "sqlite:a"},
		{"copy", "--from", "9:x", "sqlite:" + file, "sqlite:" + fresh}, {"copy", "--from", "1:%", "sqlite:" + file, "sqlite:" + fresh},
	} {
		_, err := command(t, append([]string{"store"}, args...)...)
		require.Equal(t, exitUsage, exitCode(err), "%v: %v", args, err)
	}
	_, err = command(t, "store", "copy", "sqlite:"+filepath.Join(dir, "absent.db"), "sqlite:"+fresh)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A sealed store is backed up and copied without its keys, and needs them
// afterwards.
func TestSealedRecordsMoveSealed(t *testing.T) {
	t.Parallel()
	file, laptop := filledStore(t)
	keys := keyFile(t, keyLine("2026", "a"))
	_, err := order(t, file, "", "store", "seal", "--seal-key-file", keys)
	require.NoError(t, err)
	backup, restored := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "onezone.db")
	out, err := order(t, file, "", "store", "backup", backup)
	require.NoError(t, err)
	require.Contains(t, out, "the secrets are sealed, so keep the seal keys, too")
	_, err = order(t, restored, "", "store", "restore", backup)
	require.NoError(t, err)
	_, err = order(t, restored, "", "user", "list")
	require.ErrorContains(t, err, "needs --seal-key-file FILE")
	s, end := inProcess(t, "--store", "sqlite:"+restored, "--seal-key-file", keys)
	defer end()
	require.Equal(t, 200, s.verify(laptop.Token, "127.0.0.1").status)
	require.Contains(t, out, "all else is in clear, unless you give --seal-key-file")

	// Sealed as a whole, it needs the keys twice.
	whole, third := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "third.db")
	_, err = order(t, file, "", "store", "backup", "--seal-key-file", keys, whole)
	require.NoError(t, err)
	out, err = order(t, third, "", "store", "restore", "--seal-key-file", keys, whole)
	require.NoError(t, err)
	require.Equal(t, "restored 6 records to sqlite:"+third+"; the secrets are sealed, so the service needs the seal keys\n", out)
	_, err = order(t, third, "", "store", "check", "--seal-key-file", keys)
	require.NoError(t, err)
	_, err = command(t, "store", "compare", "sqlite:"+file, "sqlite:"+third)
	require.NoError(t, err)
}

// A restore that would fail later because of its files writes nothing.
func TestARestoreChecksItsFilesBeforeItWrites(t *testing.T) {
	t.Parallel()
	file, _ := filledStore(t)
	backup, fresh := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "fresh.db")
	_, err := order(t, file, "", "store", "backup", backup)
	require.NoError(t, err)
	pipe, in, err := os.Pipe()
	require.NoError(t, err)
	defer pipe.Close()
	defer in.Close()
	stream := fmt.Sprint("/dev/fd/", pipe.Fd())
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--seal-key-file", "nowhere.key", backup}, "--seal-key-file nowhere.key: reading the seal keys: open nowhere.key"},
		{[]string{stream}, stream + " is a stream, but a restore reads the backup twice; write it to a file first"},
	} {
		_, err = order(t, fresh, "", append([]string{"store", "restore"}, c.args...)...)
		require.ErrorContains(t, err, c.want)
		require.NoFileExists(t, fresh)
	}
}

// With the seal keys, nothing leaves a store in clear, and stores of all kinds
// are sealed by the restore.
func TestBackupsAreSealedWithTheKeysOfTheSettings(t *testing.T) {
	t.Parallel()
	file, laptop := filledStore(t)
	keys := keyFile(t, keyLine("2026", "a"))
	backup := filepath.Join(t.TempDir(), "backup")
	out, err := order(t, file, "", "store", "backup", "--seal-key-file", keys, backup)
	require.NoError(t, err)
	require.Contains(t, out, "it is sealed, so keep the seal keys, too")
	_, err = order(t, file, "", "store", "check")
	require.NoError(t, err, "the store is as it was")
	text, err := os.ReadFile(backup)
	require.NoError(t, err)
	for _, word := range []string{"alice", "laptop", "phone", "127.0.0.0", laptop.TokenID, "identity", "secret"} {
		require.NotContains(t, string(text), word)
	}

	postgres, redis := pgtest.Own(t).URL, "redis://"+redistest.New(t).Addr
	for _, store := range []string{"sqlite:" + filepath.Join(t.TempDir(), "onezone.db"), postgres, redis} {
		out, err = command(t, "store", "restore", "--store", store, "--seal-key-file", keys, backup)
		require.NoError(t, err)
		require.Contains(t, out, "; the secrets are sealed, so the service needs the seal keys")
		_, err = command(t, "store", "check", "--store", store, "--seal-key-file", keys)
		require.NoError(t, err, "no secret is in clear")
		_, err = command(t, "user", "list", "--store", store)
		require.ErrorContains(t, err, "needs --seal-key-file FILE")
		again := filepath.Join(t.TempDir(), "again")
		_, err = command(t, "store", "backup", "--store", store, "--seal-key-file", keys, again)
		require.NoError(t, err)
		s, end := inProcess(t, "--store", store, "--seal-key-file", keys)
		require.Equal(t, 200, s.verify(laptop.Token, "127.0.0.1").status)
		end()
	}
}

// The restore of a sealed backup says which file does not fit, and creates no
// store.
func TestASealedBackupIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	file, _ := filledStore(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	keys, other := keyFile(t, keyLine("2026", "a")), keyFile(t, keyLine("2027", "b"))
	_, err := order(t, file, "", "store", "backup", "--seal-key-file", keys, in("sealed"))
	require.NoError(t, err)
	_, err = order(t, file, "", "store", "backup", in("clear"))
	require.NoError(t, err)
	text, err := os.ReadFile(in("sealed"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(in("cut"), text[:len(text)-1], 0o600))
	_, records, _ := bytes.Cut(text, []byte("\n"))
	records[100] ^= 1
	require.NoError(t, os.WriteFile(in("changed"), text, 0o600))
	for _, c := range []struct {
		backup, keys, want string
	}{
		{"sealed", "", in("sealed") + ` needs --seal-key-file FILE: the backup is sealed, and no keys were given: it needs the key "2026"`},
		{"sealed", other, "--seal-key-file " + other + " does not hold the key that " + in("sealed") + " is sealed with: "},
		{"clear", keys, in("clear") + ` is not sealed, so anybody could have written it; if you trust it, restore it with --seal-key-file=""`},
		{"cut", keys, in("cut") + ": the backup cannot be used: it was changed or cut off after the first 0 bytes of its records"},
		{"changed", keys, in("changed") + ": the backup cannot be used: it was changed"},
	} {
		_, err := order(t, in("never.db"), "", "store", "restore", "--seal-key-file", c.keys, in(c.backup))
		require.ErrorContains(t, err, c.want)
		require.NoFileExists(t, in("never.db"))
	}

	// What was in use without keys is not sealed in part.
	_, err = order(t, file, "", "store", "restore", "--overwrite", "--seal-key-file", keys, in("sealed"))
	require.ErrorContains(t, err, "holds secrets in clear; run: onezone store seal")
}
