package redis

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// ServerTime returns the time of the server's clock, in a Cluster that of any
// server. Compare it with that of the caller: processes whose clocks differ
// disagree about which tokens have expired.
func (s *Store) ServerTime(ctx context.Context) (now time.Time, err error) {
	err = backend.Do(ctx, s.life, "read the clock of the server", func() error {
		parts, err := s.client.Do(ctx, s.client.B().Time().Build()).AsIntSlice()
		if err != nil {
			return err
		}
		if len(parts) != 2 {
			return errors.New("the answer to TIME is not seconds and microseconds")
		}
		now = time.Unix(parts[0], parts[1]*1000)
		return nil
	})
	return now, err
}
