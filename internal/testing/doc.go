// Package testing contains packages that only tests import: servers, vectors
// and the cases of the token API.
package testing
