package redis_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

// insertByHand is a handwritten script for the six writes of a new token with a
// unique id and name.
var insertByHand = rueidis.NewLuaScript(`
if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('SET', KEYS[3], ARGV[4])
redis.call('ZADD', KEYS[4], 0, ARGV[5])
redis.call('ZADD', KEYS[5], 0, ARGV[5])
redis.call('SPUBLISH', KEYS[6], ARGV[6])
return 1`)

// BenchmarkIssueNamed compares issuing named tokens by many callers with
// inserts of the same data with the bare driver: in a handwritten script that
// keeps ids and names unique, in a MULTI without checks, and with a single SET
// of the record.
func BenchmarkIssueNamed(b *testing.B) {
	client := newBenchClient(b)
	s := newStore(b, client, redis.Options{})
	require.NoError(b, s.CreateIdentity(b.Context(), store.Identity{Subject: alice}))
	a, err := macaroon.NewAuthority(s, macaroon.WithQuotas(macaroon.Quotas{NamedTokens: math.MaxInt}))
	require.NoError(b, err)
	t, err := a.IssueNamed(b.Context(), "first", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	require.NoError(b, err)
	value, err := client.Do(b.Context(), client.B().Get().Key(s.TokenKey(alice, t.ID())).Build()).ToString()
	require.NoError(b, err)

	ctx, script, multi := context.Background(), redistest.Prefix(), redistest.Prefix()
	newRow := func(prefix string) (keys, args []string) {
		id := fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
		for _, key := range []string{"p{s1}" + id, "n{s1}", "t{s1}" + id, "l{s1}", "T{s1}", "c{s1}"} {
			keys = append(keys, prefix+key)
		}
		return keys, []string{value[:20], "name " + id, id, value, redis.ListMember(time.Now().Unix(), id), "t" + id}
	}
	rates := takeTurns(b, []func() error{
		func() error {
			_, err := a.IssueNamed(ctx, fmt.Sprint("issued ", rand.Uint64()), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
			return err
		},
		func() error {
			keys, args := newRow(script)
			return insertByHand.Exec(ctx, client, keys, args).Error()
		},
		func() error {
			keys, args := newRow(multi)
			return firstError(client.DoMulti(ctx,
				client.B().Multi().Build(),
				client.B().Set().Key(keys[0]).Value(args[0]).Build(),
				client.B().Hset().Key(keys[1]).FieldValue().FieldValue(args[1], args[2]).Build(),
				client.B().Set().Key(keys[2]).Value(args[3]).Build(),
				client.B().Zadd().Key(keys[3]).ScoreMember().ScoreMember(0, args[4]).Build(),
				client.B().Zadd().Key(keys[4]).ScoreMember().ScoreMember(0, args[4]).Build(),
				client.B().Spublish().Channel(keys[5]).Message(args[5]).Build(),
				client.B().Exec().Build(),
			))
		},
		func() error {
			keys, args := newRow(multi)
			return client.Do(ctx, client.B().Set().Key(keys[0]).Value(args[3]).Build()).Error()
		},
	})
	b.ReportMetric(0, "ns/op")
	for i, unit := range []string{"issued/s", "script/s", "MULTI/s", "SET/s"} {
		b.ReportMetric(rates[i], unit)
	}
	b.ReportMetric(rates[0]/rates[1], "issued/script")
	b.ReportMetric(rates[0]/rates[2], "issued/MULTI")
	b.ReportMetric(rates[0]/rates[3], "issued/SET")
}

// takeTurns runs each function b.N times by many callers, in alternating parts.
// It returns the median rates per second.
func takeTurns(b *testing.B, acts []func() error) (rates []float64) {
	const writers, turn = 64, 640
	turns := make([][]float64, len(acts))
	b.ResetTimer()
	for done := 0; done < b.N; done += turn {
		for i, act := range acts {
			start := time.Now()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for n := done + w; n < min(done+turn, b.N); n += writers {
						if err := act(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			turns[i] = append(turns[i], float64(min(turn, b.N-done))/time.Since(start).Seconds())
		}
	}
	for _, rs := range turns {
		slices.Sort(rs)
		rates = append(rates, rs[len(rs)/2])
	}
	return rates
}

func firstError(results []rueidis.RedisResult) error {
	for _, r := range results {
		if err := r.Error(); err != nil {
			return err
		}
	}
	return nil
}
