// Package testing holds the packages that only tests import: servers, vectors and
// the cases of the token API. Production code imports none of them.
package testing
