package macaroon_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// verified returns the Auth of an access token.
func (z *zone) verified(t testing.TB, token macaroon.Token) *macaroon.Auth {
	t.Helper()
	auth, err := z.VerifyAccess(t.Context(), token.String(), everywhere("1.2.3.4"))
	require.NoError(t, err)
	return &auth
}

// The end of a log-in is not inherited: its client acts like one with the
// password.
func TestLogInTokenStandsForALogIn(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token, err := z.IssueLogIn(t.Context(), alice, z.Now())
	require.NoError(t, err)
	require.Equal(t, []string{caveat.Until(start.Add(macaroon.LogInTTL)).String()}, token.Caveats())
	auth := z.verified(t, token)
	since, ok := auth.LogIn()
	require.True(t, ok)
	require.Equal(t, start.Unix(), since.Unix())
	require.False(t, auth.IsConfined())

	year := caveat.Until(start.AddDate(1, 0, 0))
	created, err := z.IssueNamed(t.Context(), "laptop", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{year}, Parent: auth,
	})
	require.NoError(t, err)
	require.Equal(t, []string{year.String()}, created.Caveats())

	z.advance(macaroon.LogInTTL)
	_, err = z.VerifyAccess(t.Context(), token.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
}

func TestLogInEndsWithTheTemporaryTokens(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token, err := z.IssueLogIn(t.Context(), alice, z.Now())
	require.NoError(t, err)
	require.NoError(t, z.RevokeTemporary(t.Context(), alice))
	_, err = z.VerifyAccess(t.Context(), token.String(), everywhere("1.2.3.4"))
	require.ErrorIs(t, err, errors.IDTokenRevoked)
}

// Law 11: a copy of a log-in token with more caveats, or a token with the id of
// one in another place, does not escape its confinement.
func TestOnlyTheWholeLogInTokenIsALogIn(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	logIn, err := z.IssueLogIn(t.Context(), alice, z.Now())
	require.NoError(t, err)
	hour := caveat.Until(start.Add(time.Hour)).String()
	temporary, err := z.Issue(t.Context(), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.MustParse(hour)}})
	require.NoError(t, err)
	named, err := z.IssueNamed(t.Context(), "login-1600000000-0", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	require.NoError(t, err)
	// A record that somebody else has written may have any id.
	record, err := z.Get(t.Context(), named.ID())
	require.NoError(t, err)
	imported := store.Token{
		ID: "login-1600000000-0", Name: "imported", Version: 2, Subject: alice, Type: record.Type().String(), Caveats: []string{hour}, Secret: secret, Created: start.Unix(),
	}
	_, err = z.store.CreateToken(t.Context(), imported, 0)
	require.NoError(t, err)
	other, err := z.Get(t.Context(), imported.ID)
	require.NoError(t, err)
	for _, c := range []struct {
		name     string
		token    macaroon.Token
		confined bool
	}{
		{"with another time", confineText(t, logIn, hour), true},
		{"with another caveat", confineText(t, logIn, "ip = 1.2.3.4"), true},
		{"a temporary token", temporary, true},
		{"a named token", named, false},
		{"a named token with such an id", other.Token, true},
	} {
		auth := z.verified(t, c.token)
		_, ok := auth.LogIn()
		require.False(t, ok, c.name)
		require.Equal(t, c.confined, auth.IsConfined(), c.name)
		created, err := z.IssueNamed(t.Context(), "of "+c.name, macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Parent: auth})
		require.NoError(t, err)
		require.Equal(t, c.token.Caveats(), created.Caveats(), c.name)
	}
	_, ok := macaroon.Auth{TokenID: logIn.ID()}.LogIn()
	require.False(t, ok, "of no verified token")
}

func TestLogInIsContinuedForSomeHoursOnly(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.advance(macaroon.MaxLogIn)
	token, err := z.IssueLogIn(t.Context(), alice, start)
	require.NoError(t, err)
	since, ok := z.verified(t, token).LogIn()
	require.True(t, ok)
	require.Equal(t, start.Unix(), since.Unix())
	for _, since := range []time.Time{start.Add(-time.Second), z.Now().Add(time.Minute)} {
		_, err = z.IssueLogIn(t.Context(), alice, since)
		require.ErrorIs(t, err, errors.IDForbidden)
	}
}

func TestLogInTokenKeepsTheLimitOfTemporaryTokens(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMaxTemporaryTTL(time.Minute))
	token, err := z.IssueLogIn(t.Context(), alice, z.Now())
	require.NoError(t, err)
	require.Equal(t, []string{caveat.Until(start.Add(time.Minute)).String()}, token.Caveats())
	_, err = z.IssueLogIn(t.Context(), caveat.User("u-stranger"), z.Now())
	require.ErrorIs(t, err, errors.IDTokenSubjectInvalid)
}
