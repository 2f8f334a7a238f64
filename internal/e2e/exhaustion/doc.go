// Package exhaustion attacks the service as one client that wants all of its
// memory or all of its connections. It has tests only, for Linux, which tells how
// much memory a process ever had. ONEZONE_BINARY names a build of the service to
// attack in place of this one.
package exhaustion
