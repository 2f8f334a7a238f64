package postgres

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

//go:embed schema/tables.sql
var tablesSQL string

//go:embed schema/rights.sql
var rightsSQL string

//go:embed schema/control.sql
var controlSQL string

//go:embed schema/uses.sql
var usesSQL string

//go:embed schema/feed.sql
var feedSQL string

// migrations are the steps from each version of the schema to the next. The
// first creates version 1.
var migrations = []string{tablesSQL, rightsSQL, controlSQL, usesSQL}

const (
	versionTable = `CREATE TABLE IF NOT EXISTS onezone.schema_version (
		one_row boolean NOT NULL PRIMARY KEY, -- always true
		version bigint NOT NULL,
		feed    boolean NOT NULL -- there are the triggers of the feed
	)`
	readVersion  = `SELECT version, feed FROM onezone.schema_version`
	writeVersion = `INSERT INTO onezone.schema_version (one_row, version, feed) VALUES (true, $1, $2)
		ON CONFLICT (one_row) DO UPDATE SET version = excluded.version, feed = excluded.feed`
)

// SQLSTATE codes of migrations.
const (
	undefinedSchema     = "3F000"
	undefinedTable      = "42P01"
	undefinedFunction   = "42883"
	featureNotSupported = "0A000"
)

// collisionCodes are the codes of migrations that ran concurrently without a
// lock.
var collisionCodes = append([]string{
	uniqueViolation,
	"42P06", // duplicate schema
	"42P07", // duplicate table or index
	"42710", // duplicate object
	"42723", // duplicate function
	"XX000", // a row of the catalog was updated concurrently
}, transientCodes...)

func isCollision(err error) bool { return slices.Contains(collisionCodes, sqlState(err)) }

// schemaVersion is the row of the version table, zero if it is missing.
type schemaVersion struct {
	number int
	feed   bool
}

func scanVersion(row backend.Row) (v schemaVersion, err error) {
	err = row.Scan(&v.number, &v.feed)
	if errors.Is(err, pgx.ErrNoRows) || errors.Is(err, errors.IDNotFound) {
		return schemaVersion{}, nil
	}
	return v, err
}

// Migrate creates the schema and its tables, or upgrades them. Any number of
// replicas may call it at every start. It only reads if the schema is up to
// date; the role then needs no right to change the schema. [store.ErrSchema]: a
// newer release created the schema.
func (s *Store) Migrate(ctx context.Context) error {
	return backend.Do(ctx, s.life, "migrate the schema", func() error {
		v, err := s.version(ctx)
		if err == nil && s.outdated(v) {
			err = s.migrate(ctx, true)
			if code := sqlState(err); code == featureNotSupported || code == undefinedFunction {
				// The engine may have no advisory locks: CockroachDB and YugabyteDB
				// only have them in some versions.
				err = s.migrate(ctx, false)
			}
		}
		return err
	})
}

// version returns the version of the schema. It rejects a newer version.
func (s *Store) version(ctx context.Context) (schemaVersion, error) {
	v, err := scanVersion(s.row(ctx, inSchema(s.schema)(readVersion)))
	if code := sqlState(err); code == undefinedTable || code == undefinedSchema {
		return schemaVersion{}, nil
	}
	if err != nil {
		return schemaVersion{}, err
	}
	return v, s.rejectNewer(v)
}

func (s *Store) rejectNewer(v schemaVersion) error {
	if v.number > len(migrations) {
		return fmt.Errorf("%w: %q has version %d, but this release supports versions up to %d: use a newer release",
			store.ErrSchema, s.schema, v.number, len(migrations))
	}
	return nil
}

func (s *Store) outdated(v schemaVersion) bool {
	return v.number < len(migrations) || s.feed.wanted && !v.feed
}

// migrate runs the missing steps in one transaction. With a lock, concurrent
// calls wait; without a lock, they collide and retry.
func (s *Store) migrate(ctx context.Context, lock bool) error {
	return retry(ctx, isCollision, func() error {
		return s.withConn(ctx, func(conn *pgxpool.Conn) error {
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				if lock {
					if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, s.lockKey()); err != nil {
						return err
					}
				}
				return s.migrateIn(ctx, tx)
			})
		})
	})
}

// lockKey returns the key of the advisory lock for migrations of the schema.
func (s *Store) lockKey() int64 {
	sum := sha256.Sum256([]byte("migrations of the Onezone schema " + s.schema))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

func (s *Store) migrateIn(ctx context.Context, tx pgx.Tx) error {
	if err := s.createSchema(ctx, tx); err != nil {
		return err
	}
	in, err := s.dialect(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, in(versionTable)); err != nil {
		return err
	}
	v, err := scanVersion(tx.QueryRow(ctx, in(readVersion)))
	if err != nil {
		return err
	}
	if err := s.rejectNewer(v); err != nil || !s.outdated(v) {
		return err
	}
	steps := slices.Clone(migrations[v.number:])
	feed := s.feed.wanted || v.feed
	if feed {
		steps = append(steps, feedSQL)
	}
	for _, step := range steps {
		if _, err := tx.Exec(ctx, in(step)); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, in(writeVersion), len(migrations), feed)
	return err
}

// createSchema creates the schema if it does not exist. IF NOT EXISTS alone
// would need the right to create schemas even if it exists.
func (s *Store) createSchema(ctx context.Context, tx pgx.Tx) error {
	var exists bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)`, s.schema).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = tx.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{s.schema}.Sanitize())
	return err
}

// dialect returns a function that rewrites the statements of a migration for
// the engine. CockroachDB has no collation "C", and compares bytes by default.
func (s *Store) dialect(ctx context.Context, tx pgx.Tx) (func(string) string, error) {
	var engine string
	if err := tx.QueryRow(ctx, `SELECT version()`).Scan(&engine); err != nil {
		return nil, err
	}
	in := inSchema(s.schema)
	if strings.Contains(engine, "CockroachDB") {
		return func(query string) string { return in(strings.ReplaceAll(query, ` COLLATE "C"`, "")) }, nil
	}
	return in, nil
}
