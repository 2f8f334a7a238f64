// Package stores tests the stores together: every engine under a seal and
// behind a cache, replicas that share one, servers that crash, and copies from
// one engine to the next. It contains only tests.
//
// The tests start servers from installed binaries, or use those that
// ONEZONE_TEST_POSTGRES and ONEZONE_TEST_REDIS name. Without a server the tests
// are skipped; if CI is set they fail.
package stores
