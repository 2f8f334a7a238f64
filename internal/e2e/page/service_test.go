//go:build e2e

package page_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/page"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

const (
	username = "alice"
	password = "correct horse battery"
)

// zone is an API with the page, in this process.
type zone struct {
	*macaroon.Authority
	alice   caveat.Subject
	records store.Store
	url     string // of the page
}

// newZone serves the page below a path prefix, such as "/prefix", that is
// removed as by a proxy.
func newZone(t testing.TB, prefix string, options ...macaroon.Option) *zone {
	t.Helper()
	installed(t.(*testing.T), "chromium", "chromium")
	records := memory.New()
	authority, err := macaroon.NewAuthority(records, append([]macaroon.Option{macaroon.WithPasswordIterations(2048)}, options...)...)
	require.NoError(t, err)
	alice, err := authority.CreateUser(t.Context(), macaroon.NewUser{Username: username, FullName: "Alice Example", Password: password})
	require.NoError(t, err)
	api, err := rest.NewHandler(authority, rest.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	tokens, err := page.New(authority, page.Options{})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/", tokens)
	mux.Handle(rest.Prefix+"/", api)
	server := httptest.NewServer(http.StripPrefix(prefix, mux))
	t.Cleanup(server.Close)
	return &zone{authority, alice, records, server.URL + prefix + "/"}
}

// issue issues a named access token of Alice.
func (z *zone) issue(t testing.TB, name string, cs ...caveat.Caveat) macaroon.Token {
	t.Helper()
	token, err := z.IssueNamed(t.Context(), name, macaroon.Grant{Subject: z.alice, Type: macaroon.AccessToken(), Caveats: cs})
	require.NoError(t, err)
	return token
}

// program builds the service once.
var program = sync.OnceValues(func() (path string, err error) {
	dir, err := os.MkdirTemp("", "page-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir, ".")
	build.Dir = filepath.Join("..", "..", "..", "macaroon", "cmd", "onezone")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the service: %w: %s", err, out)
	}
	return filepath.Join(dir, "onezone"), nil
})

var programBuilt, browserStarted atomic.Bool

func cleanUp() {
	if programBuilt.Load() {
		path, _ := program()
		_ = os.RemoveAll(filepath.Dir(path))
	}
}

var servingAt = regexp.MustCompile(`msg=serving url=(\S+)`)

// serve starts the service over a new SQLite store, with the user Alice, and
// returns its URL.
func serve(t *testing.T) string {
	t.Helper()
	installed(t, "chromium", "chromium")
	path, err := program()
	require.NoError(t, err)
	programBuilt.Store(true)
	store := "sqlite:" + filepath.Join(t.TempDir(), "onezone.db")
	create := exec.Command(path, "user", "add", username, "--store", store)
	create.Stdin = bytes.NewBufferString(password + "\n")
	out, err := create.CombinedOutput()
	require.NoError(t, err, string(out))
	log := new(syncbuffer.Buffer)
	c := exec.Command(path, "serve", "--store", store, "--address", "127.0.0.1:0", "--admin-address=", "--drain", "0s", "--last-use-interval", "1s")
	c.Stderr = log
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	})
	for deadline := time.Now().Add(patience); ; <-time.After(5 * time.Millisecond) {
		if at := servingAt.FindStringSubmatch(log.String()); at != nil {
			return at[1]
		}
		require.False(t, time.Now().After(deadline), "the service does not start: %s", log.String())
	}
}
