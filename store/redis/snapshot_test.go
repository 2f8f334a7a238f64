package redis_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/transfer"
)

// A writer numbers pairs of changes: first one user, then another, a token and a
// temporary secret. At each moment they are equal, or the first is one ahead.
func TestASnapshotIsOfOneMomentUnderLoad(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"a server":  "redis://" + redistest.New(t).Addr,
		"a Cluster": "redis://" + redistest.NewCluster(t).Servers[0].Addr,
	} {
		s := open(t, url, redis.Options{})
		const users = 2000
		importUsers(t, s, users)
		first, last := newUser("a-first"), newUser("z-last")
		require.NoError(t, s.CreateIdentity(t.Context(), first))
		require.NoError(t, s.CreateIdentity(t.Context(), last))

		ctx, cancel := context.WithCancel(t.Context())
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := 1; ctx.Err() == nil; i++ {
				number := func(u *store.Identity) error { u.FullName = fmt.Sprint(i); return nil }
				_ = s.UpdateIdentity(ctx, first.Subject, number)
				_, _ = s.RotateTemporaryKey(ctx, first.Subject, store.NewSecret(fmt.Sprint(i)))
				_ = s.UpdateIdentity(ctx, last.Subject, number)
				token := newToken(fmt.Sprint("t", i%3))
				token.Created = int64(i)
				if i%6 < 3 {
					_, _ = s.CreateToken(ctx, token, 0)
				} else {
					_ = s.DeleteToken(ctx, token.ID)
				}
			}
		})
		for range 10 {
			copied := memory.New()
			require.NoError(t, s.Snapshot(t.Context(), func(ctx context.Context, from store.Exporter) error {
				for page, err := range transfer.Walk(ctx, from, transfer.Position{}, 100) {
					if err != nil {
						return err
					}
					if err := copied.Import(ctx, page.Records); err != nil {
						return err
					}
				}
				return nil
			}), name)
			number := func(of store.Identity) (n int) {
				i, err := copied.GetIdentity(t.Context(), of.Subject)
				require.NoError(t, err)
				_, _ = fmt.Sscan(i.FullName, &n)
				return n
			}
			ahead := number(first) - number(last)
			require.Contains(t, []int{0, 1}, ahead, name)
			if key, err := copied.TemporaryKey(t.Context(), first.Subject); err == nil {
				behind := number(first) - int(key.Generation)
				require.Contains(t, []int{0, 1}, behind, name)
				require.LessOrEqual(t, behind, ahead, name)
			}
			all, _, err := copied.Export(t.Context(), store.IdentityRecords, "", store.MaxPage)
			require.NoError(t, err)
			require.NotEmpty(t, all)
			uncovered := 0
			for i := range users {
				if _, err := copied.GetIdentity(t.Context(), newUser(fmt.Sprint("user", i)).Subject); err != nil {
					uncovered++
				}
			}
			require.Zero(t, uncovered, name)
		}
		cancel()
		writer.Wait()
	}
}

// What the feed has not delivered yet is waited for.
func TestASnapshotWaitsForChangesOnTheirWay(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	proxy, err := redistest.NewProxy(server.Addr)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	proxy.Delay("SSUBSCRIBE")
	direct, late := open(t, "redis://"+server.Addr, redis.Options{}), open(t, "redis://"+proxy.Addr, redis.Options{})
	importUsers(t, direct, 2000)
	row := make([]caveat.Subject, 20) // in different shards, and pages of an export
	for i := range row {
		u := newUser(fmt.Sprint("in-a-row", i))
		row[i] = u.Subject
		require.NoError(t, direct.CreateIdentity(t.Context(), u))
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		for round := range 100 {
			for _, subject := range row {
				_ = direct.UpdateIdentity(context.Background(), subject, func(u *store.Identity) error {
					u.FullName = fmt.Sprint(round)
					return nil
				})
			}
		}
	})
	rounds := map[caveat.Subject]int{}
	require.NoError(t, late.Snapshot(t.Context(), func(ctx context.Context, from store.Exporter) error {
		for page, err := range transfer.Walk(ctx, from, transfer.Position{}, 0) {
			if err != nil {
				return err
			}
			for _, r := range page.Records {
				if r.Identity != nil {
					n, _ := strconv.Atoi(r.Identity.FullName)
					rounds[r.Identity.Subject] = n
				}
			}
		}
		return nil
	}))
	writer.Wait()
	for i, subject := range row[1:] {
		require.LessOrEqual(t, rounds[subject], rounds[row[i]])
	}
	require.LessOrEqual(t, rounds[row[0]], rounds[row[len(row)-1]]+1)
}

// importUsers creates n users.
func importUsers(t *testing.T, s *redis.Store, n int) {
	t.Helper()
	records := make([]store.Record, n)
	for i := range records {
		u := newUser(fmt.Sprint("user", i))
		records[i].Identity = &u
	}
	require.NoError(t, s.Import(t.Context(), records))
}

func TestASnapshotEndsWithItsStoreAndItsContext(t *testing.T) {
	t.Parallel()
	s := open(t, "redis://"+redistest.New(t).Addr, redis.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Snapshot(ctx, nil), context.Canceled)
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Snapshot(t.Context(), nil), store.ErrClosed)
}
