package transfer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/transfer"
)

// filled returns a store with n records of each kind. The first of each kind
// has every field set.
func filled(t *testing.T, n int) *memory.Store {
	t.Helper()
	s := memory.New()
	for i := range n {
		subject := caveat.User(fmt.Sprint("u", i))
		require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{
			Subject: subject, Username: fmt.Sprint("user ", i), FullName: "User",
			Password: store.NewSecret(fmt.Sprint("hash ", i)), Created: 5, Rights: []string{"oz_tokens_manage"},
		}))
		for range i + 1 {
			_, err := s.RotateTemporaryKey(t.Context(), subject, store.NewSecret(fmt.Sprint("temporary ", i)))
			require.NoError(t, err)
		}
		token := store.Token{
			ID: fmt.Sprint("t", i), Name: "laptop", Version: 2, Subject: subject, Type: "act",
			Secret: store.NewSecret(fmt.Sprint("secret ", i)), Created: int64(i),
		}
		if i == 0 {
			token.Caveats = []string{"time < 5"}
			token.RevokedTails = []store.Tail{store.TailOf([]byte("signature"))}
			token.Custom = json.RawMessage(`{"a": [12345678901234567890, "b"]}`)
			token.Privileges = []string{}
			token.Revoked, token.UsageLimit, token.UsageCount = true, 7, 3
			token.Parent, token.Bait = "parent", store.BaitAlarm
			token.Tightened = []store.OwnerCaveat{{Text: "time < 4", Added: 3}}
		}
		require.NoError(t, second(s.CreateToken(t.Context(), token, 0)))
	}
	return s
}

// differences returns the differences that Compare yields.
func differences(t *testing.T, dst, src store.Store) []string {
	t.Helper()
	var all []string
	for d, err := range transfer.Compare(t.Context(), dst, src) {
		require.NoError(t, err)
		all = append(all, d.String())
	}
	return all
}

func TestCopyCopiesEveryRecord(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 2, 3, 7, 5000} {
		src, dst := filled(t, 7), memory.New()
		var reported []transfer.Progress
		done, err := transfer.Copy(t.Context(), dst, src, transfer.Options{
			PageSize: size,
			Progress: func(p transfer.Progress) { reported = append(reported, p) },
		})
		require.NoError(t, err)
		require.EqualValues(t, 21, done.Records)
		require.True(t, done.Next.IsEnd())
		require.Equal(t, done, reported[len(reported)-1])
		require.True(t, slices.IsSortedFunc(reported, func(a, b transfer.Progress) int { return int(a.Records - b.Records) }))
		require.Empty(t, differences(t, dst, src), "pages of %d", size)

		key, err := dst.TemporaryKey(t.Context(), caveat.User("u4"))
		require.NoError(t, err)
		require.EqualValues(t, 5, key.Generation)
		i, err := dst.GetIdentityByUsername(t.Context(), "user 4")
		require.NoError(t, err)
		require.Equal(t, "hash 4", i.Password.Reveal())
	}
}

func TestCopyReplacesRecordsAndKeepsOthers(t *testing.T) {
	t.Parallel()
	src, dst := filled(t, 3), filled(t, 5)
	require.NoError(t, dst.UpdateToken(t.Context(), "t1", func(token *store.Token) error {
		token.Revoked = true
		return nil
	}))
	_, err := transfer.Copy(t.Context(), dst, src, transfer.Options{})
	require.NoError(t, err)
	token, err := dst.GetToken(t.Context(), "t1")
	require.NoError(t, err)
	require.False(t, token.Revoked)
	require.Len(t, differences(t, dst, src), 6, "u3 and u4 are left")
}

// interrupted is a memory store that fails at one of the calls of Export or
// Import, counted from 1.
type interrupted struct {
	*memory.Store
	failAt, calls int
}

var errDisk = errors.New("the disk is on fire")

func (s *interrupted) fails() error {
	if s.calls++; s.calls == s.failAt {
		return errDisk
	}
	return nil
}

func (s *interrupted) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	if err := s.fails(); err != nil {
		return nil, "", err
	}
	return s.Store.Export(ctx, kind, after, limit)
}

func (s *interrupted) Import(ctx context.Context, records []store.Record) error {
	if err := s.fails(); err != nil {
		return err
	}
	return s.Store.Import(ctx, records)
}

func TestCopyCanBeResumed(t *testing.T) {
	t.Parallel()
	const pages = 9 // of 2 records: 3 for each kind
	src := filled(t, 5)
	for _, end := range []string{"src", "dst"} {
		for failAt := 1; failAt <= pages; failAt++ {
			broken := &interrupted{Store: src, failAt: failAt}
			dst := memory.New()
			copyTo := func(from transfer.Position) (transfer.Progress, error) {
				if end == "dst" {
					broken.Store = dst
					return transfer.Copy(t.Context(), broken, src, transfer.Options{From: from, PageSize: 2})
				}
				return transfer.Copy(t.Context(), dst, broken, transfer.Options{From: from, PageSize: 2})
			}
			done, err := copyTo(transfer.Position{})
			require.ErrorIs(t, err, errDisk, "%s %d", end, failAt)
			_, catalogued := errors.AsType[*errors.Error](err)
			require.False(t, catalogued)
			require.False(t, done.Next.IsEnd())
			require.NotEmpty(t, differences(t, dst, src))

			rest, err := copyTo(done.Next)
			require.NoError(t, err)
			require.EqualValues(t, 15, done.Records+rest.Records, "a page was written twice or not at all")
			require.Empty(t, differences(t, dst, src), "%s %d", end, failAt)
		}
	}
}

func TestCopyFromTheEndCopiesNothing(t *testing.T) {
	t.Parallel()
	src, dst := filled(t, 2), memory.New()
	done, err := transfer.Copy(t.Context(), dst, src, transfer.Options{From: transfer.Position{Kind: store.TokenRecords + 1}})
	require.NoError(t, err)
	require.Zero(t, done.Records)
	require.Len(t, differences(t, dst, src), 6)
}

func TestCopyReportsNameConflicts(t *testing.T) {
	t.Parallel()
	src, dst := filled(t, 2), memory.New()
	require.NoError(t, dst.CreateIdentity(t.Context(), store.Identity{Subject: caveat.User("other"), Username: "user 1"}))
	done, err := transfer.Copy(t.Context(), dst, src, transfer.Options{})
	require.ErrorIs(t, err, errors.IDBadValueIdentifierOccupied)
	require.Zero(t, done)

	_, err = transfer.Copy(t.Context(), dst, src, transfer.Options{From: transfer.Position{Kind: store.TokenRecords, After: "nonsense"}})
	require.ErrorIs(t, err, errors.IDBadData)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = transfer.Copy(ctx, memory.New(), src, transfer.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// stuck is an archive whose export never advances.
type stuck struct{ *memory.Store }

func (s stuck) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	records, _, err := s.Store.Export(ctx, kind, "", limit)
	return records, "usr-u0", err
}

func TestWalkFailsIfTheExportDoesNotAdvance(t *testing.T) {
	t.Parallel()
	_, err := transfer.Copy(t.Context(), memory.New(), stuck{filled(t, 2)}, transfer.Options{PageSize: 1})
	require.ErrorContains(t, err, "same page twice")
}

func TestWalkStopsAfterABreak(t *testing.T) {
	t.Parallel()
	pages := 0
	for page, err := range transfer.Walk(t.Context(), filled(t, 3), transfer.Position{}, 2) {
		require.NoError(t, err)
		require.Equal(t, store.IdentityRecords, page.Kind)
		require.Len(t, page.Records, 2)
		pages++
		break
	}
	require.Equal(t, 1, pages)
}

func TestWalkEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	errs := 0
	for _, err := range transfer.Walk(t.Context(), &interrupted{Store: filled(t, 1), failAt: 1}, transfer.Position{}, 0) {
		require.ErrorIs(t, err, errDisk)
		errs++
		require.Equal(t, 1, errs)
	}
	require.Equal(t, 1, errs)
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }
