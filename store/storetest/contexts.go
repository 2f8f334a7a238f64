package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

var contextChecks = []check{
	{"a canceled context stops every call", func(t *testing.T, open func() store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		doneContext(t, open, ctx, context.Canceled)
	}},
	{"an expired deadline stops every call", func(t *testing.T, open func() store.Store) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
		defer cancel()
		doneContext(t, open, ctx, context.DeadlineExceeded)
	}},
}

// doneContext makes every call with a context that is done, for existing and
// missing records and with valid and invalid arguments.
func doneContext(t *testing.T, open func() store.Store, ctx context.Context, want error) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	createTokens(t, s, fullToken("a"))
	rotateTo(t, s, alice, "temporary")
	before := contentOf(t, s, subjects...)
	for _, call := range slices.Concat(tokenCalls(s), holderCalls(s), archiveCalls(s)) {
		t.Run(call.name, func(t *testing.T) {
			requireOperational(t, call.do(ctx), want)
			require.Equal(t, before, contentOf(t, s, subjects...), "the call wrote")
			require.NotErrorIs(t, call.do(t.Context()), want, "the call does not recover")
			restore(t, s)
		})
	}
}

// restore restores the initial content for the calls.
func restore(t *testing.T, s store.Store) {
	t.Helper()
	for _, id := range ids(listAll(t, s, store.Query{})) {
		require.NoError(t, s.DeleteToken(t.Context(), id))
	}
	for _, subject := range subjects {
		_ = s.DeleteIdentity(t.Context(), subject)
		require.NoError(t, s.DeleteTemporaryKey(t.Context(), subject))
	}
	createIdentities(t, s, newUser("alice"))
	createTokens(t, s, fullToken("a"))
	rotateTo(t, s, alice, "temporary")
}

// call is one call of a store with a short name.
type call struct {
	name string
	do   func(ctx context.Context) error
}

func tokenCalls(s store.Store) []call {
	var calls []call
	for _, id := range []string{"a", "unknown"} {
		calls = append(calls,
			call{"NamedKey " + id, func(ctx context.Context) error {
				_, err := s.NamedKey(ctx, id)
				return err
			}},
			call{"GetToken " + id, func(ctx context.Context) error {
				_, err := s.GetToken(ctx, id)
				return err
			}},
			call{"UpdateToken " + id, func(ctx context.Context) error {
				return s.UpdateToken(ctx, id, func(token *store.Token) error {
					token.UsageCount++
					return nil
				})
			}},
			call{"DeleteToken " + id, func(ctx context.Context) error { return s.DeleteToken(ctx, id) }},
		)
	}
	for what, use := range map[string]store.Use{"existing": newUse("a"), "unknown": newUse("unknown"), "invalid": {}} {
		calls = append(calls, call{"RecordUses " + what, func(ctx context.Context) error {
			return s.RecordUses(ctx, []store.Use{use})
		}})
	}
	for what, ids := range map[string][]string{"existing": {"a"}, "unknown": {"unknown"}, "no": nil} {
		calls = append(calls, call{"LastUses " + what, func(ctx context.Context) error {
			_, err := s.LastUses(ctx, ids)
			return err
		}})
	}
	for what, token := range map[string]store.Token{"new": newToken("b"), "taken": fullToken("a"), "invalid": {}} {
		calls = append(calls,
			call{"CreateToken " + what, func(ctx context.Context) error { return createToken(ctx, s, token) }},
			call{"CreateToken of an active holder " + what, func(ctx context.Context) error {
				_, err := s.CreateToken(ctx, token, store.HolderActive)
				return err
			}},
		)
	}
	for what, q := range map[string]store.Query{
		"all": {}, "subject": {Subject: alice}, "name": {Subject: alice, Name: "name of a"}, "invalid": {Name: "a"},
	} {
		calls = append(calls,
			call{"ListTokens " + what, func(ctx context.Context) error {
				_, _, err := s.ListTokens(ctx, q)
				return err
			}},
			call{"ListTokenIDs " + what, func(ctx context.Context) error {
				_, _, err := s.ListTokenIDs(ctx, q)
				return err
			}},
		)
	}
	for _, subject := range []caveat.Subject{alice, bob, caveat.Nobody(), {}} {
		calls = append(calls, call{"CountTokens " + subject.String(), func(ctx context.Context) error {
			_, err := s.CountTokens(ctx, subject)
			return err
		}})
	}
	return calls
}

func holderCalls(s store.Store) []call {
	var calls []call
	secret := store.NewSecret("another")
	for _, subject := range []caveat.Subject{alice, bob, caveat.Nobody()} {
		about := " " + subject.String()
		username := subject.ID
		calls = append(calls,
			call{"TemporaryKey" + about, func(ctx context.Context) error {
				_, err := s.TemporaryKey(ctx, subject)
				return err
			}},
			call{"EnsureTemporaryKey" + about, func(ctx context.Context) error {
				_, err := s.EnsureTemporaryKey(ctx, subject, secret)
				return err
			}},
			call{"RotateTemporaryKey" + about, func(ctx context.Context) error {
				_, err := s.RotateTemporaryKey(ctx, subject, secret)
				return err
			}},
			call{"DeleteTemporaryKey" + about, func(ctx context.Context) error { return s.DeleteTemporaryKey(ctx, subject) }},
			call{"CreateIdentity" + about, func(ctx context.Context) error {
				return s.CreateIdentity(ctx, store.Identity{Subject: subject, Username: "another"})
			}},
			call{"GetIdentity" + about, func(ctx context.Context) error {
				_, err := s.GetIdentity(ctx, subject)
				return err
			}},
			call{"GetIdentityByUsername" + about, func(ctx context.Context) error {
				_, err := s.GetIdentityByUsername(ctx, username)
				return err
			}},
			call{"UpdateIdentity" + about, func(ctx context.Context) error {
				return s.UpdateIdentity(ctx, subject, func(i *store.Identity) error {
					i.Blocked = true
					return nil
				})
			}},
			call{"DeleteIdentity" + about, func(ctx context.Context) error { return s.DeleteIdentity(ctx, subject) }},
		)
	}
	return calls
}

func archiveCalls(s store.Store) []call {
	identity, token := newUser("bob"), newToken("b")
	calls := []call{
		{"ReplaceTemporarySecret", func(ctx context.Context) error {
			_, err := s.ReplaceTemporarySecret(ctx, alice, store.NewSecret("temporary"), store.NewSecret("another"))
			return err
		}},
		{"Scrub", s.Scrub},
		{"Watch", func(ctx context.Context) error {
			if ctx.Err() == nil {
				return nil // feeds are checked elsewhere
			}
			return s.Watch(ctx, func(store.Change) {})
		}},
	}
	for _, kind := range kinds {
		calls = append(calls, call{fmt.Sprint("Export kind ", kind), func(ctx context.Context) error {
			_, _, err := s.Export(ctx, kind, "", 10)
			return err
		}})
	}
	for what, records := range map[string][]store.Record{
		"nothing": nil,
		"records": {
			{Identity: &identity},
			{Temporary: &store.Temporary{Subject: bob, Secret: store.NewSecret("of bob"), Generation: 5}},
			{Token: &token},
		},
		"invalid": {{}},
	} {
		calls = append(calls, call{"Import " + what, func(ctx context.Context) error { return s.Import(ctx, records) }})
	}
	return calls
}
