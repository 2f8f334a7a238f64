// Package pgbouncer tests stores in PostgreSQL behind a real PgBouncer. It
// contains only tests.
package pgbouncer
