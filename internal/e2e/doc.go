// Package e2e holds the tests that need several modules or other people's
// servers. Each package below it is one subject; none holds production code.
package e2e
