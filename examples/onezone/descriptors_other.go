//go:build !unix

package main

// maxDescriptors is how many files and connections the process may have open; 0:
// as many as it likes.
func maxDescriptors() int { return 0 }
