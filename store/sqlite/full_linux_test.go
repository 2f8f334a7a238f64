package sqlite_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store/sqlite"
)

// TestFileSystemFull is TestDiskFull on a full file system. It needs the
// permission to mount one. It is not parallel, because a process started by
// another test could keep the file system mounted.
func TestFileSystemFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Log("left to TestDiskFull, no file system can be mounted here: ", err)
		return
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	ballast, path := filepath.Join(dir, "ballast"), filepath.Join(dir, "onezone.db")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 6<<20), 0o600))
	s := openAt(t, path, sqlite.Options{})
	fillUp(t, s, func() { require.NoError(t, os.Remove(ballast)) })
	require.NoError(t, s.Close())
	requireSound(t, openAt(t, path, sqlite.Options{}))
}
