//go:build unix

package remote

import (
	"os"
	"syscall"
)

// hasModes reports whether the permissions of a file are in its mode.
const hasModes = true

// open opens the file. It does not wait for the writer of a named pipe, which
// the caller refuses.
func (t tokenFile) open() (*os.File, error) {
	flags := os.O_RDONLY | syscall.O_NONBLOCK
	if t.owned {
		flags |= syscall.O_NOFOLLOW
	}
	return os.OpenFile(t.path, flags, 0)
}

func ownerOf(about os.FileInfo) (user int, known bool) {
	stat, ok := about.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
