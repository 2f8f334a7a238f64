package macaroon

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

var recognizedUser = caveat.User("alice")

// zoneOfRecognition is an authority with its store and a counter of lookups.
type zoneOfRecognition struct {
	*Authority
	records *countingStore
}

// countingStore counts the lookups of keys.
type countingStore struct {
	store.Store
	lookups atomic.Int64
}

func (s *countingStore) NamedKey(ctx context.Context, id string) (store.Key, error) {
	s.lookups.Add(1)
	return s.Store.NamedKey(ctx, id)
}

func newRecognizing(t testing.TB, options ...Option) zoneOfRecognition {
	t.Helper()
	records := &countingStore{Store: memory.New()}
	require.NoError(t, records.CreateIdentity(context.Background(), store.Identity{Subject: recognizedUser}))
	a, err := NewAuthority(records, options...)
	require.NoError(t, err)
	return zoneOfRecognition{a, records}
}

func (z zoneOfRecognition) issue(t testing.TB, name string, texts ...string) Token {
	t.Helper()
	issued, err := z.IssueNamed(context.Background(), name, Grant{Subject: recognizedUser, Type: AccessToken()})
	require.NoError(t, err)
	confined, err := issued.ConfineUnchecked(texts...)
	require.NoError(t, err)
	return confined
}

func (z zoneOfRecognition) verify(text string) error {
	_, err := z.VerifyAccess(context.Background(), text, caveat.Request{IP: netip.MustParseAddr("10.1.2.3")})
	return err
}

func (z zoneOfRecognition) recognizesText(text string) bool {
	return z.recognition.Find(z.recognition.Present(text)) != nil
}

// recognize verifies the text until it is recognized.
func (z zoneOfRecognition) recognize(t testing.TB, text string) {
	t.Helper()
	require.NoError(t, z.verify(text))
	require.False(t, z.recognizesText(text), "a token that was used once takes a place")
	require.NoError(t, z.verify(text))
	require.True(t, z.recognizesText(text))
	require.NoError(t, z.verify(text))
}

func requireID(t testing.TB, id errors.ID, err error) {
	t.Helper()
	require.ErrorIs(t, err, id)
}

func TestOnlyVerifiedTokensAreRecognized(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t)
	genuine := z.issue(t, "genuine", "ip = 10.0.0.0/8")
	forged, err := Mint(Spec{ID: genuine.ID(), Domain: "onezone", Subject: recognizedUser, Type: AccessToken()}, store.NewSecret("guess"))
	require.NoError(t, err)
	revoked := z.issue(t, "revoked")
	require.NoError(t, z.Revoke(t.Context(), revoked.ID()))
	unknown, err := Mint(Spec{ID: "nobody-knows", Domain: "onezone", Subject: recognizedUser, Type: AccessToken()}, store.NewSecret("guess"))
	require.NoError(t, err)
	for text, id := range map[string]errors.ID{
		forged.String(): errors.IDTokenInvalid, revoked.String(): errors.IDTokenRevoked, unknown.String(): errors.IDTokenInvalid,
		"not a token": errors.IDBadToken, "": errors.IDBadToken,
	} {
		for range 5 {
			requireID(t, id, z.verify(text))
		}
		require.False(t, z.recognizesText(text), "%v", id)
	}
	z.recognize(t, genuine.String())
}

func TestRecognitionComparesTheWholeText(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t)
	text := z.issue(t, "laptop").String()
	z.recognize(t, text)
	require.Error(t, z.verify(text[:len(text)-1]+"_"))
	// The prefix of a service is part of the text, so each form has its own
	// entry.
	require.NoError(t, z.verify("opw-"+text))
	require.False(t, z.recognizesText("opw-"+text))
}

func TestRecognitionComparesTheSecret(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t)
	token := z.issue(t, "laptop")
	z.recognize(t, token.String())
	record, err := z.records.GetToken(t.Context(), token.ID())
	require.NoError(t, err)
	replace := func(secret store.Secret) {
		require.NoError(t, z.records.DeleteToken(t.Context(), record.ID))
		record.Secret = secret
		err := second(z.records.CreateToken(t.Context(), record, 0))
		require.NoError(t, err)
	}
	replace(store.NewSecret("another"))
	requireID(t, errors.IDTokenInvalid, z.verify(token.String()))
	require.False(t, z.recognizesText(token.String()), "the entry with the old secret stays")

	// Secrets are compared by content, not by address.
	same := z.issue(t, "same")
	z.recognize(t, same.String())
	record, err = z.records.GetToken(t.Context(), same.ID())
	require.NoError(t, err)
	replace(store.NewSecret(strings.Clone(record.Secret.Reveal())))
	require.NoError(t, z.verify(same.String()))
	require.True(t, z.recognizesText(same.String()))
}

func TestRecognizedTokensAreLookedUpAndDecidedEachTime(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t)
	token := z.issue(t, "laptop", "ip = 10.0.0.0/8", "time < 4000000000")
	z.recognize(t, token.String())

	before := z.records.lookups.Load()
	for range 10 {
		require.NoError(t, z.verify(token.String()))
	}
	require.EqualValues(t, 10, z.records.lookups.Load()-before)

	_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{IP: netip.MustParseAddr("192.0.2.1")})
	requireID(t, errors.IDTokenCaveatUnverified, err)
	_, err = z.VerifyAccess(t.Context(), token.String(), caveat.Request{IP: netip.MustParseAddr("10.1.1.1"), Now: time.Unix(4000000000, 0)})
	requireID(t, errors.IDTokenCaveatUnverified, err)
	_, err = z.VerifyAccess(t.Context(), token.String(), caveat.Request{
		IP: netip.MustParseAddr("10.1.1.1"), Service: caveat.Service{Type: caveat.OpWorker, ID: "p"},
	})
	requireID(t, errors.IDTokenServiceForbidden, err)
	_, err = z.VerifyAccess(t.Context(), token.String(), caveat.Request{IP: netip.MustParseAddr("10.1.1.1"), Session: caveat.InSession("s")})
	requireID(t, errors.IDTokenSessionInvalid, err)
	_, err = z.VerifyIdentity(t.Context(), token.String(), caveat.Request{IP: netip.MustParseAddr("10.1.1.1")})
	requireID(t, errors.IDNotAnIdentityToken, err)

	// Another replica changes the records, and each verification sees the
	// change.
	change := func(revoked bool) {
		require.NoError(t, z.records.UpdateToken(t.Context(), token.ID(), func(r *store.Token) error { r.Revoked = revoked; return nil }))
	}
	change(true)
	requireID(t, errors.IDTokenRevoked, z.verify(token.String()))
	change(false)
	require.NoError(t, z.verify(token.String()))
	require.NoError(t, z.records.UpdateIdentity(t.Context(), recognizedUser, func(i *store.Identity) error { i.Blocked = true; return nil }))
	requireID(t, errors.IDUserBlocked, z.verify(token.String()))
	require.NoError(t, z.records.UpdateIdentity(t.Context(), recognizedUser, func(i *store.Identity) error { i.Blocked = false; return nil }))
	require.NoError(t, z.verify(token.String()))
	require.NoError(t, z.records.DeleteToken(t.Context(), token.ID()))
	requireID(t, errors.IDTokenInvalid, z.verify(token.String()))
}

func projectVocabulary(t testing.TB, satisfied bool) *caveat.Vocabulary {
	t.Helper()
	v, err := caveat.NewVocabulary(caveat.Kind{
		Name:      "project",
		Satisfied: func(context.Context, string, *caveat.Request) (bool, error) { return satisfied, nil },
	})
	require.NoError(t, err)
	return v
}

func TestRecognizedCaveatsServeOneVocabulary(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t, WithVocabulary(projectVocabulary(t, true)))
	token := z.issue(t, "laptop", "project = 42").String()
	z.recognize(t, token)
	for range 3 {
		_, err := z.VerifyAccess(t.Context(), token, caveat.Request{Vocabulary: projectVocabulary(t, false)})
		requireID(t, errors.IDTokenCaveatUnverified, err)
		_, err = z.VerifyAccess(t.Context(), token, caveat.Request{Vocabulary: (*caveat.Vocabulary)(nil).LimitEntries(5)})
		requireID(t, errors.IDTokenCaveatUnknown, err)
	}
	require.NoError(t, z.verify(token))
}

func TestAuthoritiesRecognizeForThemselves(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t, WithVocabulary(projectVocabulary(t, true)))
	token := z.issue(t, "laptop", "project = 42")
	z.recognize(t, token.String())
	strict, err := NewAuthority(z.records, WithVocabulary(projectVocabulary(t, false)))
	require.NoError(t, err)
	require.NotEqual(t, z.recognition.Present(token.String()), strict.recognition.Present(token.String()), "the seeds are equal")
	for range 3 {
		requireID(t, errors.IDTokenCaveatUnverified, zoneOfRecognition{strict, z.records}.verify(token.String()))
	}
	elsewhere := newRecognizing(t, WithVocabulary(projectVocabulary(t, true)))
	requireID(t, errors.IDTokenInvalid, elsewhere.verify(token.String()))
}

func TestRecognitionIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ tokens, bytes, most int }{
		"by tokens": {16, 1 << 30, 16}, "by bytes": {1000, 20_000, 40}, "to one": {1, 1 << 30, 1}, "to less than one": {8, 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := newRecognizing(t, WithRecognition(c.tokens, c.bytes))
			var texts []string
			for i := range 100 {
				text := z.issue(t, fmt.Sprintf("token %d", i), "ip = 10.0.0.0/8").String()
				texts = append(texts, text)
				for range 3 {
					require.NoError(t, z.verify(text))
				}
			}
			recognized := 0
			for _, text := range texts {
				if z.recognizesText(text) {
					recognized++
				}
			}
			require.LessOrEqual(t, recognized, c.most)
			require.Equal(t, c.most > 0, recognized > 0)
		})
	}
	off := newRecognizing(t, WithRecognition(0, 1<<20))
	text := off.issue(t, "laptop").String()
	for range 3 {
		require.NoError(t, off.verify(text))
	}
	require.Nil(t, off.recognition.Memory)
	require.NoError(t, off.Revoke(t.Context(), mustParse(t, text).ID()))
}

func mustParse(t testing.TB, text string) Token {
	t.Helper()
	token, err := Parse(text)
	require.NoError(t, err)
	return token
}

func TestTokensUsedOnceEvictNothing(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t, WithRecognition(8, 1<<20))
	hot := z.issue(t, "hot").String()
	z.recognize(t, hot)
	for i := range 200 {
		require.NoError(t, z.verify(z.issue(t, fmt.Sprintf("once %d", i)).String()))
	}
	require.True(t, z.recognizesText(hot))
}

func TestTokensThatAreNotRecognized(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t)
	long := z.issue(t, "long", "ip = "+strings.Repeat("10.1.2.3|", 1000)+"10.1.2.3").String()
	copied := z.issue(t, "copied")
	copy1, err := copied.Confine(caveat.MustParse("ip = 10.0.0.0/8"))
	require.NoError(t, err)
	copy2, err := copied.Confine(caveat.MustParse("ip = 10.1.0.0/16"))
	require.NoError(t, err)
	require.NoError(t, z.RevokeConfined(t.Context(), copy1))
	for name, text := range map[string]string{"a long text": long, "a record with revoked copies": copy2.String()} {
		for range 4 {
			require.NoError(t, z.verify(text), name)
		}
		require.False(t, z.recognizesText(text), name)
	}
	// The chain of a recognized copy is computed again after another copy is
	// revoked.
	other := z.issue(t, "other")
	z.recognize(t, other.String())
	derived, err := other.Confine(caveat.MustParse("ip = 10.0.0.0/8"))
	require.NoError(t, err)
	z.recognize(t, derived.String())
	tail := store.TailOf(derived.Signature())
	require.NoError(t, z.records.UpdateToken(t.Context(), other.ID(), func(r *store.Token) error {
		r.RevokedTails = append(r.RevokedTails, tail)
		return nil
	}))
	requireID(t, errors.IDTokenRevoked, z.verify(derived.String()))
	require.NoError(t, z.verify(other.String()))
}

func TestRecognitionPrintsNothing(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t)
	token := z.issue(t, "laptop")
	z.recognize(t, token.String())
	e := z.recognition.Find(z.recognition.Present(token.String()))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		for _, value := range []any{z.Authority, z.recognition, z.recognition.Memory, e, z.recognition.Present(token.String())} {
			text := fmt.Sprintf(verb, value)
			require.NotContains(t, text, token.String())
			require.NotContains(t, text, fmt.Sprintf("%x", token.String()))
			require.NotContains(t, text, fmt.Sprintf("%x", token.Signature()))
		}
	}
}

// The cache does not change the answer for any token, request or repetition.
func TestRecognitionChangesNoAnswer(t *testing.T) {
	t.Parallel()
	z := newRecognizing(t, WithRecognition(8, 1<<20), WithVocabulary(projectVocabulary(t, true)))
	plain, err := NewAuthority(z.records, WithRecognition(0, 0), WithVocabulary(z.Vocabulary()))
	require.NoError(t, err)
	var texts []string
	for i, caveats := range [][]string{
		{}, {"time < 1700000000"}, {"ip = 10.0.0.0/8", "interface = rest"}, {"project = 1"}, {"moon = full"}, {"data.readonly"},
		{"authorization = none"}, {"consumer = usr-alice", "time < 1800000000"}, {"service = opw-*"}, {"api = ozw/get/user.*.*"},
	} {
		text := z.issue(t, fmt.Sprintf("token %d", i), caveats...).String()
		texts = append(texts, text, "opp-"+text, text[:len(text)-2])
	}
	requests := []caveat.Request{
		{}, {Now: time.Unix(1750000000, 0), IP: netip.MustParseAddr("10.1.2.3"), Interface: caveat.REST},
		{Now: time.Unix(1650000000, 0), DataAccess: true, Consumer: recognizedUser}, {Session: caveat.InSession("s")},
		{Vocabulary: projectVocabulary(t, false)}, {Ignored: []caveat.Type{caveat.TypeTime, "project"}},
	}
	held := 0
	for range 4 {
		for _, text := range texts {
			for _, req := range requests {
				want, wantErr := plain.VerifyAccess(t.Context(), text, req)
				got, err := z.VerifyAccess(t.Context(), text, req)
				require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err))
				require.Equal(t, want.Caveats(), got.Caveats())
				want.caveats, got.caveats = caveat.List{}, caveat.List{}
				require.Equal(t, want, got)
				if err == nil {
					held++
				}
				want, wantErr = plain.VerifyIdentity(t.Context(), text, req)
				got, err = z.VerifyIdentity(t.Context(), text, req)
				require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err))
				require.Equal(t, want.Subject, got.Subject)
			}
		}
	}
	require.Greater(t, held, 100)
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }
