//go:build e2e

package openapi

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// workspace is a module in which clients are generated and built. It has the
// same requirements as this one.
type workspace struct {
	t   *testing.T
	dir string
}

var (
	moduleName   = regexp.MustCompile(`(?m)^module .*$`)
	relativePath = regexp.MustCompile(`(?m)=> \.\./\.\.`)
)

func newWorkspace(t *testing.T) workspace {
	t.Helper()
	w := workspace{t, t.TempDir()}
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	mod = moduleName.ReplaceAll(mod, []byte("module clients"))
	mod = relativePath.ReplaceAll(mod, []byte("=> "+root))
	w.write("go.mod", mod)
	for _, name := range []string{
		"../go.sum", "../../../macaroon/rest/openapi.json", "testdata/clients/oapi.yaml", "testdata/clients/ogen.yaml",
	} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		w.write(filepath.Base(name), data)
	}
	return w
}

func (w workspace) write(name string, data []byte) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(w.t, os.WriteFile(path, data, 0o600))
}

// command runs the go command in the workspace, with the versions that go.mod
// pins.
func (w workspace) command(args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "go", args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.CombinedOutput()
	require.NoError(w.t, err, "go %v: %s", args, out)
	return string(out)
}

// The common Go generators accept the document, their clients compile, and a
// generated client can issue, use, revoke and delete a token.
func TestGeneratedClients(t *testing.T) {
	if testing.Short() {
		t.Skip("generating and compiling clients takes long, and tests nothing of this program's own code")
	}
	t.Parallel()
	t.Run("oapi-codegen", func(t *testing.T) {
		t.Parallel()
		w := newWorkspace(t)
		require.NoError(t, os.MkdirAll(filepath.Join(w.dir, "oapi"), 0o700))
		w.command("tool", "oapi-codegen", "-config", "oapi.yaml", "-o", "oapi/client.go", "openapi.json")
		program, err := os.ReadFile("testdata/clients/life/main.go")
		require.NoError(t, err)
		w.write("life/main.go", program)

		s := macaroontest.NewServer(t)
		until := strconv.FormatInt(s.Clock.Now().Add(time.Hour).Unix(), 10)
		out := w.command("run", "./life", s.URL, macaroontest.AliceName, macaroontest.Password, until)
		require.Equal(t, "a whole life\n", out)
	})
	t.Run("ogen", func(t *testing.T) {
		t.Parallel()
		w := newWorkspace(t)
		w.command("tool", "ogen", "-config", "ogen.yaml", "-package", "ogen", "-target", "ogen", "openapi.json")
		w.command("build", "./ogen")
	})
}
