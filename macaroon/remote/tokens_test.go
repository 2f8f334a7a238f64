package remote_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// admin has the rights on the tokens of all subjects.
type admin struct{ macaroontest.Everybody }

func (admin) ManagesTokens(_ context.Context, user caveat.Subject) (bool, error) {
	return user.ID == "u-bob", nil
}
func (admin) UpdatesCluster(context.Context, caveat.Subject, string) (bool, error) { return false, nil }

// inviters lets everybody invite to the space s1.
type inviters struct{}

func (inviters) CheckInvitation(_ context.Context, i macaroon.Invitation) error {
	if i.Target != "s1" {
		return errors.InviteTokenTargetIDInvalid(i.Target)
	}
	return nil
}

// newAccounts returns an Onezone with a client, and the accounts of Alice, of
// Bob, who manages all tokens, and of nobody.
func newAccounts(t *testing.T, options ...remote.Option) (o *macaroontest.Remote, c *remote.Client, alice, bob, nobody *remote.Account) {
	t.Helper()
	o = macaroontest.NewRemote(t, macaroontest.WithAPI(rest.WithRights(admin{})),
		macaroontest.WithAuthority(macaroon.WithInviters(inviters{})))
	c = connect(t, o.Origin, append([]remote.Option{remote.WithClock(o.Clock.Now)}, options...)...)
	bobs := o.TokenOf(o.Bob, macaroon.AccessToken())
	return o, c, c.As(remote.ByPassword(macaroontest.AliceName, macaroontest.Password)),
		c.As(remote.ByToken(remote.StaticToken(bobs))), c.As(remote.Credentials{})
}

// requireRefused requires an error of the catalogue with the id and status,
// which is what Onezone answered.
func requireRefused(t *testing.T, err error, id errors.ID, status int) *errors.Error {
	t.Helper()
	e, ok := err.(*errors.Error)
	require.True(t, ok, "%T: %v", err, err)
	require.Equal(t, id, e.ID)
	require.Equal(t, status, e.HTTPStatus())
	return e
}

func TestAccountIssuesNamedTokens(t *testing.T) {
	t.Parallel()
	o, c, alice, bob, nobody := newAccounts(t)
	caveats := []caveat.Caveat{caveat.REST, caveat.MustParse("ip = 10.0.0.0/8")}
	token, err := alice.IssueNamed(t.Context(), "laptop", macaroon.Grant{
		Type: macaroon.IdentityToken(), Caveats: caveats, Custom: json.RawMessage(`{"a":1}`), Revoked: true,
	})
	require.NoError(t, err)
	require.Equal(t, []string{"interface = rest", "ip = 10.0.0.0/8"}, token.Caveats())
	n, err := alice.Get(t.Context(), token.ID())
	require.NoError(t, err)
	kept, err := o.Authority.Get(t.Context(), token.ID())
	require.NoError(t, err)
	require.Equal(t, kept, n, "Get returns what the Authority does")
	require.Equal(t, "laptop", n.Name)
	require.True(t, n.Revoked)
	require.JSONEq(t, `{"a":1}`, string(n.Custom))
	n, err = alice.GetByName(t.Context(), caveat.Subject{}, "laptop")
	require.NoError(t, err)
	require.Equal(t, kept, n)

	invite, err := alice.IssueNamed(t.Context(), "invitation", macaroon.Grant{
		Type: macaroon.InviteToken(macaroon.UserJoinSpace, "s1"), UsageLimit: 3, Privileges: []string{"space_view"},
	})
	require.NoError(t, err)
	n, err = alice.Get(t.Context(), invite.ID())
	require.NoError(t, err)
	kept, err = o.Authority.Get(t.Context(), invite.ID())
	require.NoError(t, err)
	require.Equal(t, kept, n)
	require.EqualValues(t, 3, n.UsageLimit)
	auth, err := c.VerifyInvite(t.Context(), invite.String(), macaroon.UserJoinSpace, caveat.Request{})
	require.NoError(t, err)
	require.Equal(t, o.Alice, auth.Subject)

	plain, err := alice.IssueNamed(t.Context(), "plain one", macaroon.Grant{})
	require.NoError(t, err)
	require.Equal(t, macaroon.AccessToken(), plain.Type())
	others, err := bob.IssueNamed(t.Context(), "of a oneprovider", macaroon.Grant{Subject: o.Provider})
	require.NoError(t, err)
	require.Equal(t, o.Provider, others.Subject())

	_, err = alice.IssueNamed(t.Context(), "laptop", macaroon.Grant{})
	e := requireRefused(t, err, errors.IDBadValueIdentifierOccupied, http.StatusBadRequest)
	require.Equal(t, "name", e.Details["key"])
	_, err = alice.IssueNamed(t.Context(), "", macaroon.Grant{})
	requireRefused(t, err, errors.IDBadValueName, http.StatusBadRequest)
	_, err = alice.IssueNamed(t.Context(), "another", macaroon.Grant{Type: macaroon.InviteToken(macaroon.UserJoinSpace, "s2")})
	require.Equal(t, "s2", requireRefused(t, err, errors.IDInviteTokenTargetIDInvalid, http.StatusBadRequest).Details["id"])
	_, err = alice.IssueNamed(t.Context(), "another", macaroon.Grant{Subject: o.Bob})
	requireRefused(t, err, errors.IDForbidden, http.StatusForbidden)
	_, err = alice.IssueNamed(t.Context(), "another", macaroon.Grant{Parent: new(macaroon.Auth)})
	requireRefused(t, err, errors.IDBadData, http.StatusBadRequest)
	_, err = nobody.IssueNamed(t.Context(), "another", macaroon.Grant{})
	requireRefused(t, err, errors.IDUnauthorized, http.StatusUnauthorized)
}

func TestAccountIssuesTemporaryTokens(t *testing.T) {
	t.Parallel()
	o, _, alice, _, _ := newAccounts(t)
	until := caveat.Until(o.Clock.Now().Add(time.Minute))
	token, err := alice.Issue(t.Context(), macaroon.Grant{Type: macaroon.IdentityToken(), Caveats: []caveat.Caveat{until}})
	require.NoError(t, err)
	require.Equal(t, macaroon.IdentityToken(), token.Type())
	require.EqualValues(t, 1, token.Generation())

	_, err = alice.Issue(t.Context(), macaroon.Grant{})
	e := requireRefused(t, err, errors.IDTokenTimeCaveatRequired, http.StatusBadRequest)
	require.EqualValues(t, 604800, e.Details["maxTtl"])
	_, err = alice.Issue(t.Context(), macaroon.Grant{Custom: json.RawMessage(`{}`)})
	requireRefused(t, err, errors.IDBadData, http.StatusBadRequest)
}

func TestAccountRevokesTemporaryTokens(t *testing.T) {
	t.Parallel()
	o, _, alice, bob, _ := newAccounts(t)
	n, err := alice.TemporaryGeneration(t.Context(), caveat.Subject{})
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.NoError(t, alice.RevokeTemporary(t.Context(), caveat.Subject{}))
	require.NoError(t, bob.RevokeTemporary(t.Context(), o.Alice))
	n, err = bob.TemporaryGeneration(t.Context(), o.Alice)
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
	requireRefused(t, alice.RevokeTemporary(t.Context(), o.Provider), errors.IDForbidden, http.StatusForbidden)
}

func TestAccountChangesNamedTokens(t *testing.T) {
	t.Parallel()
	o, _, alice, bob, nobody := newAccounts(t)
	id := o.TokenNamed("old name").ID()
	for _, account := range []*remote.Account{alice, bob} {
		require.NoError(t, account.Revoke(t.Context(), id))
		revoked, err := account.IsRevoked(t.Context(), id)
		require.NoError(t, err)
		require.True(t, revoked)
		require.NoError(t, account.Restore(t.Context(), id))
		revoked, err = account.IsRevoked(t.Context(), id)
		require.NoError(t, err)
		require.False(t, revoked)
	}
	name := "new name"
	require.NoError(t, alice.Update(t.Context(), id, macaroon.Change{Name: &name, Custom: json.RawMessage(`{"b":2}`)}))
	n, err := o.Authority.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, name, n.Name)
	require.JSONEq(t, `{"b":2}`, string(n.Custom))

	requireRefused(t, alice.Update(t.Context(), id, macaroon.Change{}), errors.IDMissingAtLeastOneValue, http.StatusBadRequest)
	bobs := o.TokenOf(o.Bob, macaroon.AccessToken()).ID()
	requireRefused(t, alice.Revoke(t.Context(), bobs), errors.IDForbidden, http.StatusForbidden)
	requireRefused(t, bob.Revoke(t.Context(), "nothing"), errors.IDNotFound, http.StatusNotFound)
	requireRefused(t, nobody.Revoke(t.Context(), id), errors.IDUnauthorized, http.StatusUnauthorized)

	require.NoError(t, alice.Delete(t.Context(), id))
	_, err = o.Authority.Get(t.Context(), id)
	require.ErrorIs(t, err, errors.IDNotFound)
	requireRefused(t, bob.Delete(t.Context(), id), errors.IDNotFound, http.StatusNotFound)
}

func TestAccountListsAndDeletesAll(t *testing.T) {
	t.Parallel()
	o, _, alice, bob, nobody := newAccounts(t)
	ids, err := alice.IDs(t.Context(), caveat.Subject{})
	require.NoError(t, err)
	require.Empty(t, ids)
	var want []string
	for i := range 3 {
		o.Clock.Advance(time.Second)
		want = append(want, o.TokenNamed(fmt.Sprintf("token no %d", i)).ID())
	}
	for _, list := range []func() ([]string, error){
		func() ([]string, error) { return alice.IDs(t.Context(), caveat.Subject{}) },
		func() ([]string, error) { return bob.IDs(t.Context(), o.Alice) },
	} {
		ids, err = list()
		require.NoError(t, err)
		require.Equal(t, want, ids)
	}
	ids, err = bob.AllIDs(t.Context())
	require.NoError(t, err)
	require.Len(t, ids, 4, "and that of Bob")
	_, err = alice.AllIDs(t.Context())
	requireRefused(t, err, errors.IDForbidden, http.StatusForbidden)
	_, err = nobody.AllIDs(t.Context())
	requireRefused(t, err, errors.IDUnauthorized, http.StatusUnauthorized)

	require.NoError(t, alice.DeleteAll(t.Context(), caveat.Subject{}))
	ids, err = bob.AllIDs(t.Context())
	require.NoError(t, err)
	require.Len(t, ids, 1)
}

func TestAccountListsAHundredThousandTokens(t *testing.T) {
	t.Parallel()
	o, _, alice, _, _ := newAccounts(t)
	const n = 100_000
	records := make([]store.Record, n)
	for i := range records {
		id := fmt.Sprintf("%032x-and-a-suffix", i)
		records[i].Token = &store.Token{
			ID: id, Name: id, Version: 2, Subject: o.Alice, Type: "act", Secret: store.NewSecret("x"), Created: int64(i),
		}
	}
	require.NoError(t, o.Store.Import(t.Context(), records))
	ids, err := alice.IDs(t.Context(), caveat.Subject{})
	require.NoError(t, err)
	require.Len(t, ids, n)
	require.Equal(t, records[0].Token.ID, ids[0])
	require.Equal(t, records[n-1].Token.ID, ids[n-1])
}

func TestAccountDescribesItsUser(t *testing.T) {
	t.Parallel()
	o, _, alice, bob, nobody := newAccounts(t)
	for account, user := range map[*remote.Account]caveat.Subject{alice: o.Alice, bob: o.Bob} {
		u, err := account.CurrentUser(t.Context())
		require.NoError(t, err)
		kept, err := o.Authority.User(t.Context(), user)
		require.NoError(t, err)
		require.Equal(t, kept, u)
	}
	_, err := nobody.CurrentUser(t.Context())
	requireRefused(t, err, errors.IDUnauthorized, http.StatusUnauthorized)
}

func TestClientExaminesTokens(t *testing.T) {
	t.Parallel()
	o, c, _, _, _ := newAccounts(t)
	content, err := c.Examine(t.Context(), o.Temporary(caveat.REST))
	require.NoError(t, err)
	require.True(t, content.Temporary)
	require.Equal(t, o.Alice, content.Subject)
	require.Equal(t, macaroon.AccessToken(), content.Type)
	require.Equal(t, "onezone", content.Domain)
	require.Len(t, content.Caveats, 2)
	require.Equal(t, caveat.REST, content.Caveats[1])

	unknown := o.WithUnknownCaveat()
	content, err = c.Examine(t.Context(), unknown)
	require.NoError(t, err)
	require.False(t, content.Temporary)
	require.Equal(t, unknown.ID(), content.ID)
	require.Equal(t, []caveat.Caveat{caveat.Unknown("moon = full")}, content.Caveats)
	_, err = c.Examine(t.Context(), macaroon.Token{})
	requireRefused(t, err, errors.IDBadToken, http.StatusBadRequest)
}

func TestClientConfinesTokens(t *testing.T) {
	t.Parallel()
	o, c, _, _, _ := newAccounts(t)
	token := o.Token(caveat.REST)
	confined, err := c.Confine(t.Context(), token, caveat.MustParse("ip = 10.0.0.0/8"))
	require.NoError(t, err)
	require.Equal(t, []string{"interface = rest", "ip = 10.0.0.0/8"}, confined.Caveats())
	same, err := c.Confine(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, token.String(), same.String())

	_, err = c.Confine(t.Context(), token, caveat.MustParse("service = opw-p-krakow"))
	requireRefused(t, err, errors.IDTokenServiceForbidden, http.StatusBadRequest)
	_, err = c.Confine(t.Context(), token, caveat.Time{ValidUntil: -1})
	requireRefused(t, err, errors.IDBadValueCaveat, http.StatusBadRequest)
}

// Errors keep the id, the details and the description of Onezone.
func TestAccountKeepsTheDescriptionOfOnezone(t *testing.T) {
	t.Parallel()
	o, _, alice, _, _ := newAccounts(t)
	for sent, kept := range map[string]bool{
		"The name is not free.": true, "two\nlines": false, "": false, strings.Repeat("x", 2000): false,
		macaroontest.Password + " is wrong": false,
	} {
		body, err := json.Marshal(map[string]any{"error": map[string]any{
			"id": "badValueIdentifierOccupied", "details": map[string]any{"key": "name"}, "description": sent,
		}})
		require.NoError(t, err)
		o.Behave(macaroontest.Behavior{Status: http.StatusBadRequest, Body: string(body)})
		_, err = alice.IssueNamed(t.Context(), "laptop", macaroon.Grant{})
		e := requireRefused(t, err, errors.IDBadValueIdentifierOccupied, http.StatusBadRequest)
		require.Equal(t, "name", e.Details["key"])
		require.NotEmpty(t, e.Description)
		require.Equal(t, kept, e.Description == sent, sent)
	}
	token := o.Token()
	o.Behave(macaroontest.Behavior{Status: http.StatusUnauthorized, Body: `{"error":{"id":"unauthorized","description":"bad: ` + token.String() + `"}}`})
	c := connect(t, o.Origin, remote.WithDomains("onezone"))
	_, err := c.As(remote.ByToken(remote.StaticToken(token))).CurrentUser(t.Context())
	requireRefused(t, err, errors.IDUnauthorized, http.StatusUnauthorized)
	require.NotContains(t, err.Error(), token.String())
}

// A token of another Onezone is never sent, as the subject of a call or as
// credentials.
func TestTokensOfOthersAreNotSentToTheTokenAPI(t *testing.T) {
	t.Parallel()
	o, c, _, _, _ := newAccounts(t)
	foreign := macaroontest.New(t, macaroon.WithDomain("zone.example.com")).Token()
	_, err := c.Examine(t.Context(), foreign)
	requireRefused(t, err, errors.IDTokenInvalid, http.StatusBadRequest)
	_, err = c.Confine(t.Context(), foreign, caveat.REST)
	requireRefused(t, err, errors.IDTokenInvalid, http.StatusBadRequest)
	_, err = c.As(remote.ByToken(remote.StaticToken(foreign))).CurrentUser(t.Context())
	requireRefused(t, err, errors.IDTokenInvalid, http.StatusBadRequest)
	require.Len(t, o.Requests(""), len(o.Requests("/configuration")))
}

// An id must not change which resource a call is about.
func TestAccountEscapesIDs(t *testing.T) {
	t.Parallel()
	o, _, _, bob, _ := newAccounts(t)
	before := len(o.Requests(""))
	for _, id := range []string{"", ".", ".."} {
		requireRefused(t, bob.Delete(t.Context(), id), errors.IDNotFound, http.StatusNotFound)
		_, err := bob.GetByName(t.Context(), o.Alice, id)
		requireRefused(t, err, errors.IDNotFound, http.StatusNotFound)
		requireRefused(t, bob.DeleteAll(t.Context(), caveat.User(id)), errors.IDNotFound, http.StatusNotFound)
	}
	requireRefused(t, bob.DeleteAll(t.Context(), caveat.Nobody()), errors.IDNotFound, http.StatusNotFound)
	requireRefused(t, bob.DeleteAll(t.Context(), caveat.Group("g1")), errors.IDNotFound, http.StatusNotFound)
	require.Len(t, o.Requests(""), before, "nothing is sent")
	for _, id := range []string{"../named", "a/b", "a?b=c", "a#b", "a%2Fb", "żółw", "a b"} {
		requireRefused(t, bob.Delete(t.Context(), id), errors.IDNotFound, http.StatusNotFound)
		require.Equal(t, "/tokens/named/"+id, o.Requests("")[len(o.Requests(""))-1].Path)
	}
}

func TestAccountOutages(t *testing.T) {
	t.Parallel()
	for name, fault := range macaroontest.Faults() {
		if name == "204" || fault.Status == http.StatusOK && strings.HasPrefix(fault.Body, `{"`) || fault.Status == http.StatusTooManyRequests {
			continue // successes for some calls; 429 has its own test
		}
		o, _, alice, _, _ := newAccounts(t)
		o.Behave(fault)
		_, err := alice.CurrentUser(t.Context())
		if strings.HasPrefix(fault.Body, `{"error":{"id":"unauthorized"`) {
			requireRefused(t, err, errors.IDUnauthorized, http.StatusUnauthorized)
			continue
		}
		requireOperational(t, err)
	}
	o, c, alice, _, _ := newAccounts(t)
	token := o.Token()
	o.Stop()
	requireOperational(t, alice.Revoke(t.Context(), "x"))
	_, err := c.Examine(t.Context(), token)
	requireOperational(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, alice.Revoke(ctx, "x"), context.Canceled)
	_, err = c.Examine(ctx, token)
	require.ErrorIs(t, err, context.Canceled)
}

// Calls that change nothing are repeated; others may have had an effect.
func TestAccountRepeatsOnlyCallsThatChangeNothing(t *testing.T) {
	t.Parallel()
	o, _, alice, _, _ := newAccounts(t)
	o.Behave(macaroontest.Behavior{Reset: true}, macaroontest.Behavior{})
	_, err := alice.CurrentUser(t.Context())
	require.NoError(t, err)
	require.Len(t, o.Requests("/user"), 2)
	for path, change := range map[string]func() error{
		"/user/tokens/named": func() error {
			_, err := alice.IssueNamed(t.Context(), "laptop", macaroon.Grant{})
			return err
		},
		"/tokens/named/x":        func() error { return alice.Delete(t.Context(), "x") },
		"/user/tokens/temporary": func() error { return alice.RevokeTemporary(t.Context(), caveat.Subject{}) },
	} {
		o.Behave(macaroontest.Unavailable(), macaroontest.Behavior{})
		requireOperational(t, change())
		require.Len(t, o.Requests(path), 1, path)
	}
}

// A call waits as long as Onezone asks for, if the caller has the time.
func TestAccountHonorsRetryAfter(t *testing.T) {
	t.Parallel()
	o, _, alice, _, _ := newAccounts(t)
	o.Behave(macaroontest.TooManyRequests(1), macaroontest.Behavior{})
	began := time.Now()
	_, err := alice.IssueNamed(t.Context(), "laptop", macaroon.Grant{})
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), time.Second)
	require.Len(t, o.Requests("/user/tokens/named"), 2)

	o.Behave(macaroontest.TooManyRequests(30))
	_, err = alice.IssueNamed(t.Context(), "another", macaroon.Grant{})
	requireOperational(t, err)
	wait, ok := operational.RetryAfter(err)
	require.True(t, ok)
	require.Equal(t, 30*time.Second, wait)
	require.Less(t, time.Since(began), 10*time.Second, "it does not wait longer than the timeout")

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	o.Behave(macaroontest.TooManyRequests(1))
	_, err = alice.IssueNamed(ctx, "another", macaroon.Grant{})
	requireOperational(t, err)
}

func TestCredentialsDoNotLeak(t *testing.T) {
	t.Parallel()
	o, _, _, _, _ := newAccounts(t)
	c := connect(t, o.Origin)
	token := o.Token()
	for _, credentials := range []remote.Credentials{
		remote.ByPassword("alice", "the password"), remote.ByToken(remote.StaticToken(token)),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			for _, shown := range []string{fmt.Sprintf(verb, credentials), fmt.Sprintf(verb, c.As(credentials))} {
				require.NotContains(t, shown, "the password")
				require.NotContains(t, shown, token.String())
			}
		}
	}
	failing := func(context.Context) (macaroon.Token, error) { return macaroon.Token{}, errors.New("the file is gone") }
	_, err := c.As(remote.ByToken(failing)).CurrentUser(t.Context())
	requireOperational(t, err)
	require.ErrorContains(t, err, "the file is gone")
}
