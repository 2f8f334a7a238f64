package main

import (
	"os"

	"golang.org/x/sys/unix" // the standard library has no fadvise
)

// dropCached makes the system drop the pages of the file that it keeps in
// memory.
func dropCached(f *os.File) error {
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
