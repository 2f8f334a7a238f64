package rest_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// observed returns the fixture with another authority, which has the options.
func observed(t *testing.T, options ...macaroon.Option) *restcases.Fixture {
	t.Helper()
	w := restcases.NewFixture(t)
	zone := restcases.Onezone{}
	a, err := macaroon.NewAuthority(w.Store, append([]macaroon.Option{
		macaroon.WithClock(w.Clock.Now), macaroon.WithPasswordIterations(2048), macaroon.WithMemberships(zone),
		macaroon.WithSessions(zone), macaroon.WithInviters(zone), macaroon.WithDomain("onezone.example.com"),
	}, options...)...)
	require.NoError(t, err)
	w.Authority = a
	w.Handler, err = rest.NewHandler(a, rest.WithRights(zone))
	require.NoError(t, err)
	return w
}

// A thief whose token has caveats learns from an explanation that a token is not
// good. If it is a canary of any type, that is a use of it.
func TestAnExplanationThatGivesACanaryAwayIsAUse(t *testing.T) {
	t.Parallel()
	for name, typ := range map[string]macaroon.Type{
		"access": macaroon.AccessToken(), "identity": macaroon.IdentityToken(), "invite": macaroon.InviteToken(macaroon.UserJoinGroup, "g-1"),
	} {
		for _, purpose := range []string{"", "access", "identity", "invite"} {
			alarms := 0
			w := observed(t, macaroon.WithObserver(func(_ context.Context, e macaroon.Event) {
				if e.Kind == macaroon.BaitUsed {
					alarms++
				}
			}))
			canary := w.Named(t, "canary", macaroon.Grant{Subject: restcases.Alice, Type: typ, Bait: store.BaitAlarm})
			thief := client{w, w.By(t, restcases.Alice, caveat.REST)}
			body := map[string]any{"token": canary.String(), "request": map[string]any{"proveIdentity": purpose == "identity"}}
			if purpose != "" {
				body["purpose"] = purpose
			}
			res := thief.do(t, "POST", "/tokens/explain", toJSON(t, body))
			macaroontest.AssertStatus(t, res, http.StatusOK)
			var answer struct{ Error *errors.Error }
			require.NoError(t, json.Unmarshal(res.Body, &answer))
			if errors.Is(answer.Error, errors.IDTokenRevoked) {
				require.Equal(t, 1, alarms, "%s token for the purpose %q: the canary was recognized without an alarm", name, purpose)
			}
		}
	}
}

// Nobody learns from explain and narrow who is in a group. A consumer other than
// the client proves itself with a token, as in a verification.
func TestExplanationsDoNotTellWhoIsInAGroup(t *testing.T) {
	t.Parallel()
	w := observed(t, macaroon.WithGroups(club{}))
	forMembers := func(token macaroon.Token) string {
		confined, err := token.Confine(caveat.Consumers{{Type: caveat.SubjectGroup, ID: "secret"}})
		require.NoError(t, err)
		return confined.String()
	}
	ofBob := w.Named(t, "of Bob", macaroon.Grant{Subject: restcases.Bob, Type: macaroon.AccessToken()})
	alice, bob := client{w, w.By(t, restcases.Alice)}, client{w, w.By(t, restcases.Bob)}
	explain := func(by client, token macaroon.Token, more map[string]any) string {
		body := map[string]any{"token": forMembers(token)}
		maps.Copy(body, more)
		return string(by.do(t, "POST", "/tokens/explain", toJSON(t, body)).Body)
	}
	narrow := func(by client, token macaroon.Token, consumer string) string {
		body := toJSON(t, map[string]any{"token": forMembers(token), "requests": []any{map[string]any{"consumer": consumer}}})
		return string(by.do(t, "POST", "/tokens/narrow", body).Body)
	}
	named := func(consumer string) map[string]any {
		return map[string]any{"request": map[string]any{"consumer": consumer}}
	}
	// Bob is a member, and Mia is not.
	member := explain(alice, w.Laptop, named("usr-u-bob"))
	require.Contains(t, member, `"accepted":false`)
	require.Contains(t, member, `"verdict":"cannotTell"`)
	require.Equal(t, strings.ReplaceAll(member, "u-bob", "u-mia"), explain(alice, w.Laptop, named("usr-u-mia")))
	require.Equal(t, strings.ReplaceAll(narrow(alice, w.Laptop, "usr-u-bob"), "u-bob", "u-mia"), narrow(alice, w.Laptop, "usr-u-mia"))

	// Consumers who prove themselves.
	require.Contains(t, explain(bob, ofBob, nil), `"accepted":true`)
	require.Contains(t, explain(bob, ofBob, named("usr-u-bob")), `"accepted":true`)
	require.Contains(t, narrow(bob, ofBob, "usr-u-bob"), `"caveats":[`)
	require.Contains(t, explain(alice, w.Laptop, nil), `"verdict":"doesNotHold"`)
	proof := w.Named(t, "proof", macaroon.Grant{Subject: restcases.Bob, Type: macaroon.IdentityToken()})
	require.Contains(t, explain(alice, w.Laptop, map[string]any{"consumerToken": proof.String()}), `"accepted":true`)
}

// club is a group checker: Bob is the only member of the group "secret".
type club struct{}

func (club) IsMember(_ context.Context, s caveat.Subject, group string) (bool, error) {
	return s == restcases.Bob && group == "secret", nil
}
