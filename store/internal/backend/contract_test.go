package backend

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// silent is a driver that never answers.
type silent struct{ Driver }

func (silent) Ready() error { return nil }

func wait(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("asking: %w", ctx.Err())
}

func (silent) NamedKey(ctx context.Context, _ string) (store.Key, error) {
	return store.Key{}, wait(ctx)
}
func (silent) TemporaryKey(ctx context.Context, _ caveat.Subject) (store.Key, error) {
	return store.Key{}, wait(ctx)
}
func (silent) EnsureTemporaryKey(ctx context.Context, _ caveat.Subject, _ store.Secret) (store.Key, error) {
	return store.Key{}, wait(ctx)
}
func (silent) RotateTemporaryKey(ctx context.Context, _ caveat.Subject, _ store.Secret) (int64, error) {
	return 0, wait(ctx)
}
func (silent) DeleteTemporaryKey(ctx context.Context, _ caveat.Subject) error { return wait(ctx) }
func (silent) CreateToken(ctx context.Context, _ store.Token, _ store.Status) (store.Status, error) {
	return 0, wait(ctx)
}
func (silent) GetToken(ctx context.Context, _ string) (store.Token, error) {
	return store.Token{}, wait(ctx)
}
func (silent) ListTokens(ctx context.Context, _ store.Query) ([]store.Token, store.Cursor, error) {
	return nil, store.Cursor{}, wait(ctx)
}
func (silent) ListTokenIDs(ctx context.Context, _ store.Query) ([]string, store.Cursor, error) {
	return nil, store.Cursor{}, wait(ctx)
}
func (silent) CountTokens(ctx context.Context, _ caveat.Subject) (int64, error) { return 0, wait(ctx) }
func (silent) UpdateToken(ctx context.Context, _ string, _ func(*store.Token) error) error {
	return wait(ctx)
}
func (silent) DeleteToken(ctx context.Context, _ string) error            { return wait(ctx) }
func (silent) CreateIdentity(ctx context.Context, _ store.Identity) error { return wait(ctx) }
func (silent) GetIdentity(ctx context.Context, _ caveat.Subject) (store.Identity, error) {
	return store.Identity{}, wait(ctx)
}
func (silent) GetIdentityByUsername(ctx context.Context, _ string) (store.Identity, error) {
	return store.Identity{}, wait(ctx)
}
func (silent) UpdateIdentity(ctx context.Context, _ caveat.Subject, _ func(*store.Identity) error) error {
	return wait(ctx)
}
func (silent) DeleteIdentity(ctx context.Context, _ caveat.Subject) error { return wait(ctx) }
func (silent) LastUses(ctx context.Context, _ []string) ([]store.Use, error) {
	return nil, wait(ctx)
}

// known is a driver with the token t1.
type known struct{ silent }

func (known) GetToken(context.Context, string) (store.Token, error) {
	return store.Token{ID: "t1"}, nil
}

// calls are the calls with a timeout.
func calls(ctx context.Context, s Contract) map[string]error {
	user, errs := caveat.User("u1"), map[string]error{}
	token := store.Token{ID: "t1", Name: "laptop", Version: 2, Subject: user, Type: "act", Secret: store.NewSecret("x")}
	_, errs["NamedKey"] = s.NamedKey(ctx, "t1")
	_, errs["TemporaryKey"] = s.TemporaryKey(ctx, user)
	_, errs["EnsureTemporaryKey"] = s.EnsureTemporaryKey(ctx, user, store.NewSecret("x"))
	_, errs["RotateTemporaryKey"] = s.RotateTemporaryKey(ctx, user, store.NewSecret("x"))
	errs["DeleteTemporaryKey"] = s.DeleteTemporaryKey(ctx, user)
	_, errs["CreateToken"] = s.CreateToken(ctx, token, 0)
	_, errs["CreateToken of an active holder"] = s.CreateToken(ctx, token, store.HolderActive)
	_, errs["GetToken"] = s.GetToken(ctx, "t1")
	_, _, errs["ListTokens"] = s.ListTokens(ctx, store.Query{})
	_, _, errs["ListTokenIDs"] = s.ListTokenIDs(ctx, store.Query{})
	_, errs["CountTokens"] = s.CountTokens(ctx, user)
	errs["UpdateToken"] = s.UpdateToken(ctx, "t1", nil)
	errs["DeleteToken"] = s.DeleteToken(ctx, "t1")
	errs["CreateIdentity"] = s.CreateIdentity(ctx, store.Identity{Subject: user})
	_, errs["GetIdentity"] = s.GetIdentity(ctx, user)
	_, errs["GetIdentityByUsername"] = s.GetIdentityByUsername(ctx, "alice")
	errs["UpdateIdentity"] = s.UpdateIdentity(ctx, user, nil)
	errs["DeleteIdentity"] = s.DeleteIdentity(ctx, user)
	_, errs["LastUses"] = s.LastUses(ctx, []string{"t1"})
	return errs
}

func TestUnansweredStoreCallsAreOperationalErrors(t *testing.T) {
	t.Parallel()
	for call, err := range calls(t.Context(), NewContract(silent{}, time.Millisecond)) {
		require.ErrorContains(t, err, "did not answer within 1ms", call)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "that would be the request's: %s", call)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for call, err := range calls(canceled, NewContract(silent{}, time.Hour)) {
		require.ErrorIs(t, err, context.Canceled, call)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	for call, err := range calls(short, NewContract(silent{}, time.Hour)) {
		require.ErrorIs(t, err, context.DeadlineExceeded, "the request's own deadline: %s", call)
	}
	found, err := NewContract(known{}, time.Hour).GetToken(t.Context(), "t1")
	require.NoError(t, err)
	require.Equal(t, "t1", found.ID)
}
