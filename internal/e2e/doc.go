// Package e2e contains the tests that need several modules, external servers or
// other libraries. Each package below it tests one subject; none contains
// production code. It is a separate module, so that users of the library do not
// download its dependencies.
package e2e
