package macaroon_test

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

const password = "correct horse: battery"

func TestTheLifeOfAUser(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	carol, err := z.CreateUser(ctx, macaroon.NewUser{Username: "carol", FullName: "Carol O'Hara", Password: password})
	require.NoError(t, err)
	assert.Regexp(t, "^[0-9a-f]{32}$", carol.ID)
	record, err := z.store.GetIdentity(ctx, carol)
	require.NoError(t, err)
	assert.Equal(t, "Carol O'Hara", record.FullName)
	assert.Equal(t, start.Unix(), record.Created)
	assert.Regexp(t, `^pbkdf2-sha512\$210000\$[\w-]{43}\$[\w-]{43}$`, record.Password.Reveal())

	got, err := z.LogIn(ctx, "carol", password)
	require.NoError(t, err)
	assert.Equal(t, carol, got)
	for _, c := range [][2]string{{"carol", password + " "}, {"Carol", password}} {
		_, err := z.LogIn(ctx, c[0], c[1])
		requireID(t, errors.IDBadBasicCredentials, err)
	}

	named := z.named(t, carol, macaroon.AccessToken())
	temporary := z.temporary(t, carol, macaroon.AccessToken())
	require.NoError(t, z.SetBlocked(ctx, carol, true))
	requireID(t, errors.IDUserBlocked, z.verify(named))
	_, err = z.LogIn(ctx, "carol", password)
	requireID(t, errors.IDUserBlocked, err)
	_, err = z.LogIn(ctx, "carol", "wrong")
	requireID(t, errors.IDBadBasicCredentials, err)
	require.NoError(t, z.SetBlocked(ctx, carol, false))
	require.NoError(t, z.verify(named))

	require.NoError(t, z.SetUsername(ctx, carol, "caro"))
	require.NoError(t, z.SetFullName(ctx, carol, "Caro"))
	require.NoError(t, z.SetPassword(ctx, carol, "a new password"))
	_, err = z.LogIn(ctx, "caro", password)
	requireID(t, errors.IDBadBasicCredentials, err)
	_, err = z.LogIn(ctx, "caro", "a new password")
	require.NoError(t, err)
	require.NoError(t, z.SetPassword(ctx, carol, ""))
	_, err = z.LogIn(ctx, "caro", "")
	requireID(t, errors.IDBadBasicCredentials, err)
	require.NoError(t, z.SetUsername(ctx, carol, ""))
	require.NoError(t, z.SetFullName(ctx, carol, ""))

	require.NoError(t, z.DeleteUser(ctx, carol))
	requireID(t, errors.IDTokenInvalid, z.verify(named))
	requireID(t, errors.IDTokenInvalid, z.verify(temporary))
	requireID(t, errors.IDNotFound, z.DeleteUser(ctx, carol))
}

// An interrupted deletion can be repeated, even if the identity was already
// removed.
func TestDeletingTheLeftoversOfAUser(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	named, temporary := z.access(t), z.temporary(t, alice, macaroon.AccessToken())
	require.NoError(t, z.store.DeleteIdentity(t.Context(), alice))
	requireID(t, errors.IDTokenSubjectInvalid, z.verify(named))
	requireID(t, errors.IDNotFound, z.DeleteUser(t.Context(), alice))
	requireID(t, errors.IDTokenInvalid, z.verify(named))
	requireID(t, errors.IDTokenInvalid, z.verify(temporary))
}

func TestANewUserPrintsNoPassword(t *testing.T) {
	t.Parallel()
	u := macaroon.NewUser{ID: "u7", Username: "carol", FullName: "Carol", Password: "correct horse"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		require.Equal(t, `user "u7" (username "carol", full name "Carol")`, fmt.Sprintf(format, u), format)
		require.NotContains(t, fmt.Sprintf(format, &u), "horse")
	}
	out, err := json.Marshal(u)
	require.NoError(t, err)
	require.NotContains(t, string(out), "horse")
}

func TestUsersThatCannotBeCreated(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	_, err := z.CreateUser(ctx, macaroon.NewUser{ID: "u-carol", Username: "carol"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		user macaroon.NewUser
		id   errors.ID
	}{
		"id taken":                 {macaroon.NewUser{ID: "u-carol"}, errors.IDAlreadyExists},
		"user name taken":          {macaroon.NewUser{Username: "carol"}, errors.IDBadValueIdentifierOccupied},
		"id with a slash":          {macaroon.NewUser{ID: "a/b"}, errors.IDBadValueIdentifier},
		"id with a bar":            {macaroon.NewUser{ID: "a|b"}, errors.IDBadValueIdentifier},
		"id with a space":          {macaroon.NewUser{ID: "a b"}, errors.IDBadValueIdentifier},
		"id with a control":        {macaroon.NewUser{ID: "a\x1bb"}, errors.IDBadValueIdentifier},
		"id that is not UTF-8":     {macaroon.NewUser{ID: "a\xff"}, errors.IDBadValueIdentifier},
		"wildcard":                 {macaroon.NewUser{ID: "*"}, errors.IDBadValueIdentifier},
		"endless id":               {macaroon.NewUser{ID: strings.Repeat("i", 2000)}, errors.IDBadValueIdentifier},
		"bad user name":            {macaroon.NewUser{Username: "c"}, errors.IDBadValueUsername},
		"bad full name":            {macaroon.NewUser{FullName: "c"}, errors.IDBadValueFullName},
		"short password":           {macaroon.NewUser{Password: "1234567"}, errors.IDBadValuePassword},
		"password that is no text": {macaroon.NewUser{Password: "12345678\xff"}, errors.IDBadValuePassword},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := z.CreateUser(ctx, c.user)
			requireID(t, c.id, err)
			if c.user.Password != "" {
				assert.NotContains(t, err.Error(), c.user.Password)
			}
		})
	}
	carol, stranger := caveat.User("u-carol"), caveat.User("u-stranger")
	requireID(t, errors.IDBadValueIdentifierOccupied, func() error {
		_, err := z.CreateUser(ctx, macaroon.NewUser{ID: "u-dave", Username: "dave"})
		require.NoError(t, err)
		return z.SetUsername(ctx, caveat.User("u-dave"), "carol")
	}())
	requireID(t, errors.IDBadValueUsername, z.SetUsername(ctx, carol, "-c-"))
	requireID(t, errors.IDBadValueFullName, z.SetFullName(ctx, carol, "c\n"))
	requireID(t, errors.IDBadValuePassword, z.SetPassword(ctx, carol, "short"))
	for _, err := range []error{
		z.SetUsername(ctx, stranger, "eve"), z.SetFullName(ctx, stranger, "Eve"), z.SetPassword(ctx, stranger, ""),
		z.SetBlocked(ctx, stranger, true), z.DeleteUser(ctx, stranger),
	} {
		requireID(t, errors.IDNotFound, err)
	}
}

func TestNamesOfUsers(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"ab": true, "A-1_b": true, strings.Repeat("n", 20): true, "a": false, "": false, strings.Repeat("n", 21): false, "-ab": false, "ab-": false,
		"_ab": false, "a b": false, "a.b": false, "żółw": false, "ab\n": false, "a\xffb": false, "a:b": false, "аb" /* Cyrillic a */ : false,
	} {
		err := macaroon.ValidateUsername(name)
		assert.Equal(t, good, err == nil, "%q", name)
		if !good {
			requireID(t, errors.IDBadValueUsername, err)
		}
	}
	for name, good := range map[string]bool{
		"Jo": true, "Zażółć Gęślą-Jaźń, jr. 2": true, "d\u2019Arc 2": true, "ne\u0301e": true, strings.Repeat("ż", 50): true, "名前": true,
		"J": false, "": false, strings.Repeat("n", 51): false, " Jo": false, "Jo ": false, ".Jo": false, "\u0301Jo": false, "J\to": false,
		"Jo\n": false, "J\xffo": false, "J<o": false, "J\u202eo": false, "J😀o": false,
	} {
		err := macaroon.ValidateFullName(name)
		assert.Equal(t, good, err == nil, "%q", name)
		if !good {
			requireID(t, errors.IDBadValueFullName, err)
		}
	}
	for text, good := range map[string]bool{"12345678": true, "żżżżżżżż": true, "1234567": false, "żżżż": false, "\xff\xff\xff\xff\xff\xff\xff\xff": false} {
		assert.Equal(t, good, macaroon.ValidatePassword(text) == nil, "%q", text)
	}
}

// Hashes of the original Onezone, and hashes with more iterations than the
// default, are accepted. Weak hashes are replaced when the password is known.
func TestHashesWithOtherIterations(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	ctx := t.Context()
	salt := strings.Repeat("s.$\xff", 8)
	derive := func(iterations int) string {
		hash, err := pbkdf2.Key(sha512.New, password, []byte(salt), iterations, 32)
		require.NoError(t, err)
		return string(hash)
	}
	today := func(iterations int64, hash string) string {
		encode := base64.RawURLEncoding.EncodeToString
		return fmt.Sprintf("pbkdf2-sha512$%d$%s$%s", iterations, encode([]byte(salt)), encode([]byte(hash)))
	}
	user := func(name, stored string) {
		require.NoError(t, z.store.CreateIdentity(ctx, store.Identity{
			Subject: caveat.User(name), Username: name, Password: store.NewSecret(stored),
		}))
	}
	hashOf := func(name string) string {
		i, err := z.store.GetIdentity(ctx, caveat.User(name))
		require.NoError(t, err)
		return i.Password.Reveal()
	}
	original, strong := salt+"."+derive(2048), today(210_001, derive(210_001))
	user("original", original)
	user("strong", strong)
	user("weak", today(1000, derive(1000)))
	_, err := z.LogIn(ctx, "original", "not "+password)
	requireID(t, errors.IDBadBasicCredentials, err)
	assert.Equal(t, original, hashOf("original"), "a wrong password changes nothing")
	for _, name := range []string{"original", "strong", "weak"} {
		_, err := z.LogIn(ctx, name, password)
		require.NoError(t, err)
		assert.Equal(t, name == "strong", hashOf(name) == strong)
		assert.True(t, strings.HasPrefix(hashOf(name), "pbkdf2-sha512$2"), "upgraded")
	}
	_, err = z.LogIn(ctx, "weak", password)
	require.NoError(t, err)

	// A hash that cannot be parsed is an operational error, and the log-in
	// fails.
	for i, stored := range []string{
		"x", password, today(0, derive(1)), today(-5, derive(1)), today(1<<40, derive(1)), today(1000, "short"), today(1000, ""),
		"pbkdf2-sha512$1000$!$!", "md5$1000$AA$AA", "pbkdf2-sha512$1000$AA", salt + "," + derive(2048), salt + "." + derive(2048) + "x",
	} {
		name := fmt.Sprintf("bad%d", i)
		user(name, stored)
		_, err := z.LogIn(ctx, name, password)
		requireOperational(t, err)
		assert.NotContains(t, err.Error(), stored)
	}
}

func TestUserReturnsTheStoredFields(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	user, err := z.CreateUser(t.Context(), macaroon.NewUser{ID: "u-eve", Username: "eve", FullName: "Eve", Password: "a long passphrase"})
	require.NoError(t, err)
	require.NoError(t, z.SetBlocked(t.Context(), user, true))
	got, err := z.User(t.Context(), user)
	require.NoError(t, err)
	require.Equal(t, macaroon.User{Subject: user, Username: "eve", FullName: "Eve", HasPassword: true, Blocked: true, Created: start.UTC()}, got)
	_, err = z.User(t.Context(), caveat.User("nobody-of-that-id"))
	requireID(t, errors.IDNotFound, err)
}
