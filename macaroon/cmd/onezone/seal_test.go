package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// keyLine returns a line of a seal key file, with a key that repeats one
// letter.
func keyLine(name, letter string) string {
	return name + " " + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32))) + "\n"
}

// keyFile writes a seal key file that only its owner can access.
func keyFile(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "seal.key")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600))
	return file
}

// TestAStoreIsRefusedWithoutItsSealKeys starts the program with other keys than
// those of the store.
func TestAStoreIsRefusedWithoutItsSealKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "data", "onezone.db")
	keys := keyFile(t, keyLine("2026", "a"))
	s := start(t, dir, "--seal-key-file", keys)
	_, token := s.newToken("laptop")
	s.stop()
	for about, c := range map[string]struct {
		args []string
		want string
	}{
		"no keys":                   {[]string{"serve"}, "--store sqlite:" + file + " needs --seal-key-file FILE, with the key that it was sealed with: its secrets are sealed"},
		"no keys, and an order":     {[]string{"user", "add", "--no-password", "alice"}, "needs --seal-key-file"},
		"another key":               {[]string{"serve", "--seal-key-file", keyFile(t, keyLine("2027", "b"))}, `"2026"`},
		"another key, and an order": {[]string{"user", "add", "--no-password", "alice", "--seal-key-file", keyFile(t, keyLine("2027", "b"))}, `"2026"`},
		"another key of that name":  {[]string{"serve", "--seal-key-file", keyFile(t, keyLine("2026", "b"))}, "does not hold the key that --store"},
		"a new key without the old": {[]string{"store", "reseal", "--seal-key-file", keyFile(t, keyLine("2027", "b"))}, `"2026"`},
	} {
		_, err := order(t, file, "", c.args...)
		require.ErrorContains(t, err, c.want, about)
	}
	again := start(t, dir, "--seal-key-file", keys)
	require.Equal(t, 200, again.verify(token, "127.0.0.1").status)
}

// TestAServiceIsReadyOnlyWhileItsSecretsCanBeRead changes the store of running
// services.
func TestAServiceIsReadyOnlyWhileItsSecretsCanBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "--seal-key-file", keyFile(t, keyLine("2026", "a")))
	require.Equal(t, 200, s.get("GET", "/readyz", "").status)
	db, err := sql.Open("sqlite", filepath.Join(dir, "data", "onezone.db"))
	require.NoError(t, err)
	defer db.Close()
	const canary = "usr-onezone/canary"
	var sealed []byte
	require.NoError(t, db.QueryRow("SELECT secret FROM onezone_temporary_keys WHERE subject = ?", canary).Scan(&sealed))
	for about, planted := range map[string][]byte{"in clear": []byte("in clear"), "under another key": append(sealed[:len(sealed):len(sealed)], 'x')} {
		_, err = db.Exec("UPDATE onezone_temporary_keys SET secret = ? WHERE subject = ?", planted, canary)
		require.NoError(t, err)
		require.Equal(t, 503, s.get("GET", "/readyz", "").status, about)
	}
	_, err = db.Exec("UPDATE onezone_temporary_keys SET secret = ? WHERE subject = ?", sealed, canary)
	require.NoError(t, err)
	require.Equal(t, 200, s.get("GET", "/readyz", "").status)

	// A service without keys whose store has been sealed after its start.
	dir = t.TempDir()
	plain := start(t, dir)
	require.Equal(t, 200, plain.get("GET", "/readyz", "").status)
	out, err := order(t, filepath.Join(dir, "data", "onezone.db"), "",
		"store", "seal", "--seal-key-file", keyFile(t, keyLine("2026", "a")))
	require.NoError(t, err)
	require.Regexp(t, `^sealed [1-9]\d* of [1-9]\d* records anew; all are under the first key of `, out)
	require.Equal(t, 503, plain.get("GET", "/readyz", "").status)
	eventually(t, func() bool { return strings.Contains(plain.log.String(), "sealed") }, "the log says why")
}

// TestAStoreIsConvertedAndItsKeyReplaced checks that the files contain no
// secrets in clear.
func TestAStoreIsConvertedAndItsKeyReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "data", "onezone.db")
	plain := start(t, dir)
	id, token := plain.newToken("laptop")
	plain.stop()
	secret := secretOf(t, dir, "", id)
	legible := func() bool {
		t.Helper()
		for _, name := range []string{file, file + "--wal"} {
			content, err := os.ReadFile(name)
			if !os.IsNotExist(err) {
				require.NoError(t, err)
			}
			if strings.Contains(string(content), secret) {
				return true
			}
		}
		return false
	}
	require.True(t, legible())

	first, second := keyLine("2026", "a"), keyLine("2027", "b")
	_, err := order(t, file, "", "serve", "--seal-key-file", keyFile(t, first), "--address", "127.0.0.1:0")
	require.ErrorContains(t, err, "run: onezone store seal")
	_, err = order(t, file, "", "store", "reseal", "--seal-key-file", keyFile(t, first))
	require.ErrorContains(t, err, "run: onezone store seal")
	require.Equal(t, secret, secretOf(t, dir, "", id), "nothing was done")
	_, err = order(t, file, "", "store", "seal", "--seal-key-file", keyFile(t, first))
	require.NoError(t, err)
	require.False(t, legible())
	_, err = order(t, file, "", "store", "reseal", "--seal-key-file", keyFile(t, second, first))
	require.NoError(t, err)
	s := start(t, dir, "--seal-key-file", keyFile(t, second))
	require.Equal(t, 200, s.verify(token, "127.0.0.1").status)
	require.Equal(t, secret, secretOf(t, dir, keyFile(t, second), id))
}

// TestTheSealKeyFileMustBePrivate lets others read the file, and adds a byte
// order mark like some editors.
func TestTheSealKeyFileMustBePrivate(t *testing.T) {
	t.Parallel()
	line := keyLine("2026", "a")
	for _, mode := range []os.FileMode{0o600, 0o400} {
		file := keyFile(t, line)
		require.NoError(t, os.Chmod(file, mode))
		_, err := readSealKeys(file)
		require.NoError(t, err)
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601} {
		file := keyFile(t, line)
		require.NoError(t, os.Chmod(file, mode))
		_, err := readSealKeys(file)
		if runtime.GOOS == "windows" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "chmod 600", "%o", mode)
	}
	for about, text := range map[string]string{
		"UTF-8":                 "\ufeff" + line,
		"before a comment":      "\ufeff# keys\n" + line,
		"UTF-16, little endian": "\xff\xfe2\x000\x002\x006\x00",
		"UTF-16, big endian":    "\xfe\xff\x002\x000\x002\x006",
	} {
		_, err := readSealKeys(keyFile(t, text))
		require.ErrorContains(t, err, "byte order mark", about)
	}
	for about, text := range map[string]string{
		"on the second line": line + "\ufeff" + keyLine("2027", "b"),
		"a hidden space":     keyLine("2026\u200b", "a"),
	} {
		_, err := readSealKeys(keyFile(t, text))
		require.ErrorContains(t, err, "printable", about)
	}
	_, err := readSealKeys(keyFile(t, line, strings.Repeat("#", maxSealKeyFile)))
	require.ErrorContains(t, err, "longer than")
	_, err = readSealKeys("/dev/null")
	require.Error(t, err)
	_, err = openStore(context.Background(), settings{store: "memory:", sealKeys: keyFile(t, "\ufeff"+line)}, nil, nil)
	require.ErrorContains(t, err, "--seal-key-file")
}
