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

// schema is the version of the layout of keys and values that this package
// writes.
const schema = 1

// Migrate makes the server ready for the store: it leaves a mark of the schema's
// version, or checks the one that is there. It can be called by any number of
// processes at once and again at any time.
//
// [store.ErrSchema]: the keys were written by a newer version of this package, and are
// left alone. badData {key "prefix"}: the prefix holds braces. Other errors: the server
// does not answer, or may evict keys and [Options].AllowEviction is not set.
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

// checkSchema lets calls pass if the server is ready for the store. The error is
// store.ErrSchema where it never will be.
func (s *Store) checkSchema(ctx context.Context) error {
	version, err := s.client.Do(ctx, s.client.B().Get().Key(s.schemaKey()).Build().Pin()).ToString()
	if rueidis.IsRedisNil(err) {
		return nil // until Migrate
	}
	if err != nil {
		return err
	}
	if version != strconv.Itoa(schema) {
		return fmt.Errorf("%w: it has version %.20q, this program knows version %d", store.ErrSchema, version, schema)
	}
	s.migrated.Store(true)
	return nil
}

// validate refuses a prefix that would put all keys in one place.
func (o Options) validate() error {
	if strings.ContainsAny(o.Prefix, "{}") {
		return errors.BadDataHint("prefix", "a prefix holds no braces, which tell Redis Cluster where keys belong")
	}
	return nil
}
