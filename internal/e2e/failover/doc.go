// Package failover tests what clients of a PostgreSQL primary see that hangs
// without a reset, while its standby takes over. It holds tests only; nothing
// imports it.
package failover
