package macaroon_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// watcher counts the lookups in the store and in the application. In the
// application Alice is blocked, Bob is active and no other user exists.
type watcher struct {
	store.Store
	lookups, records, questions int
}

func (w *watcher) NamedKey(ctx context.Context, id string) (store.Key, error) {
	w.lookups++
	return w.Store.NamedKey(ctx, id)
}

func (w *watcher) TemporaryKey(ctx context.Context, s caveat.Subject) (store.Key, error) {
	w.lookups++
	return w.Store.TemporaryKey(ctx, s)
}

func (w *watcher) GetIdentity(ctx context.Context, s caveat.Subject) (store.Identity, error) {
	w.lookups++
	return w.Store.GetIdentity(ctx, s)
}

func (w *watcher) GetToken(ctx context.Context, id string) (store.Token, error) {
	w.records++
	return w.Store.GetToken(ctx, id)
}

func (w *watcher) BelongsTo(context.Context, string, caveat.Subject) (bool, error) {
	w.questions++
	return false, nil
}

func (w *watcher) InProvider(context.Context, caveat.Subject, string) (bool, error) {
	w.questions++
	return false, nil
}

func (w *watcher) InCluster(context.Context, caveat.Subject, string) (bool, error) {
	w.questions++
	return false, nil
}

func (w *watcher) Holder(_ context.Context, s caveat.Subject) (store.Status, error) {
	w.questions++
	switch s {
	case alice:
		return store.HolderBlocked, nil
	case bob:
		return store.HolderActive, nil
	}
	return store.HolderMissing, nil
}

// For a forged token, Confine reveals nothing about the claimed subject: not by
// its answer, not by lookups in the application, and not by the number of
// lookups.
func TestConfineRevealsNothingAboutTheSubjectOfAForgedToken(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.block(t, alice, true)
	w := &watcher{Store: z.store}
	own := []macaroon.Option{macaroon.WithSessions(w), macaroon.WithMemberships(w), macaroon.WithClock(z.clock)}
	for name, options := range map[string][]macaroon.Option{"store": own, "directory": append(own, macaroon.WithDirectory(w))} {
		a, err := macaroon.NewAuthority(w, options...)
		require.NoError(t, err)
		for _, subject := range []caveat.Subject{alice, bob, caveat.User("u-missing"), provider, caveat.Provider("p-missing")} {
			existing := z.record(t, subject)
			for _, typ := range []macaroon.Type{macaroon.AccessToken(), macaroon.SessionToken("s1"), macaroon.IdentityToken()} {
				for _, s := range []macaroon.Spec{
					{ID: existing}, {ID: "absent"}, {ID: "x", Generation: 1}, {ID: "x", Generation: 99},
				} {
					s.Subject, s.Type, s.Domain = subject, typ, "onezone"
					forged, err := macaroon.Mint(s, store.NewSecret("a guess"))
					require.NoError(t, err)
					for _, cs := range [][]caveat.Caveat{{}, {caveat.REST}, {caveat.MustParse("service = opw-p1|opp-p1|ozp-onezone")}} {
						w.lookups, w.questions = 0, 0
						confined, err := a.Confine(t.Context(), forged, cs...)
						require.NoError(t, err, "%s: %v, %+v, %v", name, subject, s, cs)
						want, err := forged.Confine(cs...)
						require.NoError(t, err)
						require.Equal(t, want.String(), confined.String())
						require.Zero(t, w.questions, "the application was asked about the subject of a forged token")
						require.Equal(t, 1, w.lookups, "%s: %v, %+v", name, subject, s)
					}
				}
			}
		}
	}
}

// record stores a named token of any subject.
func (z *zone) record(t testing.TB, subject caveat.Subject) (id string) {
	t.Helper()
	id = "of-" + subject.ID
	if _, err := z.store.GetToken(t.Context(), id); err == nil {
		return id
	}
	require.NoError(t, second(z.store.CreateToken(t.Context(), store.Token{
		ID: id, Name: "record", Version: 2, Subject: subject, Type: "act", Secret: secret, Created: 1,
	}, 0)))
	return id
}

// For a genuine token, revoked or not, Confine checks the subject, with one
// lookup.
func TestConfineChecksTheSubjectOfAGenuineToken(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(z *zone, token macaroon.Token){
		"good":    func(*zone, macaroon.Token) {},
		"revoked": func(z *zone, token macaroon.Token) { require.NoError(t, z.Revoke(t.Context(), token.ID())) },
		"revoked copy": func(z *zone, token macaroon.Token) {
			require.NoError(t, z.RevokeConfined(t.Context(), confine(t, token, caveat.REST)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := newZone(t)
			w := &watcher{Store: z.store}
			a, err := macaroon.NewAuthority(w, macaroon.WithClock(z.clock))
			require.NoError(t, err)
			named, temporary := z.access(t), z.temporary(t, alice, macaroon.AccessToken())
			spoil(z, named)
			named = confine(t, named, caveat.REST)
			z.block(t, alice, true)
			for _, token := range []macaroon.Token{named, temporary} {
				w.lookups = 0
				_, err = a.Confine(t.Context(), token, caveat.REST)
				requireID(t, errors.IDUserBlocked, err)
				require.Equal(t, 1, w.lookups)
				require.Zero(t, w.records)
			}
			z.block(t, alice, false)
			_, err = a.Confine(t.Context(), named, caveat.MustParse("service = opw-p1"))
			requireID(t, errors.IDTokenServiceForbidden, err)
			require.NoError(t, z.store.DeleteIdentity(t.Context(), alice))
			_, err = a.Confine(t.Context(), named, caveat.REST)
			requireID(t, errors.IDTokenSubjectInvalid, err)

			// The key of an older generation does not exist any longer, so the
			// token cannot be verified.
			require.NoError(t, z.RevokeTemporary(t.Context(), alice))
			_, err = a.Confine(t.Context(), temporary, caveat.REST)
			require.NoError(t, err)
		})
	}
}

// long returns the token with a satisfied list of 600 kB.
func long(t testing.TB, token macaroon.Token) macaroon.Token {
	t.Helper()
	list := "ip = 1.2.3.4/32" + strings.Repeat("|1.2.3.4/32", 60_000/11)
	for range 10 {
		token = confineText(t, token, list)
	}
	require.Greater(t, len(token.String()), 600_000)
	return token
}

// The time of an answer grows with the length of the token in the same way,
// whether or not the token id, the subject's temporary secret or the generation
// exists.
func TestTimingDoesNotRevealWhetherATokenExists(t *testing.T) {
	if testing.Short() {
		t.Skip("times say nothing under the race detector, which runs the short tests")
	}
	z := newZone(t)
	named := z.access(t)
	require.NoError(t, z.RevokeTemporary(t.Context(), alice)) // generation 1
	require.NoError(t, z.RevokeTemporary(t.Context(), alice)) // generation 2
	forge := func(s macaroon.Spec) macaroon.Token {
		s.Domain, s.Type = "onezone", macaroon.AccessToken()
		if s.Subject.IsZero() {
			s.Subject = alice
		}
		token, err := macaroon.Mint(s, store.NewSecret("a guess"))
		require.NoError(t, err)
		return long(t, token)
	}
	req := caveat.Request{IP: netip.MustParseAddr("1.2.3.4")}
	known := forge(macaroon.Spec{ID: named.ID()})
	unknown := map[string]macaroon.Token{
		"unknown id":        forge(macaroon.Spec{ID: strings.Repeat("0", len(named.ID()))}),
		"known subject":     forge(macaroon.Spec{ID: "t1", Generation: 2}),
		"unknown subject":   forge(macaroon.Spec{ID: "t1", Generation: 2, Subject: caveat.User("u-who")}),
		"older generation":  forge(macaroon.Spec{ID: "t1", Generation: 1}),
		"future generation": forge(macaroon.Spec{ID: "t1", Generation: 3}),
	}
	type operation struct {
		do    func(token macaroon.Token, text string)
		named bool // it is not for temporary tokens
	}
	for name, o := range map[string]operation{
		"VerifyAccess": {do: func(_ macaroon.Token, text string) {
			_, err := z.VerifyAccess(t.Context(), text, req)
			require.Error(t, err)
		}},
		"VerifyConsumer": {do: func(_ macaroon.Token, text string) {
			_, err := z.VerifyConsumer(t.Context(), text, req)
			require.Error(t, err)
		}},
		"Confine":        {do: func(token macaroon.Token, _ string) { _, err := z.Confine(t.Context(), token); require.NoError(t, err) }},
		"RevokeConfined": {do: func(token macaroon.Token, _ string) { require.Error(t, z.RevokeConfined(t.Context(), token)) }, named: true},
	} {
		knownText := known.String()
		for which, token := range unknown {
			if o.named && token.Generation() > 0 {
				continue
			}
			t.Run(name+"/"+which, func(t *testing.T) {
				text := token.String()
				// The comparison is about the time of the HMAC chain, without
				// that of decoding. A busy machine needs more rounds until each
				// call once ran undisturbed.
				var m []time.Duration
				for range 10 {
					m = fastest(m,
						func() { o.do(known, knownText) }, func() { o.do(token, text) },
						func() { _, _ = known.Verify(t.Context(), secret, req) },
					)
					if (m[0] - m[1]).Abs() < m[2]/2 {
						break
					}
				}
				t.Logf("known id %v, %s %v; a walk takes %v", m[0], which, m[1], m[2])
				require.Less(t, (m[0] - m[1]).Abs(), m[2]/2)
			})
		}
	}
}

// fastest returns the shortest time of each function, including the earlier
// measurements. The functions take turns, so that other load on the machine
// affects all of them.
func fastest(earlier []time.Duration, functions ...func()) []time.Duration {
	const rounds = 31
	for range rounds {
		for i, f := range functions {
			begin := time.Now()
			f()
			took := time.Since(begin)
			if len(earlier) == i {
				earlier = append(earlier, took)
			}
			earlier[i] = min(earlier[i], took)
		}
	}
	return earlier
}
