package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
)

// shell runs a line in a shell, and returns its output.
func shell(t *testing.T, line string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err, line)
	return string(out)
}

func TestThePrintedLinesWorkAndDataSurvivesARestart(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	dir := t.TempDir()
	s := start(t, dir)
	require.Len(t, s.lines, 2)
	require.Equal(t, "curl -u demo:"+s.password+" -X POST -d '' -H 'content-type: application/json' "+
		s.url+"/api/v3/onezone/user/client_tokens", s.lines[0], "the line that the API documents")

	var made struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(shell(t, "curl -sS"+strings.TrimPrefix(s.lines[0], "curl"))), &made))
	// The second line lists with a token that is valid for an hour, so the
	// listed copies expire no later.
	list := listed(t, shell(t, "curl -sS"+strings.TrimPrefix(s.lines[1], "curl")))
	require.Len(t, list, 1)
	token, err := macaroon.Parse(made.Token)
	require.NoError(t, err)
	require.Equal(t, token.ID(), list[0].ID())
	require.Equal(t, token.Caveats(), list[0].Caveats()[:1])
	require.Len(t, list[0].Caveats(), 2)
	s.stop()

	info, err := os.Stat(filepath.Join(dir, "data"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "what is in it is nobody else's business")

	again := start(t, dir)
	require.Empty(t, again.password, "the password is not known any more")
	require.Contains(t, again.lines[0], " -u demo ", "curl asks for it")
	require.Contains(t, again.out.String(), "onezone user passwd demo")
	relisted := listed(t, shell(t, "curl -sS"+strings.TrimPrefix(again.lines[1], "curl")))
	require.Len(t, relisted, 1)
	require.Equal(t, token.ID(), relisted[0].ID())
	require.Equal(t, 200, again.verify(made.Token, "127.0.0.1").status)
	a := again.do("GET", "/user/client_tokens", "", "Authorization", basic("demo", s.password))
	require.Equal(t, 200, a.status, "the password of the first start is still right: %s", a.body)
	require.JSONEq(t, encoded(t, map[string]any{"tokens": []string{made.Token}}), a.body)
}

// listed returns the tokens of the legacy list.
func listed(t *testing.T, answer string) (tokens []macaroon.Token) {
	t.Helper()
	var body struct{ Tokens []string }
	require.NoError(t, json.Unmarshal([]byte(answer), &body))
	for _, text := range body.Tokens {
		token, err := macaroon.Parse(text)
		require.NoError(t, err)
		tokens = append(tokens, token)
	}
	return tokens
}

func TestThePasswordOfTheDemoUserIsNotStored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	s.stop()
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		require.NotContains(t, string(content), s.password, path)
		return err
	}))
	require.Positive(t, files)
	require.NotContains(t, s.log.String(), s.password)
}

func TestAMemoryStoreForgetsAndASealedOneKeepsSecretsFromTheFile(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--store", "memory:")
	id, _ := s.newToken("laptop")
	require.Equal(t, 200, s.do("GET", "/tokens/named/"+id, "", "X-Auth-Token", s.token).status)
	s.stop()

	dir := t.TempDir()
	keys := filepath.Join(dir, "seal.key")
	require.NoError(t, os.WriteFile(keys, []byte("# keys\n2026-01 "+strings.Repeat("A", 43)+"=\n"), 0o600))
	sealed := start(t, dir, "--seal-key-file", keys)
	id, token := sealed.newToken("laptop")
	require.Equal(t, 200, sealed.verify(token, "127.0.0.1").status)
	sealed.stop()
	secret := secretOf(t, dir, keys, id)
	require.Len(t, secret, 64)
	kept := 0
	for _, file := range []string{"onezone.db", "onezone.db-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, "data", file))
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		require.NotContains(t, string(content), secret)
		kept += strings.Count(string(content), id)
	}
	require.Positive(t, kept, "the file is the one that has the token")

	again := start(t, dir, "--seal-key-file", keys)
	require.Equal(t, 200, again.verify(token, "127.0.0.1").status)
}

// secretOf reads the secret of a named token from the store in the directory.
func secretOf(t *testing.T, dir, sealKeys, id string) string {
	t.Helper()
	opened, err := openStore(t.Context(), settings{store: "sqlite:" + filepath.Join(dir, "data", "onezone.db"), sealKeys: sealKeys}, nil, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, opened.Close()) }()
	record, err := opened.front.GetToken(t.Context(), id)
	require.NoError(t, err)
	return record.Secret.Reveal()
}
