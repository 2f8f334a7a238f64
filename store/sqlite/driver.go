package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"hash/fnv"

	codes "modernc.org/sqlite/lib"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// driver implements the store behind [backend.Contract].
type driver struct {
	backend.Life
	*backend.SQL
	db db
}

func newDriver(s *Store) driver {
	return driver{s.life, backend.NewSQL(db{s}, backend.Dialect{
		List: encodeList, ScanList: func(list *[]string) any { return (*jsonList)(list) },
		RowID: func(id string) any { return rowIDOf(id) },
	}), db{s}}
}

func (d driver) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	insert := createToken
	if require != 0 {
		insert = createTokenIfActive
	}
	args := d.TokenArgs(&t)
	for {
		inserted, err := d.insert(ctx, insert, args)
		if err != nil {
			return 0, d.CreateTokenError(ctx, err, t.ID)
		}
		if inserted > 0 {
			return require, nil
		}
		i, err := d.GetIdentity(ctx, t.Subject)
		switch {
		case errors.Is(err, errors.IDNotFound):
			return store.HolderMissing, nil
		case err != nil || i.Status() != store.HolderActive:
			return i.Status(), err
		}
		// It became active in between.
	}
}

// insert inserts a row whose last argument is its row id. If that row is taken,
// by the same id or by another with the same hash, SQLite chooses a row. The
// first attempt does not look whether it is taken, because it almost never is.
func (d driver) insert(ctx context.Context, q backend.Query, args []any) (int64, error) {
	var inserted int64 // may be written after an error was returned
	err := d.db.share(ctx, change{one: func(t transaction) (err error) {
		inserted, err = t.affect(q, args...)
		if code(err) == codes.SQLITE_CONSTRAINT_PRIMARYKEY {
			inserted, err = t.affect(q, append(args[:len(args)-1:len(args)-1], nil)...)
		}
		return err
	}})
	if err != nil {
		return 0, err
	}
	return inserted, nil
}

// rowIDOf returns the row where a token is stored if it is free: the FNV-1a
// hash of its id. It must not change, because files depend on it. If two ids
// have the same hash, the second is stored elsewhere and its look-up is slower.
func rowIDOf(id string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return int64(h.Sum64())
}

// encodeList encodes a list of valid UTF-8 as JSON. nil is NULL, and an empty
// list is not.
func encodeList(list []string) any {
	switch {
	case list == nil:
		return nil
	case len(list) == 0:
		return "[]"
	}
	text, _ := json.Marshal(list)
	return string(text)
}

// jsonList scans the result of encodeList.
type jsonList []string

func (l *jsonList) Scan(value any) error {
	switch text, ok := value.(string); {
	case value == nil:
		*l = nil
	case text == "[]":
		*l = jsonList{}
	case !ok || json.Unmarshal([]byte(text), (*[]string)(l)) != nil:
		return errors.New("a record has a list that is not a JSON array of texts")
	}
	return nil
}

var _ sql.Scanner = (*jsonList)(nil)
