// Package stores tests the stores together: every engine under a seal and
// behind a cache, replicas that share one, servers that crash, and copies from
// one engine to the next. It holds tests only; nothing imports it.
//
// The servers are started from the machine's binaries, or named by
// ONEZONE_TEST_POSTGRES and ONEZONE_TEST_REDIS. Where there is neither, tests
// skip and say so; with CI set they fail.
package stores
