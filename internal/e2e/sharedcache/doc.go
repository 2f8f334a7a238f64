// Package sharedcache tests the API and the middleware of package rest behind a
// real caching proxy, Varnish. It holds tests only; nothing imports it.
package sharedcache
