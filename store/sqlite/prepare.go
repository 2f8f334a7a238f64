package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// prepared are the queries prepared on each handle.
type prepared struct{ reader, writer statements }

// statements are the queries prepared on a handle.
type statements map[backend.Query]*sql.Stmt

// statements returns the prepared queries. The first call prepares them, if the
// version of the tables is supported.
func (s *Store) statements(ctx context.Context) (*prepared, error) {
	if p := s.prepared.Load(); p != nil {
		return p, nil
	}
	switch v, err := s.version(ctx); {
	case err != nil:
		return nil, err
	case v < len(migrations):
		return nil, fmt.Errorf("the tables have version %d, but this release needs %d: call Migrate", v, len(migrations))
	}
	p, err := s.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if !s.prepared.CompareAndSwap(nil, p) {
		p.close() // another call was first
	}
	if s.life.Closed.Err() != nil {
		s.closePrepared() // Close may have run before
	}
	if p = s.prepared.Load(); p == nil {
		return nil, store.ErrClosed
	}
	return p, nil
}

// closePrepared closes the prepared queries.
func (s *Store) closePrepared() {
	if p := s.prepared.Swap(nil); p != nil {
		p.close()
	}
}

func (s *Store) prepare(ctx context.Context) (*prepared, error) {
	p := new(prepared)
	err := s.prepareOn(ctx, s.reader, &p.reader)
	if p.writer = p.reader; s.writer != s.reader && err == nil {
		err = s.prepareOn(ctx, s.writer, &p.writer)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (s *Store) prepareOn(ctx context.Context, db *sql.DB, all *statements) error {
	*all = make(statements)
	for q, text := range queryTexts {
		err := s.retryBusy(ctx, func() error {
			statement, err := db.PrepareContext(ctx, text)
			if err == nil {
				(*all)[q] = statement
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *prepared) close() {
	for _, all := range []statements{p.reader, p.writer} {
		for _, statement := range all {
			_ = statement.Close() // may be called twice
		}
	}
}
