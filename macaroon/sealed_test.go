package macaroon_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// sealedSecret is a secret as seen in a store that was opened without its key
// ring.
var sealedSecret = store.NewSecret("\x00ozseal\x02 and bytes that everybody knows who reads the database")

// canarySubject is the subject of the record that marks a store as sealed.
var canarySubject = caveat.User("onezone/canary")

// signedWith returns the token with the identifier, signed with the bytes. It
// uses a library that is not aware of sealed secrets.
func signedWith(t *testing.T, key store.Secret, identifier string) macaroon.Token {
	t.Helper()
	m, err := macaroonv2.New([]byte(key.Reveal()), []byte(identifier), "onezone", macaroonv2.V1)
	require.NoError(t, err)
	binary, err := m.MarshalBinary()
	require.NoError(t, err)
	token, err := macaroon.Parse(plain64(string(binary)))
	require.NoError(t, err)
	return token
}

// withSealedRecords returns a zone whose store has sealed secrets of Alice: a
// named token, a temporary secret and a password.
func withSealedRecords(t *testing.T) *zone {
	t.Helper()
	z := newZone(t)
	record := store.Token{ID: "sealed", Name: "sealed", Version: 2, Subject: alice, Type: "act", Secret: sealedSecret, Created: 1}
	require.NoError(t, second(z.store.CreateToken(t.Context(), record, 0)))
	_, err := z.store.EnsureTemporaryKey(t.Context(), alice, sealedSecret)
	require.NoError(t, err)
	require.NoError(t, z.store.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
		i.Username, i.Password = "alice", sealedSecret
		return nil
	}))
	return z
}

// requireSealed requires the operational error [store.ErrSealed], which is not
// a verdict on a token.
func requireSealed(t *testing.T, err error, about string) {
	t.Helper()
	require.ErrorIs(t, err, store.ErrSealed, about)
	requireOperational(t, err)
	require.NotContains(t, err.Error(), "everybody knows", about)
}

// TestSealedBytesAreNeverAKey covers every method that uses a secret to verify
// a signature or a password.
func TestSealedBytesAreNeverAKey(t *testing.T) {
	t.Parallel()
	z := withSealedRecords(t)
	named := signedWith(t, sealedSecret, "2/nmd/usr-u-alice/act/sealed")
	temporary := signedWith(t, sealedSecret, "2/tmp-1/usr-u-alice/act/id")
	identity := signedWith(t, sealedSecret, "2/tmp-1/usr-u-alice/idn/id")
	invite := signedWith(t, sealedSecret, "2/tmp-1/usr-u-alice/ujg:g1:/id")
	grant := macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Until(start.Add(time.Hour))},
	}
	byHand := macaroon.Spec{Domain: "onezone", ID: "id", Subject: alice, Type: macaroon.AccessToken()}
	for about, use := range map[string]func(ctx context.Context) error{
		"VerifyAccess of a named token": func(ctx context.Context) error {
			_, err := z.VerifyAccess(ctx, named.String(), caveat.Request{})
			return err
		},
		"VerifyAccess of a temporary token": func(ctx context.Context) error {
			_, err := z.VerifyAccess(ctx, temporary.String(), caveat.Request{})
			return err
		},
		"VerifyIdentity": func(ctx context.Context) error {
			_, err := z.VerifyIdentity(ctx, identity.String(), caveat.Request{})
			return err
		},
		"VerifyInvite": func(ctx context.Context) error {
			_, err := z.VerifyInvite(ctx, invite.String(), 0, caveat.Request{})
			return err
		},
		"Consume": func(ctx context.Context) error {
			return z.Consume(ctx, invite.String(), 0, caveat.Request{Consumer: bob}, func(context.Context, macaroon.Invitation) error { return nil })
		},
		"RevokeConfined": func(ctx context.Context) error { return z.RevokeConfined(ctx, named) },
		"Token.Verify": func(ctx context.Context) error {
			_, err := named.Verify(ctx, sealedSecret, caveat.Request{})
			return err
		},
		"Mint":  func(context.Context) error { _, err := macaroon.Mint(byHand, sealedSecret); return err },
		"Issue": func(ctx context.Context) error { _, err := z.Issue(ctx, grant); return err },
		"Get":   func(ctx context.Context) error { _, err := z.Get(ctx, "sealed"); return err },
		"GetByName": func(ctx context.Context) error {
			_, err := z.GetByName(ctx, alice, "sealed")
			return err
		},
		"List": func(ctx context.Context) error { _, _, err := z.List(ctx, store.Query{}); return err },
		"LogIn": func(ctx context.Context) error {
			_, err := z.LogIn(ctx, "alice", sealedSecret.Reveal())
			return err
		},
	} {
		requireSealed(t, use(t.Context()), about)
	}
	require.Nil(t, sealedSecret.Root(), "the chain cannot even begin")
}

// TestNoSecretIsWrittenInClearBesideSealedOnes uses an authority over a sealed
// store that was opened without its key ring.
func TestNoSecretIsWrittenInClearBesideSealedOnes(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	grant := macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Until(start.Add(time.Hour))},
	}
	writes := map[string]func(ctx context.Context) error{
		"Issue":               func(ctx context.Context) error { _, err := z.Issue(ctx, grant); return err },
		"IssueNamed":          func(ctx context.Context) error { _, err := z.IssueNamed(ctx, "laptop", grant); return err },
		"IssueLogIn":          func(ctx context.Context) error { _, err := z.IssueLogIn(ctx, alice, z.Now()); return err },
		"IssueLegacy":         func(ctx context.Context) error { _, err := z.IssueLegacy(ctx, alice, nil); return err },
		"RevokeTemporary":     func(ctx context.Context) error { return z.RevokeTemporary(ctx, alice) },
		"TemporaryGeneration": func(ctx context.Context) error { _, err := z.TemporaryGeneration(ctx, provider); return err },
		"CreateUser": func(ctx context.Context) error {
			_, err := z.CreateUser(ctx, macaroon.NewUser{Username: "carol", Password: "a good password"})
			return err
		},
		"SetPassword": func(ctx context.Context) error { return z.SetPassword(ctx, bob, "a good password") },
	}
	_, err := z.store.EnsureTemporaryKey(t.Context(), canarySubject, sealedSecret)
	require.NoError(t, err)
	for about, write := range writes {
		requireSealed(t, write(t.Context()), about)
	}
	for kind := store.IdentityRecords; kind <= store.TokenRecords; kind++ {
		records, _, err := z.store.Export(t.Context(), kind, "", store.MaxPage)
		require.NoError(t, err)
		for _, r := range records {
			require.True(t, r.Identity != nil && r.Identity.Password.IsZero() || r.Temporary != nil && r.Temporary.Subject == canarySubject, "%v", r)
		}
	}

	// A store that is sealed while the authority is running.
	require.NoError(t, z.store.DeleteTemporaryKey(t.Context(), canarySubject))
	for about, write := range writes {
		require.NoError(t, write(t.Context()), about)
	}
	_, err = z.store.EnsureTemporaryKey(t.Context(), canarySubject, sealedSecret)
	require.NoError(t, err)
	z.advance(time.Minute)
	requireSealed(t, writes["RevokeTemporary"](t.Context()), "a minute later")
}

// unopened is a store that cannot open the secret of one token.
type unopened struct {
	*memory.Store
	id string
}

var errUnopened = errors.New("the secret does not open")

func (u *unopened) GetToken(ctx context.Context, id string) (store.Token, error) {
	if id == u.id {
		return store.Token{}, errUnopened
	}
	return u.Store.GetToken(ctx, id)
}

func (u *unopened) ListTokens(ctx context.Context, q store.Query) ([]store.Token, store.Cursor, error) {
	page, next, err := u.Store.ListTokens(ctx, q)
	for i := range page {
		if page[i].ID == u.id {
			page[i].Secret = store.Secret{}
		}
	}
	return page, next, err
}

// TestASecretThatDoesNotOpenHidesNoOthers lists tokens, one of which cannot be
// rebuilt.
func TestASecretThatDoesNotOpenHidesNoOthers(t *testing.T) {
	t.Parallel()
	s := &unopened{Store: memory.New()}
	require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{Subject: alice}))
	a, err := macaroon.NewAuthority(s)
	require.NoError(t, err)
	for _, name := range []string{"first", "second", "third"} {
		_, err := a.IssueNamed(t.Context(), name, macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		require.NoError(t, err)
	}
	second, err := a.GetByName(t.Context(), alice, "second")
	require.NoError(t, err)
	s.id = second.ID()
	page, next, err := a.List(t.Context(), store.Query{Subject: alice})
	require.NoError(t, err)
	require.True(t, next.IsZero())
	var names []string
	for _, n := range page {
		names = append(names, n.Name)
	}
	require.ElementsMatch(t, []string{"first", "third"}, names)
	ids, _, err := a.ListIDs(t.Context(), store.Query{Subject: alice})
	require.NoError(t, err)
	require.Contains(t, ids, s.id)
	_, err = a.Get(t.Context(), s.id)
	require.ErrorIs(t, err, errUnopened)
	_, err = a.GetByName(t.Context(), alice, "second")
	require.ErrorIs(t, err, errUnopened)
	require.NoError(t, a.DeleteAll(t.Context(), alice))
}
