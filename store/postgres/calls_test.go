package postgres_test

import (
	"context"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// call is a call of a store with its name.
type call struct {
	name string
	do   func(ctx context.Context) error
}

// calls contains one call of each method. All have an effect on a store with
// the records of prepare.
func calls(s *postgres.Store) []call {
	secret := store.NewSecret("another")
	token, guarded, identity := newToken("new"), newToken("guarded"), newUser("new")
	return []call{
		{"Migrate", s.Migrate},
		{"NamedKey", func(ctx context.Context) error { return second(s.NamedKey(ctx, "a")) }},
		{"TemporaryKey", func(ctx context.Context) error { return second(s.TemporaryKey(ctx, alice)) }},
		{"EnsureTemporaryKey", func(ctx context.Context) error { return second(s.EnsureTemporaryKey(ctx, bob, secret)) }},
		{"RotateTemporaryKey", func(ctx context.Context) error { return second(s.RotateTemporaryKey(ctx, alice, secret)) }},
		{"ReplaceTemporarySecret", func(ctx context.Context) error {
			return second(s.ReplaceTemporarySecret(ctx, alice, store.NewSecret("temporary"), secret))
		}},
		{"DeleteTemporaryKey", func(ctx context.Context) error { return s.DeleteTemporaryKey(ctx, alice) }},
		{"CreateToken", func(ctx context.Context) error { return second(s.CreateToken(ctx, token, 0)) }},
		{"CreateToken of an active holder", func(ctx context.Context) error {
			return second(s.CreateToken(ctx, guarded, store.HolderActive))
		}},
		{"GetToken", func(ctx context.Context) error { return second(s.GetToken(ctx, "a")) }},
		{"ListTokens", func(ctx context.Context) error { return third(s.ListTokens(ctx, store.Query{})) }},
		{"ListTokenIDs", func(ctx context.Context) error { return third(s.ListTokenIDs(ctx, store.Query{})) }},
		{"CountTokens", func(ctx context.Context) error { return second(s.CountTokens(ctx, alice)) }},
		{"RecordUses", func(ctx context.Context) error {
			return s.RecordUses(ctx, []store.Use{{TokenID: "a", At: 60, Count: 1}})
		}},
		{"LastUses", func(ctx context.Context) error { return second(s.LastUses(ctx, []string{"a"})) }},
		{"UpdateToken", func(ctx context.Context) error { return s.UpdateToken(ctx, "a", revoke) }},
		{"DeleteToken", func(ctx context.Context) error { return s.DeleteToken(ctx, "a") }},
		{"CreateIdentity", func(ctx context.Context) error { return s.CreateIdentity(ctx, identity) }},
		{"GetIdentity", func(ctx context.Context) error { return second(s.GetIdentity(ctx, alice)) }},
		{"GetIdentityByUsername", func(ctx context.Context) error { return second(s.GetIdentityByUsername(ctx, "alice")) }},
		{"UpdateIdentity", func(ctx context.Context) error { return s.UpdateIdentity(ctx, alice, block) }},
		{"DeleteIdentity", func(ctx context.Context) error { return s.DeleteIdentity(ctx, alice) }},
		{"Export", func(ctx context.Context) error { return third(s.Export(ctx, store.TokenRecords, "", 0)) }},
		{"Import", func(ctx context.Context) error {
			return s.Import(ctx, []store.Record{{Identity: &identity}, {Token: &token}})
		}},
		{"Watch", func(ctx context.Context) error { return s.Watch(ctx, func(store.Change) {}) }},
	}
}

func revoke(t *store.Token) error {
	t.Revoked = true
	return nil
}

func block(i *store.Identity) error {
	i.Blocked = true
	return nil
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }
