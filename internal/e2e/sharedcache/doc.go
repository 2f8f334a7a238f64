// Package sharedcache tests the API and the middleware of package rest behind a
// real caching proxy, Varnish. It contains only tests.
package sharedcache
