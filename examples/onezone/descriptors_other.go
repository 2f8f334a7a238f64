//go:build !unix

package main

// maxDescriptors returns the limit on open files and connections of the
// process, 0 if there is no limit.
func maxDescriptors() int { return 0 }
