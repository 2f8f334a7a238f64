//go:build unix

package remote_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// requireToken asserts that a source returns the token.
func requireToken(t *testing.T, want macaroon.Token, source remote.Source) {
	t.Helper()
	got, err := source(t.Context())
	require.NoError(t, err)
	require.Equal(t, want.String(), got.String())
}

// requireNone asserts that a source returns an operational error that contains
// the words, and no token.
func requireNone(t *testing.T, source remote.Source, words string) {
	t.Helper()
	got, err := source(t.Context())
	require.ErrorContains(t, err, words)
	require.True(t, got.IsZero())
	_, catalogued := errors.AsType[*errors.Error](err)
	require.False(t, catalogued, "the error must not be a verdict: %v", err)
}

func TestTokenFileIsReadAgainAfterItWasReplaced(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	first, second, third := h.Token(), h.Token(), h.Token()
	path := writeToken(t, " \n"+first.String()+"\r\n\t ", 0o600)
	source := remote.TokenFile(path)
	requireToken(t, first, source)
	requireToken(t, first, source)

	require.NoError(t, os.Rename(writeToken(t, second.String(), 0o600), path), "atomically")
	requireToken(t, second, source)
	require.NoError(t, os.WriteFile(path, []byte(third.String()), 0o600), "in place, with the same size")
	requireToken(t, third, source)

	half := third.String()[:100]
	require.NoError(t, os.WriteFile(path, []byte(half), 0o600))
	requireNone(t, source, "does not contain a token of an Onezone")
	_, err := source(t.Context())
	require.NotContains(t, err.Error(), half[60:])
	require.NoError(t, os.Remove(path))
	requireNone(t, source, "no such file")
}

func TestTokenFileThatOthersCanReadIsRefused(t *testing.T) {
	t.Parallel()
	token := macaroontest.New(t).Token()
	for mode, good := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o440: true, 0o640: true, 0o700: true,
		0o644: false, 0o604: false, 0o602: false, 0o601: false, 0o660: false, 0o620: false, 0o666: false, 0o777: false,
	} {
		source := remote.TokenFile(writeToken(t, token.String(), mode))
		if good {
			requireToken(t, token, source)
		} else {
			requireNone(t, source, "others than the owner can read or write")
		}
	}
}

func TestTokenFileMustBeARegularFileOfBoundedSize(t *testing.T) {
	t.Parallel()
	token := macaroontest.New(t).Token()
	dir := t.TempDir()
	requireNone(t, remote.TokenFile(dir), "must be a regular file")
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	requireNone(t, remote.TokenFile(pipe), "must be a regular file") // and does not wait for a writer
	requireNone(t, remote.TokenFile(writeToken(t, " \n", 0o600)), "is empty")
	requireNone(t, remote.TokenFile(writeToken(t, strings.Repeat(" ", 2<<20)+token.String(), 0o600)), "more than")
	requireNone(t, remote.TokenFile(writeToken(t, token.String()+" "+token.String(), 0o600)), "does not contain a token")
	requireNone(t, remote.TokenFile(""), "no such file")

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(writeToken(t, token.String(), 0o600), link))
	requireToken(t, token, remote.TokenFile(link))
}

func TestTokenEnvIsReadEachTime(t *testing.T) {
	h := macaroontest.New(t)
	source := remote.TokenEnv("ONEZONE_TEST_TOKEN")
	requireNone(t, source, "ONEZONE_TEST_TOKEN")
	for range 2 {
		token := h.Token()
		t.Setenv("ONEZONE_TEST_TOKEN", "\t"+token.String()+"\n")
		requireToken(t, token, source)
	}
	t.Setenv("ONEZONE_TEST_TOKEN", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")
	requireNone(t, source, "the environment variable ONEZONE_TEST_TOKEN does not contain a token of an Onezone")
	_, err := source(t.Context())
	require.NotContains(t, err.Error(), "eyJ")
}

// discovery is a machine on which a user's token is searched.
type discovery struct {
	env    map[string]string
	user   int
	shared string
}

func newDiscovery(t *testing.T) discovery {
	t.Helper()
	return discovery{env: map[string]string{"XDG_RUNTIME_DIR": t.TempDir()}, user: os.Geteuid(), shared: t.TempDir()}
}

func (d discovery) source() remote.Source {
	return remote.Discover(func(name string) string { return d.env[name] }, d.user, d.shared)
}

// runtimeFile and sharedFile are the paths of the user's files.
func (d discovery) runtimeFile() string {
	return filepath.Join(d.env["XDG_RUNTIME_DIR"], "bt_u"+d.id())
}
func (d discovery) sharedFile() string { return filepath.Join(d.shared, "bt_u"+d.id()) }

func (d discovery) id() string { return strconv.Itoa(d.user) }

func TestTokenIsDiscoveredInTheOrderOfWLCG(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	d := newDiscovery(t)
	variable, named, runtime, shared := h.Token(), h.Token(), h.Token(), h.Token()
	source := d.source()
	requireNone(t, source, "BEARER_TOKEN_FILE")
	requireNone(t, source, d.sharedFile())

	require.NoError(t, os.WriteFile(d.sharedFile(), []byte(shared.String()+"\n"), 0o600))
	requireToken(t, shared, source)
	require.NoError(t, os.WriteFile(d.runtimeFile(), []byte("\n"+runtime.String()), 0o600))
	requireToken(t, runtime, source)
	d.env["BEARER_TOKEN_FILE"] = writeToken(t, named.String(), 0o600)
	requireToken(t, named, source)
	d.env["BEARER_TOKEN"] = " " + variable.String() + "\n"
	requireToken(t, variable, source)

	d.env["BEARER_TOKEN"] = " "
	requireToken(t, named, source)
	delete(d.env, "BEARER_TOKEN_FILE")
	delete(d.env, "XDG_RUNTIME_DIR")
	requireToken(t, shared, source)
}

// A place with a bad token must not lead to a token of a later place.
func TestDiscoveryStopsAtTheFirstBadToken(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	d := newDiscovery(t)
	require.NoError(t, os.WriteFile(d.sharedFile(), []byte(h.Token().String()), 0o600))
	source := d.source()

	d.env["BEARER_TOKEN"] = "no token"
	requireNone(t, source, "the environment variable BEARER_TOKEN does not contain a token")
	delete(d.env, "BEARER_TOKEN")
	d.env["BEARER_TOKEN_FILE"] = filepath.Join(t.TempDir(), "missing")
	requireNone(t, source, "no such file")
	delete(d.env, "BEARER_TOKEN_FILE")
	require.NoError(t, os.WriteFile(d.runtimeFile(), nil, 0o600))
	requireNone(t, source, "is empty")
	require.NoError(t, os.Chmod(d.runtimeFile(), 0o644))
	requireNone(t, source, "others than the owner")
}

func TestDiscoveredFileMustBelongToTheUser(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	for name, plant := range map[string]func(t *testing.T, path string){
		"a symbolic link": func(t *testing.T, path string) {
			require.NoError(t, os.Symlink(writeToken(t, h.Token().String(), 0o600), path))
		},
		"a pipe": func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) },
		"a file that others can write": func(t *testing.T, path string) {
			require.NoError(t, os.Rename(writeToken(t, h.Token().String(), 0o622), path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDiscovery(t)
			plant(t, d.sharedFile())
			requireNone(t, d.source(), d.sharedFile())
			plant(t, d.runtimeFile())
			requireNone(t, d.source(), d.runtimeFile())
		})
	}
	t.Run("a file of another user", func(t *testing.T) {
		d := newDiscovery(t)
		d.user++ // the files of this test belong to another user then
		require.NoError(t, os.WriteFile(d.sharedFile(), []byte(h.Token().String()), 0o600))
		requireNone(t, d.source(), "must belong to the user "+d.id())
	})
}

func TestDiscoveryWithoutUserIDsUsesTheEnvironment(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	d.user = -1
	requireNone(t, d.source(), "BEARER_TOKEN")
	token := macaroontest.New(t).Token()
	d.env["BEARER_TOKEN"] = token.String()
	requireToken(t, token, d.source())
}

func TestDiscoverTokenReadsTheEnvironmentOfTheProcess(t *testing.T) {
	token := macaroontest.New(t).Token()
	t.Setenv("BEARER_TOKEN", token.String())
	requireToken(t, token, remote.DiscoverToken())
}
