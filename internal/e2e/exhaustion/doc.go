// Package exhaustion attacks the service as clients that try to use all of its
// memory or connections. It contains only tests. They run on Linux, which
// reports the peak memory of a process. Set ONEZONE_BINARY to attack another
// build of the service.
package exhaustion
