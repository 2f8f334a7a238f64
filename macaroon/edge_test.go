package macaroon_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

func TestASessionThatWasNotFoundGivesNoToken(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithSessions(sessions{"": alice}))
	_, err := z.IssueNamed(t.Context(), "session", macaroon.Grant{Subject: alice, Type: macaroon.SessionToken("")})
	requireID(t, errors.IDBadValueTokenType, err)
}

func TestNilArguments(t *testing.T) {
	t.Parallel()
	z := newZone(t, nil, macaroon.WithInviters(openHouse{}))
	token := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{UsageLimit: 1})
	requireID(t, errors.IDBadData, z.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, nil))
	require.NoError(t, z.Consume(t.Context(), token.String(), 0, caveat.Request{Consumer: bob}, accept))
}

func TestAnAuthorityReadsWhatItIssues(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithMaxCaveats(5000), macaroon.WithLimits(macaroon.Limits{MaxCaveats: 1}))
	token, err := z.IssueNamed(t.Context(), "many", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Caveats: make256(5000)})
	require.NoError(t, err)
	_, err = z.Parse(token.String())
	require.NoError(t, err)
}

func TestAnUnreadableRecordIsAnOperationalError(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	require.NoError(t, second(z.store.CreateToken(t.Context(), store.Token{
		ID: "t1", Name: "n1", Type: "zzz", Version: 2, Subject: alice, Secret: secret, Created: 1,
	}, 0)))
	_, err := z.Get(t.Context(), "t1")
	requireOperational(t, err)
	_, _, err = z.List(t.Context(), store.Query{})
	requireOperational(t, err)
}

func TestRevokingTheTokenItselfIsRevoke(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	require.NoError(t, z.RevokeConfined(t.Context(), token))
	n, err := z.Get(t.Context(), token.ID())
	require.NoError(t, err)
	assert.True(t, n.Revoked)
	require.NoError(t, z.Restore(t.Context(), token.ID()))
	require.NoError(t, z.verify(token))
}

func TestConsumersInGroups(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	token := confine(t, z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{}), caveat.MustParse("consumer = grp-family"))
	req := caveat.Request{Consumer: bob, Groups: everyone{}}
	require.NoError(t, z.Consume(t.Context(), token.String(), 0, req, accept))
	req.Groups = nil
	requireID(t, errors.IDTokenCaveatUnverified, z.Consume(t.Context(), token.String(), 0, req, accept))
}

type everyone struct{}

func (everyone) IsMember(context.Context, caveat.Subject, string) (bool, error) { return true, nil }

func TestIDsOfNewUsers(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for _, id := range []string{"*", "null", "self", "a.b", "a,b", "a:b", "a#b", "a|b", "a/b", "a b", "ż", "\u202e"} {
		_, err := z.CreateUser(t.Context(), macaroon.NewUser{ID: id})
		requireID(t, errors.IDBadValueIdentifier, err)
	}
	user, err := z.CreateUser(t.Context(), macaroon.NewUser{ID: "c-4_X"})
	require.NoError(t, err)
	assert.Equal(t, caveat.User("c-4_X"), user)
}

func TestMetadataThatIsNoText(t *testing.T) {
	t.Parallel()
	_, err := newZone(t).IssueNamed(t.Context(), "custom", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(), Custom: json.RawMessage("{\"a\":\"\xff\"}"),
	})
	requireID(t, errors.IDBadValueJSON, err)
}
