//go:build !unix

package main

// maxDescriptors returns the limit on open files and connections of the
// process, 0 for unlimited.
func maxDescriptors() int { return 0 }
