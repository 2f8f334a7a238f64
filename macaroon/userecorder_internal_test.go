package macaroon

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	oneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// usesStore is a store of uses whose writes can fail.
type usesStore struct {
	store.Uses
	mu   sync.Mutex
	fail error
	rows []int // of each write
}

func (s *usesStore) RecordUses(ctx context.Context, uses []store.Use) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.rows = append(s.rows, len(uses))
	return s.Uses.RecordUses(ctx, uses)
}

// usedTokens returns n tokens and a store that contains them.
func usedTokens(t *testing.T, n int) ([]candidate, *usesStore) {
	t.Helper()
	s := memory.New()
	tokens := make([]candidate, n)
	var records []store.Record
	for i := range tokens {
		id := fmt.Sprintf("%032x", i)
		minted, err := Mint(Spec{Version: 2, Domain: "onezone", ID: id, Subject: caveat.User("alice"), Type: AccessToken()}, store.NewSecret("s"))
		require.NoError(t, err)
		tokens[i].token = &minted
		records = append(records, store.Record{Token: &store.Token{
			ID: id, Name: id, Version: 2, Subject: caveat.User("alice"), Type: "act", Secret: store.NewSecret("s"),
		}})
	}
	require.NoError(t, s.Import(t.Context(), records))
	return tokens, &usesStore{Uses: s}
}

// recorder returns a recorder without a running writer.
func recorder(t *testing.T, s store.Uses, l LastUse) *useRecorder {
	t.Helper()
	l, err := l.withDefaults()
	require.NoError(t, err)
	return newUseRecorder(s, l)
}

// at returns a request in the given second.
func at(second int64) *caveat.Request {
	return &caveat.Request{
		Now: time.Unix(second, 0), IP: netip.MustParseAddr("192.0.2.7"), Interface: caveat.REST, Service: onezone,
	}
}

func lastUse(t *testing.T, s store.Uses, c candidate) store.Use {
	t.Helper()
	uses, err := s.LastUses(t.Context(), []string{c.token.ID()})
	require.NoError(t, err)
	return uses[0]
}

// seconds lets the writer run for n seconds.
func seconds(r *useRecorder, n int) {
	for range n {
		r.tick(context.Background())
	}
}

func TestUsesAreWrittenOnceAnInterval(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 2)
	r := recorder(t, s, LastUse{})
	for i := range 30 {
		r.record(&tokens[0], at(1_700_000_000+int64(i)))
	}
	seconds(r, 59)
	require.Empty(t, s.rows)
	seconds(r, 1)
	want := store.Use{
		TokenID: tokens[0].token.ID(), At: 1_700_000_000 / 60 * 60, Address: "192.0.2.0/24", Service: "ozw-onezone", Interface: "rest", Count: 30,
	}
	require.Equal(t, want, lastUse(t, s, tokens[0]))
	require.Equal(t, []int{1}, s.rows)
	require.Equal(t, UseStats{Recorded: 30, Written: 30, Rows: 1}, r.stats())
	seconds(r, 120)
	require.Equal(t, []int{1}, s.rows, "nothing was used")
}

// A million uses a minute, however they are spread over tokens, write fewer than
// 200 rows in every second.
func TestAMillionUsesAMinuteWriteFewRows(t *testing.T) {
	t.Parallel()
	const uses = 1_000_000
	for _, n := range []int{5_000, 50_000} {
		tokens, s := usedTokens(t, n)
		r := recorder(t, s, LastUse{})
		used, total := 0, 0
		for second := range 120 {
			for used < min(uses, (second+1)*uses/60) {
				r.record(&tokens[used%n], at(1_700_000_000+int64(second)))
				used++
			}
			s.rows = nil
			seconds(r, 1)
			rows := 0
			for _, each := range s.rows {
				rows += each
			}
			require.Less(t, rows, 200, "rows in second %d of %d tokens", second, n)
			total += rows
		}
		require.Positive(t, total)
		stats := r.stats()
		require.EqualValues(t, used, stats.Recorded, "of %d tokens", n)
		require.Zero(t, stats.Dropped)
		require.NoError(t, r.closeNow(t.Context()))
		require.Equal(t, r.stats().Recorded, r.stats().Written, "of %d tokens", n)
	}
}

// closeNow closes a recorder whose writer does not run.
func (r *useRecorder) closeNow(ctx context.Context) error {
	r.end = func() {}
	close(r.done)
	return r.close(ctx)
}

func TestUsesOverTheLimitAreCountedAndNotKept(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 100)
	r := recorder(t, s, LastUse{MaxTokens: 10})
	for range 3 {
		for i := range tokens {
			r.record(&tokens[i], at(1_700_000_000))
		}
	}
	stats := r.stats()
	require.EqualValues(t, 300, stats.Recorded+stats.Dropped)
	require.Positive(t, stats.Recorded)
	require.LessOrEqual(t, stats.Recorded, uint64(30))
	kept := 0
	for i := range r.stripes {
		kept += len(r.stripes[i].uses)
	}
	require.LessOrEqual(t, kept, 10)

	// Tokens that were not used for an interval make room.
	seconds(r, 60)
	require.EqualValues(t, stats.Recorded, r.stats().Written)
	seconds(r, 60)
	require.Zero(t, r.tokens.Load())
	r.record(&tokens[99], at(1_700_000_000))
	require.Equal(t, stats.Recorded+1, r.stats().Recorded)
}

func TestAFailedWriteIsRepeated(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 1)
	s.fail = errors.New("the database is down")
	var reported []error
	r := recorder(t, s, LastUse{OnError: func(err error) { reported = append(reported, err) }})
	r.record(&tokens[0], at(1_700_000_000))
	seconds(r, 60)
	require.Equal(t, []error{s.fail}, reported)
	r.record(&tokens[0], at(1_700_000_000))
	s.fail = nil
	seconds(r, pauseAfterFailure+1)
	require.EqualValues(t, 1, lastUse(t, s, tokens[0]).Count)
	seconds(r, 60)
	require.EqualValues(t, 2, lastUse(t, s, tokens[0]).Count)
	require.Equal(t, UseStats{Recorded: 2, Written: 2, Rows: 2, Failures: 1}, r.stats())
}

// A batch that the store refuses would otherwise be repeated forever.
func TestARefusedWriteIsDropped(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 1)
	s.fail = oneerrors.BadData("count")
	r := recorder(t, s, LastUse{})
	r.record(&tokens[0], at(1_700_000_000))
	seconds(r, 60)
	s.fail = nil
	seconds(r, 60)
	require.Equal(t, UseStats{Recorded: 1, Dropped: 1, Failures: 1}, r.stats())
	require.Zero(t, lastUse(t, s, tokens[0]))
}

func TestAUseAtATimeThatNoStoreKeepsIsDropped(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 3)
	r := recorder(t, s, LastUse{})
	r.record(&tokens[0], at(-1_000_000))
	r.record(&tokens[1], at(1<<55))
	r.record(&tokens[2], at(1_700_000_000))
	seconds(r, 60)
	require.Equal(t, UseStats{Recorded: 3, Written: 1, Rows: 1, Dropped: 2}, r.stats())
}

// Two replicas that use one token both count, and the later use is kept. One of
// them crashes: only what it had not written is lost.
func TestACrashLosesOnlyTheUsesOfTheLastInterval(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 1)
	crashing, other := recorder(t, s, LastUse{}), recorder(t, s, LastUse{})
	const start = 1_700_000_040
	for range 5 {
		crashing.record(&tokens[0], at(start+120))
		other.record(&tokens[0], at(start))
	}
	seconds(crashing, 60)
	seconds(other, 60)
	want := lastUse(t, s, tokens[0])
	require.EqualValues(t, 10, want.Count, "both count")
	require.EqualValues(t, start+120, want.At, "the later use is kept, though it was written first")

	for range 7 {
		crashing.record(&tokens[0], at(start+300))
		other.record(&tokens[0], at(start+240))
	}
	seconds(crashing, 59) // and it is gone
	seconds(other, 60)
	want.Count, want.At = 17, start+240
	require.Equal(t, want, lastUse(t, s, tokens[0]))
}

func TestConcurrentVerificationsLoseNoUse(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 8)
	r := recorder(t, s, LastUse{Interval: time.Second})
	const callers, each = 4, 2000
	ended := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
				r.tick(context.Background())
			}
		}
	})
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for n := range each {
				r.record(&tokens[(i+n)%len(tokens)], at(1_700_000_000+int64(n)))
				if n%64 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	close(ended)
	writer.Wait()
	require.NoError(t, r.closeNow(t.Context()))
	var written int64
	for _, c := range tokens {
		written += lastUse(t, s, c).Count
	}
	stats := r.stats()
	require.EqualValues(t, callers*each, stats.Recorded+stats.Dropped)
	require.EqualValues(t, stats.Recorded, written)
	require.Less(t, stats.Dropped, uint64(callers*each/10), "stripes are rarely all taken")
}

func TestAVerificationDoesNotWaitForAStripe(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 1)
	r := recorder(t, s, LastUse{})
	for i := range r.stripes {
		r.stripes[i].mu.Lock()
	}
	r.record(&tokens[0], at(1_700_000_000)) // would not return
	for i := range r.stripes {
		r.stripes[i].mu.Unlock()
	}
	require.Equal(t, UseStats{Dropped: 1}, r.stats())
}

func TestManyUsesOfATokenAreEstimated(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 1)
	tokens[0].recognized = new(recognized)
	r := recorder(t, s, LastUse{})
	for i := range countedPerMinute {
		r.record(&tokens[0], at(1_700_000_040))
		require.EqualValues(t, i+1, r.stats().Recorded, "the first are counted one by one")
	}
	const many = 200_000
	for range many {
		r.record(&tokens[0], at(1_700_000_041))
	}
	require.InEpsilon(t, many, r.stats().Recorded, 0.1)
	before := r.stats().Recorded
	r.record(&tokens[0], at(1_700_000_100))
	require.Equal(t, before+1, r.stats().Recorded, "the first in another minute is counted")
	require.NoError(t, r.closeNow(t.Context()))
	require.EqualValues(t, 1_700_000_100, lastUse(t, s, tokens[0]).At)
}

func TestTextsOfUsesAreBounded(t *testing.T) {
	t.Parallel()
	tokens, s := usedTokens(t, 2)
	r := recorder(t, s, LastUse{})
	request := at(1_700_000_000)
	request.Service.ID = string(make([]byte, 1<<20)) + "\xff"
	r.record(&tokens[0], request)
	r.record(&tokens[1], &caveat.Request{Now: request.Now})
	seconds(r, 60)
	require.Equal(t, "ozw-", lastUse(t, s, tokens[0]).Service)
	require.Equal(t, store.Use{TokenID: tokens[1].token.ID(), At: 1_699_999_980, Count: 1}, lastUse(t, s, tokens[1]))
}

func TestWhatIsKeptOfAnAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kept          AddressKept
		address, want string
	}{
		{AddressNetwork, "192.0.2.7", "192.0.2.0/24"},
		{AddressNetwork, "::ffff:192.0.2.7", "192.0.2.0/24"},
		{AddressNetwork, "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
		{AddressNetwork, "fe80::1%eth0", "fe80::/48"},
		{AddressNetwork, "", ""},
		{AddressWhole, "192.0.2.7", "192.0.2.7"},
		{AddressWhole, "::ffff:192.0.2.7", "192.0.2.7"},
		{AddressWhole, "fe80::1%eth0", "fe80::1"},
		{AddressWhole, "", ""},
		{AddressNone, "192.0.2.7", ""},
	} {
		var address netip.Addr
		if c.address != "" {
			address = netip.MustParseAddr(c.address)
		}
		require.Equal(t, c.want, c.kept.text(address), "%d of %s", c.kept, c.address)
	}
}
