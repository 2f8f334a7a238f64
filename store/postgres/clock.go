package postgres

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/store/internal/backend"
)

// ServerTime returns the time of the server's clock. Compare it with that of
// the caller: processes whose clocks differ disagree about which tokens have
// expired.
func (s *Store) ServerTime(ctx context.Context) (now time.Time, err error) {
	err = backend.Do(ctx, s.life, "read the clock of the server", func() error {
		return s.run(ctx, func(q querier) error {
			return q.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
		})
	})
	return now, err
}
