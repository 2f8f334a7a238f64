// Package failover tests clients of a PostgreSQL primary that hangs without
// closing its connections, while its standby is promoted. It contains only
// tests.
package failover
