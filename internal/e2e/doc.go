// Package e2e holds the tests that need several modules or other people's
// servers, validators, generators and peers. Each package below it is one subject;
// none holds production code. It is a module of its own so that nobody who uses the
// library downloads what they need.
package e2e
