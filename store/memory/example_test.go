package memory_test

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// A single-use invite token is used twice.
func Example() {
	ctx := context.Background()
	s := memory.New()
	defer s.Close()

	_, err := s.CreateToken(ctx, store.Token{
		ID:         "3fa9",
		Name:       "for the new colleague",
		Version:    2,
		Subject:    caveat.User("alice"),
		Type:       "ujg:physicists",
		Secret:     store.NewSecret("b2c1d0"),
		Created:    1571147494,
		UsageLimit: 1,
	}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	use := func(t *store.Token) error {
		if t.UsageCount >= t.UsageLimit {
			return errors.InviteTokenUsageLimitReached()
		}
		t.UsageCount++
		return nil
	}
	fmt.Println(s.UpdateToken(ctx, "3fa9", use))
	fmt.Println(errors.Is(s.UpdateToken(ctx, "3fa9", use), errors.IDInviteTokenUsageLimitReached))

	key, err := s.NamedKey(ctx, "3fa9")
	fmt.Println(key.Subject, key.Secret, key.Holder == store.HolderMissing, err)
	// Output:
	// <nil>
	// true
	// usr-alice [redacted] true <nil>
}

// All records are copied from one store to another, page by page.
func ExampleStore_Export() {
	ctx := context.Background()
	from, to := memory.New(), memory.New()
	for _, name := range []string{"alice", "bob", "carol"} {
		_ = from.CreateIdentity(ctx, store.Identity{Subject: caveat.User(name), Username: name})
	}
	for _, kind := range []store.RecordKind{store.IdentityRecords, store.TemporaryRecords, store.TokenRecords} {
		for after, more := "", true; more; more = after != "" {
			records, next, err := from.Export(ctx, kind, after, 2)
			if err == nil {
				err = to.Import(ctx, records)
			}
			if err != nil {
				fmt.Println(err)
				return
			}
			after = next
		}
	}
	carol, err := to.GetIdentityByUsername(ctx, "carol")
	fmt.Println(carol.Subject, err)
	// Output: usr-carol <nil>
}
