package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"hash/fnv"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// driver is the store under its contract.
type driver struct {
	backend.Life
	*backend.SQL
}

func newDriver(s *Store) driver {
	return driver{s.life, backend.NewSQL(db{s}, backend.Dialect{
		List: encodeList, ScanList: func(list *[]string) any { return (*jsonList)(list) },
		Place: func(id string) any { return placeOf(id) },
	})}
}

// CreateToken implements [store.Tokens].
func (d driver) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	insert := createToken
	if require != 0 {
		insert = createTokenIfActive
	}
	for {
		inserted, err := d.Exec(ctx, insert, d.Token(&t)...)
		if err != nil {
			return 0, d.TokenTaken(ctx, err, t.ID)
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

// placeOf is the place in the table where a token is looked for first: the FNV-1a
// hash of its id. It is written into files, so it must not change. Where two ids
// have one place, the second stands at another, and its look-up is slower.
func placeOf(id string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return int64(h.Sum64())
}

// encodeList writes valid UTF-8, which always has a JSON form. No list is NULL,
// which an empty list is not.
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

// jsonList scans what encodeList writes.
type jsonList []string

// Scan implements [sql.Scanner].
func (l *jsonList) Scan(value any) error {
	switch text, ok := value.(string); {
	case value == nil:
		*l = nil
	case text == "[]":
		*l = jsonList{}
	case !ok || json.Unmarshal([]byte(text), (*[]string)(l)) != nil:
		return errors.New("a record has a list that is no JSON array of texts")
	}
	return nil
}

var _ sql.Scanner = (*jsonList)(nil)
