//go:build unix

package main

import "syscall"

// maxDescriptors is how many files and connections the process may have open; 0:
// as many as it likes.
func maxDescriptors() int {
	var limit syscall.Rlimit
	//nolint:unconvert // Cur is an int64 on FreeBSD
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || uint64(limit.Cur) > 1<<30 {
		return 0
	}
	return int(limit.Cur)
}
