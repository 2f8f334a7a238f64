// Package exhaustion attacks the service as one client that wants all of its
// memory or all of its connections. It has tests only.
package exhaustion
