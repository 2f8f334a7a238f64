//go:build unix

package main

import "syscall"

// maxDescriptors returns the limit on open files and connections of the
// process, 0 for unlimited.
func maxDescriptors() int {
	var limit syscall.Rlimit
	//nolint:unconvert // Cur is an int64 on FreeBSD
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || uint64(limit.Cur) > 1<<30 {
		return 0
	}
	return int(limit.Cur)
}
