package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"

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

// migrations are the steps from each version of the tables to the next. The
// first creates version 1.
var migrations = []string{tablesSQL, rightsSQL, controlSQL, usesSQL}

const (
	versionTable = `CREATE TABLE IF NOT EXISTS onezone_schema_version (
		one_row INTEGER PRIMARY KEY CHECK (one_row = 1),
		version INTEGER NOT NULL
	) STRICT`
	hasVersion   = `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'onezone_schema_version')`
	readVersion  = `SELECT version FROM onezone_schema_version`
	writeVersion = `INSERT INTO onezone_schema_version (one_row, version) VALUES (1, ?1)
		ON CONFLICT (one_row) DO UPDATE SET version = excluded.version`
)

// Migrate creates the tables or upgrades them. Any number of processes may call
// it at every start; it only reads if the tables are up to date.
// [store.ErrSchema]: a newer release created the tables.
func (s *Store) Migrate(ctx context.Context) error {
	return backend.Do(ctx, s.life, "migrate the tables", func() error {
		v, err := s.version(ctx)
		if err == nil && v < len(migrations) {
			err = s.write(ctx, func() error { return s.migrate(ctx) })
		}
		return err
	})
}

// migrate runs the missing steps in one transaction.
func (s *Store) migrate(ctx context.Context) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	for _, statement := range []string{versionTable, queryTexts[lock]} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	v, err := scanVersion(tx.QueryRowContext(ctx, readVersion))
	if err != nil || v == len(migrations) {
		return err
	}
	for _, step := range migrations[v:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, writeVersion, len(migrations)); err != nil {
		return err
	}
	return tx.Commit()
}

// version returns the version of the tables, 0 if there are none. It rejects a
// newer version.
func (s *Store) version(ctx context.Context) (v int, err error) {
	err = s.retryBusy(ctx, func() error {
		var exists bool
		if err := s.reader.QueryRowContext(ctx, hasVersion).Scan(&exists); err != nil || !exists {
			return err
		}
		v, err = scanVersion(s.reader.QueryRowContext(ctx, readVersion))
		return err
	})
	return v, err
}

func scanVersion(row *sql.Row) (v int, err error) {
	switch err := row.Scan(&v); {
	case errors.Is(err, sql.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, err
	case v < 0 || v > len(migrations):
		return 0, fmt.Errorf("%w: the tables have version %d, but this release supports versions up to %d: use a newer release",
			store.ErrSchema, v, len(migrations))
	}
	return v, nil
}
