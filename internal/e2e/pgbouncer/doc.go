// Package pgbouncer tests stores in PostgreSQL behind a real PgBouncer. It holds
// tests only; nothing imports it.
package pgbouncer
