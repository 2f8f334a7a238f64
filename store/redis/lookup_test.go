package redis_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

// counting is a client that counts its requests.
type counting struct {
	rueidis.Client
	asked atomic.Int64
}

func (c *counting) Do(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResult {
	c.asked.Add(1)
	return c.Client.Do(ctx, cmd)
}

func (c *counting) DoMulti(ctx context.Context, multi ...rueidis.Completed) []rueidis.RedisResult {
	c.asked.Add(1)
	return c.Client.DoMulti(ctx, multi...)
}

func TestLookUpsNeedOneRoundTripOrTwoInACluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		client rueidis.Client
		named  int64 // round trips
	}{
		{"single", newSingleClient(t), 1},
		{"cluster", newClusterClient(t), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := &counting{Client: c.client}
			s := newStore(t, client, redis.Options{})
			fill(t, s)
			_, err := s.NamedKey(t.Context(), "a") // after which the server knows the script
			require.NoError(t, err)
			for range 2 {
				client.asked.Store(0)
				key, err := s.NamedKey(t.Context(), "a")
				require.NoError(t, err)
				require.Equal(t, store.HolderActive, key.Holder)
				require.Equal(t, alice, key.Subject)
				require.Equal(t, c.named, client.asked.Load())

				client.asked.Store(0)
				key, err = s.TemporaryKey(t.Context(), alice)
				require.NoError(t, err)
				require.Equal(t, store.HolderActive, key.Holder)
				require.EqualValues(t, 1, client.asked.Load())
			}
		})
	}
}

// A token for an active holder takes one script, which also checks the
// identity.
func TestIssuingNeedsOneRoundTripOnASingleServer(t *testing.T) {
	t.Parallel()
	client := &counting{Client: newSingleClient(t)}
	s := newStore(t, client, redis.Options{})
	fill(t, s)
	_, err := s.CreateToken(t.Context(), newToken("first"), store.HolderActive)
	require.NoError(t, err)
	client.asked.Store(0)
	holder, err := s.CreateToken(t.Context(), newToken("b"), store.HolderActive)
	require.NoError(t, err)
	require.Equal(t, store.HolderActive, holder)
	require.EqualValues(t, 1, client.asked.Load())
}

// The pointer leads to the record of another subject.
func TestLookUpsTrustTheRecordNotThePointer(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]rueidis.Client{"single": newSingleClient(t), "cluster": newClusterClient(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, client, redis.Options{})
			fill(t, s)
			record, err := client.Do(t.Context(), client.B().Get().Key(s.TokenKey(alice, "a")).Build()).ToString()
			require.NoError(t, err)
			for key, value := range map[string]string{
				s.TokenKey(bob, "a"):      record,
				s.PointerKeys("a", "")[0]: redis.EncodePointer(bob),
			} {
				require.NoError(t, client.Do(t.Context(), client.B().Set().Key(key).Value(value).Build()).Error())
			}
			_, err = s.NamedKey(t.Context(), "a")
			require.ErrorIs(t, err, errors.IDNotFound, "the record belongs to alice")
			_, err = s.GetToken(t.Context(), "a")
			require.ErrorIs(t, err, errors.IDNotFound)
		})
	}
}

// The writer ensures that the token is never valid while its holder is active.
func TestLookUpsAreAtomic(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]func(testing.TB) rueidis.Client{"single": newSingleClient, "cluster": newClusterClient} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := redis.Options{Prefix: redistest.Prefix()}
			writer, reader := newStore(t, client(t), o), newStore(t, client(t), o)
			fill(t, writer)
			revoked := func(is bool) error {
				return writer.UpdateToken(t.Context(), "a", func(t *store.Token) error { t.Revoked = is; return nil })
			}
			blocked := func(is bool) error {
				return writer.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error { i.Blocked = is; return nil })
			}
			require.NoError(t, revoked(true))
			written := make(chan error, 1)
			go func() {
				var err error
				for range 1000 {
					err = errors.Join(err, blocked(true), revoked(false), revoked(true), blocked(false))
				}
				written <- err
			}()
			for {
				key, err := reader.NamedKey(t.Context(), "a")
				require.NoError(t, err)
				require.False(t, !key.Revoked && key.Holder == store.HolderActive, "the look-up combined two states")
				select {
				case err := <-written:
					require.NoError(t, err)
					return
				default:
				}
			}
		})
	}
}
