// Package failover tests the stores under load while the leader of their
// servers is killed, frozen or cut off, and while it comes back. It counts what
// was acknowledged and is lost, errors, and times. It contains only tests.
package failover
