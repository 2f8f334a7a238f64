package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// schema is the version of the layout of keys and values in this release.
const schema = 1

// Migrate prepares the server for the store. It writes the version of the
// layout, or checks the existing one. Any number of processes may call it at
// any time.
//
// Errors:
//   - [store.ErrSchema]: a newer release wrote the keys, which are not changed
//   - badData {key "prefix"}: the prefix contains braces
//   - operational errors: the server does not answer, or may evict keys and
//     [Options].AllowEviction is not set
func (s *Store) Migrate(ctx context.Context) error {
	return backend.Do(ctx, s.life, "migrate a Redis store", func() error {
		if err := s.o.validate(); err != nil {
			return err
		}
		if err := s.checkEviction(ctx); err != nil {
			return err
		}
		mark := s.client.B().Set().Key(s.schemaKey()).Value(strconv.Itoa(schema)).Nx().Build().ToRetryable().Pin()
		if _, err := text(s.client.Do(ctx, mark)); err != nil {
			return err
		}
		return s.checkSchema(ctx)
	})
}

func (s *Store) schemaKey() string { return s.o.Prefix + "schema" }

// checkSchema enables calls if the server has the layout of this release.
// store.ErrSchema: it has another.
func (s *Store) checkSchema(ctx context.Context) error {
	version, err := s.client.Do(ctx, s.client.B().Get().Key(s.schemaKey()).Build().Pin()).ToString()
	if rueidis.IsRedisNil(err) {
		return nil // until Migrate
	}
	if err != nil {
		return err
	}
	if version != strconv.Itoa(schema) {
		return fmt.Errorf("%w: the keys have version %.20q, but this release supports only version %d", store.ErrSchema, version, schema)
	}
	s.migrated.Store(true)
	return nil
}

// validate rejects a prefix that would put all keys into one slot.
func (o Options) validate() error {
	if strings.ContainsAny(o.Prefix, "{}") {
		return errors.BadDataHint("prefix", "a prefix must not contain braces, because Redis Cluster uses them to distribute keys")
	}
	return nil
}
