package transfer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/transfer"
)

// replaced returns a copy of the filled store, after change was applied to the
// records of the subject or token with number 0.
func replaced(t *testing.T, change func(*store.Identity, *store.Temporary, *store.Token)) *memory.Store {
	t.Helper()
	s := filled(t, 2)
	i, err := s.GetIdentity(t.Context(), caveat.User("u0"))
	require.NoError(t, err)
	key, err := s.TemporaryKey(t.Context(), i.Subject)
	require.NoError(t, err)
	token, err := s.GetToken(t.Context(), "t0")
	require.NoError(t, err)
	temporary := store.Temporary{Subject: i.Subject, Secret: key.Secret, Generation: key.Generation}
	change(&i, &temporary, &token)
	require.NoError(t, s.Import(t.Context(), []store.Record{{Identity: &i}, {Temporary: &temporary}, {Token: &token}}))
	return s
}

func TestCompareChecksEveryField(t *testing.T) {
	t.Parallel()
	const identity, temporary, token = `identity "usr-u0": different`, `temporary secret "usr-u0": different`, `named token "t0": different`
	for what, c := range map[string]struct {
		want   string
		change func(*store.Identity, *store.Temporary, *store.Token)
	}{
		"username":     {identity, func(i *store.Identity, _ *store.Temporary, _ *store.Token) { i.Username = "x" }},
		"full name":    {identity, func(i *store.Identity, _ *store.Temporary, _ *store.Token) { i.FullName = "x" }},
		"password":     {identity, func(i *store.Identity, _ *store.Temporary, _ *store.Token) { i.Password = store.NewSecret("x") }},
		"no password":  {identity, func(i *store.Identity, _ *store.Temporary, _ *store.Token) { i.Password = store.Secret{} }},
		"rights":       {identity, func(i *store.Identity, _ *store.Temporary, _ *store.Token) { i.Rights = []string{"x"} }},
		"no rights":    {identity, func(i *store.Identity, _ *store.Temporary, _ *store.Token) { i.Rights = nil }},
		"blocked":      {identity, func(i *store.Identity, _ *store.Temporary, _ *store.Token) { i.Blocked = true }},
		"since":        {identity, func(i *store.Identity, _ *store.Temporary, _ *store.Token) { i.Created++ }},
		"generation":   {temporary, func(_ *store.Identity, y *store.Temporary, _ *store.Token) { y.Generation++ }},
		"temporary":    {temporary, func(_ *store.Identity, y *store.Temporary, _ *store.Token) { y.Secret = store.NewSecret("x") }},
		"name":         {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Name = "x" }},
		"version":      {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Version = 1 }},
		"subject":      {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Subject = caveat.Provider("u0") }},
		"type":         {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Type = "idn" }},
		"caveats":      {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Caveats[0] = "time < 6" }},
		"no caveats":   {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Caveats = nil }},
		"secret":       {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Secret = store.NewSecret("x") }},
		"created":      {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Created = -1 }},
		"revoked":      {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Revoked = false }},
		"tails":        {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.RevokedTails[0][0]++ }},
		"parent":       {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Parent = "other" }},
		"addition":     {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Tightened[0].Added++ }},
		"no additions": {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Tightened = nil }},
		"bait":         {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Bait++ }},
		"no tails":     {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.RevokedTails = nil }},
		"custom":       {token, custom(`{"a": [12345678901234567891, "b"]}`)},
		"no custom":    {token, custom("")},
		"privileges":   {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Privileges = []string{"x"} }},
		"nil for none": {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.Privileges = nil }},
		"limit":        {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.UsageLimit++ }},
		"count":        {token, func(_ *store.Identity, _ *store.Temporary, t *store.Token) { t.UsageCount++ }},
	} {
		a, b := filled(t, 2), replaced(t, c.change)
		require.Equal(t, []string{c.want}, differences(t, a, b), what)
		require.Equal(t, []string{c.want}, differences(t, b, a), what)
	}
}

func custom(text string) func(*store.Identity, *store.Temporary, *store.Token) {
	return func(_ *store.Identity, _ *store.Temporary, t *store.Token) {
		t.Custom = nil
		if text != "" {
			t.Custom = json.RawMessage(text)
		}
	}
}

func TestCompareIgnoresEquivalentValues(t *testing.T) {
	t.Parallel()
	same := replaced(t, custom(` {"a":[12345678901234567890,"\u0062"]} `))
	require.NoError(t, same.UpdateToken(t.Context(), "t1", func(token *store.Token) error {
		token.Caveats, token.RevokedTails, token.Tightened = []string{}, []store.Tail{}, []store.OwnerCaveat{}
		return nil
	}))
	require.Empty(t, differences(t, filled(t, 2), same))
	require.Empty(t, differences(t, same, filled(t, 2)))
}

func TestCompareReportsWhichStoreLacksARecord(t *testing.T) {
	t.Parallel()
	small, large := filled(t, 1), filled(t, 2)
	require.Equal(t, []string{`identity "usr-u1": missing`, `temporary secret "usr-u1": missing`, `named token "t1": missing`},
		differences(t, small, large))
	require.Equal(t, []string{`identity "usr-u1": extra`, `temporary secret "usr-u1": extra`, `named token "t1": extra`},
		differences(t, large, small))
}

func TestCompareStopsAfterABreak(t *testing.T) {
	t.Parallel()
	for _, stores := range [][2]store.Store{{memory.New(), filled(t, 3)}, {filled(t, 3), memory.New()}} {
		seen := 0
		for _, err := range transfer.Compare(t.Context(), stores[0], stores[1]) {
			require.NoError(t, err)
			if seen++; seen == 2 {
				break
			}
		}
		require.Equal(t, 2, seen)
	}
}

// failing is a memory store that fails to look up one kind of records, or
// exports records without content.
type failing struct {
	*memory.Store
	kind  store.RecordKind
	empty bool
}

func (f failing) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	if f.kind == store.IdentityRecords {
		return store.Identity{}, errDisk
	}
	return f.Store.GetIdentity(ctx, subject)
}

func (f failing) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	if f.kind == store.TemporaryRecords {
		return store.Key{}, errDisk
	}
	return f.Store.TemporaryKey(ctx, subject)
}

func (f failing) GetToken(ctx context.Context, id string) (store.Token, error) {
	if f.kind == store.TokenRecords {
		return store.Token{}, errDisk
	}
	return f.Store.GetToken(ctx, id)
}

func (f failing) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	if f.empty {
		return []store.Record{{}}, "", nil
	}
	return f.Store.Export(ctx, kind, after, limit)
}

func TestCompareReturnsOperationalErrors(t *testing.T) {
	t.Parallel()
	check := func(dst, src store.Store, want string) {
		t.Helper()
		var last error
		for d, err := range transfer.Compare(t.Context(), dst, src) {
			require.NoError(t, last, "something comes after the error")
			require.Error(t, err, "%s", d)
			require.Zero(t, d)
			last = err
		}
		require.ErrorContains(t, last, want)
		_, catalogued := errors.AsType[*errors.Error](last)
		require.False(t, catalogued)
	}
	for kind := store.IdentityRecords; kind <= store.TokenRecords; kind++ {
		broken := failing{Store: filled(t, 2), kind: kind}
		check(broken, filled(t, 2), errDisk.Error())
		check(filled(t, 2), broken, errDisk.Error())
	}
	check(filled(t, 1), failing{Store: filled(t, 1), empty: true}, "without content")
	check(filled(t, 1), &interrupted{Store: filled(t, 1), failAt: 1}, errDisk.Error())
	check(&interrupted{Store: filled(t, 1), failAt: 1}, filled(t, 1), errDisk.Error())
}

func TestDifferencesContainNoSecrets(t *testing.T) {
	t.Parallel()
	other := replaced(t, func(i *store.Identity, y *store.Temporary, token *store.Token) {
		i.Password, y.Secret, token.Secret = store.NewSecret("leak 1"), store.NewSecret("leak 2"), store.NewSecret("leak 3")
	})
	for d, err := range transfer.Compare(t.Context(), filled(t, 3), other) {
		require.NoError(t, err)
		text, err := json.Marshal(d)
		require.NoError(t, err)
		for _, secret := range []string{"leak", "hash", "temporary 0", "secret 0"} {
			require.NotContains(t, fmt.Sprintf("%s %#v %s", d, d, text), secret)
		}
	}
}

func TestMismatchesHaveNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "missing extra different unknown mismatch",
		fmt.Sprint(transfer.Missing, " ", transfer.Extra, " ", transfer.Different, " ", transfer.Mismatch(0)))
}

func ExampleCopy() {
	ctx := context.Background()
	src, dst := memory.New(), memory.New()
	alice := store.Identity{Subject: caveat.User("4a1f"), Username: "alice"}
	if err := src.CreateIdentity(ctx, alice); err != nil {
		fmt.Println(err)
		return
	}

	done, err := transfer.Copy(ctx, dst, src, transfer.Options{})
	if err != nil {
		// Call it again with Options.From set to done.Next.
		fmt.Println("stopped at", done.Next, err)
		return
	}
	fmt.Println("copied", done.Records, "records")
	for difference, err := range transfer.Compare(ctx, dst, src) {
		fmt.Println(difference, err)
	}
	// Output: copied 1 records
}

func ExampleCompare() {
	ctx := context.Background()
	src, dst := memory.New(), memory.New()
	alice := store.Identity{Subject: caveat.User("4a1f"), Username: "alice"}
	if err := errors.Join(src.CreateIdentity(ctx, alice), dst.CreateIdentity(ctx, alice)); err != nil {
		fmt.Println(err)
		return
	}
	_ = dst.UpdateIdentity(ctx, alice.Subject, func(i *store.Identity) error {
		i.Blocked = true
		return nil
	})
	for difference, err := range transfer.Compare(ctx, dst, src) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(difference)
	}
	// Output: identity "usr-4a1f": different
}
