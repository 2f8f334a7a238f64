package rest_test

import (
	"context"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// everybody may invite.
type everybody struct{}

func (everybody) CheckInvitation(context.Context, macaroon.Invitation) error { return nil }

// Valid credentials without the right to do something leave one event, with who
// tried what on whose token.
func TestEveryDeniedRequestLeavesOneEvent(t *testing.T) {
	t.Parallel()
	var seen trail
	a := newUsers(t, memory.New(), macaroon.WithObserver(seen.observe), macaroon.WithInviters(everybody{}))
	handler, err := rest.NewHandler(a)
	require.NoError(t, err)
	alice, ada := caveat.User("u-alice"), caveat.User("u-ada")
	issue := func(owner caveat.Subject, name string, caveats ...caveat.Caveat) macaroon.Token {
		token, err := a.IssueNamed(t.Context(), name, macaroon.Grant{Subject: owner, Type: macaroon.AccessToken(), Caveats: caveats})
		require.NoError(t, err)
		return token
	}
	mine, others := issue(alice, "mine"), issue(ada, "others")
	confined := issue(alice, "confined", caveat.MustParse("api = all/all/*.*.*:*"))
	const invite = `{"name": "phone", "type": {"inviteToken": {"inviteType": "userJoinGroup", "groupId": "g"}}}`
	for _, c := range []struct {
		name, method, path, body string
		as                       macaroon.Token
		status                   int
		token                    string
		owner                    caveat.Subject
		events                   int
	}{
		{"a list of all tokens", "GET", "/tokens/named", "", mine, 403, "", caveat.Subject{}, 1},
		{"a list of another's tokens", "GET", "/users/u-ada/tokens/named", "", mine, 403, "", ada, 1},
		{"a token for another", "POST", "/users/u-ada/tokens/named", `{"name": "phone"}`, mine, 403, "", ada, 1},
		{"another's temporary tokens", "DELETE", "/users/u-ada/tokens/temporary", "", mine, 403, "", ada, 1},
		{"a Oneprovider's tokens", "GET", "/providers/p/tokens/named", "", mine, 403, "", caveat.Provider("p"), 1},
		{"another's token", "GET", "/tokens/named/" + others.ID(), "", mine, 403, others.ID(), ada, 1},
		{"a change of another's token", "PATCH", "/tokens/named/" + others.ID(), `{"revoked": true}`, mine, 403, others.ID(), ada, 1},
		{"a deletion of another's token", "DELETE", "/tokens/named/" + others.ID(), "", mine, 403, others.ID(), ada, 1},
		{"a token that is not there", "GET", "/tokens/named/none", "", mine, 403, "none", caveat.Subject{}, 1},
		{"a type that cannot be confined", "POST", "/user/tokens/named", invite, confined, 403, "", alice, 1},
		{"one's own token", "GET", "/tokens/named/" + mine.ID(), "", mine, 200, "", caveat.Subject{}, 0},
		{"nobody", "GET", "/tokens/named", "", macaroon.Token{}, 401, "", caveat.Subject{}, 0},
	} {
		seen.events = nil
		res := macaroontest.Request(t, handler, c.method, rest.Prefix+c.path, c.body, func(r *http.Request) {
			r.RemoteAddr = "192.0.2.5:1"
			r.Header.Set("X-Request-Id", "r-1")
			if !c.as.IsZero() {
				r.Header.Set("X-Auth-Token", c.as.String())
			}
		})
		require.Equal(t, c.status, res.Status, "%s: %s", c.name, res.Body)
		var denied []macaroon.Event
		for _, e := range seen.events {
			if e.Kind == macaroon.Denied {
				denied = append(denied, e)
			}
		}
		require.Len(t, denied, c.events, c.name)
		if c.events == 0 {
			continue
		}
		e := denied[0]
		require.ErrorIs(t, e.Err, errors.IDForbidden, c.name)
		require.Equal(t, []any{c.token, c.owner}, []any{e.TokenID, e.Subject}, c.name)
		require.Equal(t, macaroon.Actor{
			Subject: alice, Method: macaroon.ByToken, TokenID: c.as.ID(), Address: netip.MustParseAddr("192.0.2.5"), RequestID: "r-1",
		}, e.Actor, c.name)
	}
	require.Equal(t, "denied", macaroon.Denied.String())
}
