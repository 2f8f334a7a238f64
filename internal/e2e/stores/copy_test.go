//go:build e2e

package stores_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/sqlite"
	"github.com/onezone-go/onezone/store/transfer"
)

// Contents of filled.
const (
	subjects  = 100 // each with an identity and a temporary secret
	passwords = subjects * 4 / 5 * 3 / 4
	tokens    = 800
	uses      = tokens / 8
	records   = 2*subjects + tokens + uses
)

// filled returns a store in memory with records that differ in every field.
func filled(tb testing.TB) *memory.Store {
	tb.Helper()
	s := memory.New()
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	var all []store.Record
	for i := range subjects {
		identity := store.Identity{Subject: subject(i), FullName: fmt.Sprint("Zażółć ", i), Blocked: i%7 == 0, Created: int64(i)}
		if identity.Subject.Type == caveat.SubjectUser && i%4 != 0 {
			identity.Username = fmt.Sprint("user-", i)
			identity.Password = store.NewSecret(fmt.Sprint("hash \x00\xff of ", i))
		}
		all = append(all, store.Record{Identity: &identity}, store.Record{Temporary: &store.Temporary{
			Subject: subject(i), Secret: store.NewSecret(fmt.Sprint("temporary \x00\xff ", i)), Generation: int64(1 + i*i),
		}})
	}
	for i := range tokens {
		all = append(all, store.Record{Token: newToken(i)})
	}
	for i := range uses {
		all = append(all, store.Record{Use: &store.Use{
			TokenID: fmt.Sprint("id ", 8*i), At: 60 * int64(i+1), Address: "2001:db8::/48", Service: "opw-♞", Interface: "rest",
			Count: store.MaxUseCount - int64(i),
		}})
	}
	require.Len(tb, all, records)
	require.NoError(tb, s.Import(tb.Context(), all))
	return s
}

func subject(i int) caveat.Subject {
	if i%5 == 0 {
		return caveat.Provider(fmt.Sprint("provider ", i))
	}
	return caveat.User(fmt.Sprint("user ", i))
}

func newToken(i int) *store.Token {
	t := &store.Token{
		ID: fmt.Sprint("id ", i), Name: fmt.Sprint("name ♞ ", i), Version: 1 + i%2, Subject: subject(i % subjects), Type: "act",
		Secret: store.NewSecret(fmt.Sprint("secret \x00\xff ", i)), Created: int64(i / 3), Revoked: i%11 == 0,
	}
	if i%3 == 0 {
		t.Caveats = []string{"time < 1700000000", fmt.Sprint("data.path = ", strings.Repeat("x", i%100))}
	}
	if i%4 == 0 {
		t.RevokedTails = []store.Tail{store.TailOf([]byte{byte(i)}), store.TailOf([]byte{byte(i), 1})}
	}
	if i%5 == 0 {
		t.Custom = json.RawMessage(`{"n": 12345678901234567890, "text": "é\u0000", "list": [1, null, {}]}`)
	}
	if i%6 == 0 {
		t.Type, t.Privileges, t.UsageLimit, t.UsageCount = "ujg:group", []string{"group_view"}, int64(i), int64(i/2)
	}
	if i%7 == 0 {
		t.Parent, t.Bait = fmt.Sprint("id ", i/2), store.Bait(i%3)
		t.Tightened = []store.OwnerCaveat{{Text: "ip = 10.0.0.0/8", Added: int64(i)}, {Text: "asn = 5", Added: -1}}
	}
	return t
}

// differences returns the differences that Compare finds.
func differences(tb testing.TB, dst, src store.Store) (all []string) {
	tb.Helper()
	for d, err := range transfer.Compare(tb.Context(), dst, src) {
		require.NoError(tb, err)
		all = append(all, d.String())
	}
	slices.Sort(all)
	return all
}

// TestCopyThroughAllEngines copies from one engine to the next and back to the
// first. Each copy is interrupted and resumed by another process.
func TestCopyThroughAllEngines(t *testing.T) {
	t.Parallel()
	original := filled(t)
	src, from := place(func(testing.TB) store.Store { return original }), "the original"
	for _, e := range append(slices.Clone(shared), engines[0]) {
		dst, what := e.make(t), from+" to "+e.name
		ctx, cancel := context.WithCancel(t.Context())
		pages := 0
		first, err := transfer.Copy(ctx, dst(t), src(t), transfer.Options{PageSize: 90, Progress: func(p transfer.Progress) {
			if pages++; pages == 7 {
				cancel()
			}
		}})
		require.ErrorIs(t, err, context.Canceled, what)
		require.EqualValues(t, 2*subjects+3*90, first.Records, what) // two pages of each of the other kinds
		require.Equal(t, store.TokenRecords, first.Next.Kind, what)
		require.Len(t, differences(t, dst(t), src(t)), tokens-3*90+uses, what)

		position, err := json.Marshal(first.Next)
		require.NoError(t, err)
		var next transfer.Position
		require.NoError(t, json.Unmarshal(position, &next))
		to := dst(t)
		second, err := transfer.Copy(t.Context(), to, src(t), transfer.Options{From: next})
		require.NoError(t, err, what)
		require.True(t, second.Next.IsEnd(), what)
		require.EqualValues(t, records, first.Records+second.Records, what)
		require.Empty(t, differences(t, to, src(t)), what)
		src, from = dst, e.name
	}
	require.Empty(t, differences(t, src(t), original), "all the way round")
}

// TestCompareSeesEveryDifference spoils a copy in each engine.
func TestCompareSeesEveryDifference(t *testing.T) {
	t.Parallel()
	src := filled(t)
	forEach(t, engines, func(t *testing.T, p place) {
		ctx, dst := t.Context(), p(t)
		_, err := transfer.Copy(ctx, dst, src, transfer.Options{PageSize: store.MaxPage})
		require.NoError(t, err)
		require.NoError(t, dst.DeleteToken(ctx, "id 1"))
		require.NoError(t, dst.UpdateToken(ctx, "id 2", func(t *store.Token) error { t.UsageCount++; return nil }))
		require.NoError(t, second(dst.CreateToken(ctx, *newToken(tokens), 0)))
		require.NoError(t, dst.DeleteIdentity(ctx, subject(1)))
		require.NoError(t, dst.UpdateIdentity(ctx, subject(2), func(i *store.Identity) error {
			i.Password = store.NewSecret("another")
			return nil
		}))
		require.NoError(t, dst.DeleteTemporaryKey(ctx, subject(3)))
		_, err = dst.RotateTemporaryKey(ctx, subject(4), store.NewSecret("another"))
		require.NoError(t, err)
		want := []string{
			`identity "usr-user 1": missing`, `identity "usr-user 2": different`,
			`named token "id 1": missing`, `named token "id 2": different`, `named token "id 800": extra`,
			`temporary secret "usr-user 3": missing`, `temporary secret "usr-user 4": different`,
		}
		require.Equal(t, want, differences(t, dst, src))
	})
}

// TestASealedStoreIsCopied copies a sealed store in two ways: opened and
// resealed, and with its sealed bytes.
func TestASealedStoreIsCopied(t *testing.T) {
	t.Parallel()
	source := inSQLite(newPath(t), sqlite.Options{Synchronous: sqlite.Off})(t)
	src := sealed(t, source, "old")
	original := filled(t)
	_, err := transfer.Copy(t.Context(), src, original, transfer.Options{})
	require.NoError(t, err)
	forEach(t, engines, func(t *testing.T, p place) {
		dst := p(t)
		_, err := transfer.Copy(t.Context(), dst, source, transfer.Options{})
		require.NoError(t, err)
		require.Empty(t, differences(t, sealed(t, dst, "old"), original), "copied as it is")

		_, err = transfer.Copy(t.Context(), sealed(t, dst, "new", "old"), src, transfer.Options{})
		require.NoError(t, err)
		_, err = sealed(t, dst, "new", "old").Reseal(t.Context(), seal.ResealOptions{}) // also reseals the canary
		require.NoError(t, err)
		require.Empty(t, differences(t, sealed(t, dst, "new"), original), "sealed anew")
		require.NotEmpty(t, differences(t, dst, source))
	})
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }
