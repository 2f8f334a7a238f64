//go:build e2e

package regressions

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	macaroonv2 "gopkg.in/macaroon.v2" // signs with an empty key

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
)

func conditionsAreCheckedAfterTheSignature(t *testing.T) {
	p := newProbe(t)
	for _, v := range verifiers(t, p.Vocabulary) {
		require.NoError(t, v.verify(v.text), v.name)
		for _, condition := range []string{"user = alice", "user = bob", "moon = full", "time < 5"} {
			forged := insert(t, v.text, packet("cid", condition))
			require.ErrorIs(t, v.verify(forged), errors.IDTokenInvalid, "%s: %s", v.name, condition)
		}
		require.Zero(t, p.asked.Load(), v.name)
	}
}

func unsignedCaveatsAreRefused(t *testing.T) {
	p := newProbe(t)
	for _, v := range verifiers(t, p.Vocabulary) {
		for _, condition := range []string{"moon = full", "user = bob", "time < 5"} {
			unsigned := insert(t, v.text, packet("cid", condition))
			require.ErrorIs(t, v.verify(unsigned), errors.IDTokenInvalid, "%s: %s", v.name, condition)
		}
	}
}

func attenuationAddsTheCaveatOrFails(t *testing.T) {
	token := macaroontest.New(t).Token()
	album := newMacaroon(t, "album 7", rootKey)
	for name, texts := range map[string][]string{
		"empty": {""}, "one of two is empty": {"user = alice", ""}, "too long for a packet": {strings.Repeat("x", 70_000)},
		"not UTF-8": {"\xff"}, "too many": make([]string, macaroon.DefaultMaxCaveats+1), "good": {"a", "b"},
	} {
		if confined, err := token.ConfineUnchecked(texts...); err == nil {
			sent, err := macaroon.Parse(confined.String())
			require.NoError(t, err, name)
			require.Equal(t, texts, sent.Caveats(), name)
		}
		if confined, err := album.Confine(texts...); err == nil {
			sent, err := general.Parse(encode(t, confined, general.V2), general.V2)
			require.NoError(t, err, name)
			require.Len(t, sent.Caveats(), len(texts), name)
			for i, c := range sent.Caveats() {
				require.Equal(t, texts[i], c.Text, name)
			}
		}
	}
	for name, c := range map[string]discharge.Caveat{
		"no identifier": {Location: "https://id.example.org", Key: rootKey},
		"no key":        {Location: "https://id.example.org", Identifier: "user"},
	} {
		_, err := discharge.Add(album, c)
		require.Error(t, err, name)
	}
}

func caveatNamesMatchAsAWhole(t *testing.T) {
	p := newProbe(t)
	req := caveat.Request{Now: time.Unix(1_600_000_000, 0), Vocabulary: p.Vocabulary}
	verify := func(text string) error {
		_, err := newMacaroon(t, "album 7", rootKey, text).Verify(t.Context(), rootKey, req)
		return err
	}
	for _, known := range []string{"user = alice", "time < 1700000000"} {
		require.NoError(t, verify(known))
	}
	for _, unknown := range []string{
		"username = alice", "user_id = alice", "users = alice", "user  = alice", " user = alice", "user == alice", "User = alice", "user=alice",
		"not user = alice", "time < 1700000000 or later", "time < 1700000000abc", "runtime < 1700000000", "timeout < 1700000000",
		"time <1700000000", "time < 01700000000", "time < +1700000000", "TIME < 1700000000", "time < 1700000000\n", "time < 1.7e9",
	} {
		require.ErrorIs(t, verify(unknown), errors.IDTokenCaveatUnknown, unknown)
	}
}

// withoutFeed is a store that never reports a change. connected is closed when its
// feed has begun.
type withoutFeed struct {
	store.Store
	connected chan struct{}
}

func (s withoutFeed) Watch(ctx context.Context, observe func(store.Change)) error {
	observe(store.Change{Kind: store.FeedUp})
	close(s.connected)
	<-ctx.Done()
	return ctx.Err()
}

func unknownKeysAreAskedForAgain(t *testing.T) {
	backend := memory.New()
	defer func() { require.NoError(t, backend.Close()) }()
	now := macaroontest.Start
	connected := make(chan struct{})
	cached, err := cache.New(withoutFeed{backend, connected}, cache.Options{Clock: func() time.Time { return now }})
	require.NoError(t, err)
	defer func() { require.NoError(t, cached.Close()) }()
	<-connected
	here, err := macaroon.NewAuthority(cached)
	require.NoError(t, err)
	elsewhere, err := macaroon.NewAuthority(backend)
	require.NoError(t, err)

	alice := caveat.User("alice")
	require.NoError(t, backend.CreateIdentity(t.Context(), store.Identity{Subject: alice}))
	token, err := elsewhere.IssueNamed(t.Context(), "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	require.NoError(t, err)
	record, err := backend.GetToken(t.Context(), token.ID())
	require.NoError(t, err)
	require.NoError(t, backend.DeleteToken(t.Context(), token.ID()))
	_, err = here.VerifyAccess(t.Context(), token.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenInvalid)
	_, err = backend.CreateToken(t.Context(), record, 0)
	require.NoError(t, err)
	now = now.Add(2 * time.Second)
	_, err = here.VerifyAccess(t.Context(), token.String(), caveat.Request{})
	require.NoError(t, err)
}

func emptyKeysAreRefused(t *testing.T) {
	empty := store.NewSecret("")
	_, err := general.New("https://photos.example.org", "album 7", empty)
	require.ErrorIs(t, err, errors.IDBadValueEmpty)
	_, err = macaroon.Mint(macaroon.Spec{Domain: "onezone", ID: "id", Subject: caveat.User("alice"), Type: macaroon.AccessToken()}, empty)
	require.Error(t, err)
	_, err = discharge.Add(newMacaroon(t, "album 7", rootKey), discharge.Caveat{Identifier: "user", Key: empty})
	require.ErrorIs(t, err, errors.IDBadValueEmpty)

	signed, err := macaroonv2.New(nil, []byte("album 7"), "https://photos.example.org", macaroonv2.V2)
	require.NoError(t, err)
	raw, err := signed.MarshalBinary()
	require.NoError(t, err)
	m, err := general.Parse(base64.RawURLEncoding.EncodeToString(raw), general.V2)
	require.NoError(t, err)
	for _, key := range []store.Secret{empty, {}} {
		_, err = m.Verify(t.Context(), key, caveat.Request{})
		require.ErrorIs(t, err, errors.IDTokenInvalid)
		_, err = discharge.Verify(t.Context(), m, key, caveat.Request{})
		require.ErrorIs(t, err, errors.IDTokenInvalid)
	}
}

// onlyIDs is a source of random bytes that fails when it is asked for a key.
type onlyIDs struct{}

func (onlyIDs) Read(b []byte) (int, error) {
	if len(b) > 16 {
		return 0, io.ErrUnexpectedEOF
	}
	for i := range b {
		b[i] = byte(i)
	}
	return len(b), nil
}

func rootKeysAreRandom(t *testing.T) {
	alice := caveat.User("alice")
	keys := map[string]bool{}
	issue := func(options ...macaroon.Option) error {
		s := memory.New()
		defer func() { require.NoError(t, s.Close()) }()
		require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{Subject: alice}))
		a, err := macaroon.NewAuthority(s, options...)
		require.NoError(t, err)
		for i := range 2 {
			token, err := a.IssueNamed(t.Context(), fmt.Sprint("token ", i), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
			if err != nil {
				return err
			}
			record, err := s.GetToken(t.Context(), token.ID())
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(record.Secret.Reveal()), 64)
			require.False(t, keys[record.Secret.Reveal()], "two tokens have one key")
			keys[record.Secret.Reveal()] = true
		}
		return nil
	}
	require.NoError(t, issue())
	require.NoError(t, issue(), "of another authority")
	require.ErrorIs(t, issue(macaroon.WithRandom(onlyIDs{})), io.ErrUnexpectedEOF, "there is no other key to fall back to")
}
