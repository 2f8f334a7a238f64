package rest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

var (
	ruleAlice  = caveat.User("u-alice")
	ruleOlga   = caveat.User("u-olga") // may update the cluster of p-krakow
	ruleMia    = caveat.User("u-mia")  // a member of the cluster of p-krakow
	ruleAda    = caveat.User("u-ada")  // manages all tokens
	ruleKrakow = caveat.Provider("p-krakow")
	ruleLyon   = caveat.Provider("p-lyon")
)

// ruleRights counts its calls.
type ruleRights struct {
	asked int
	err   error
}

func (r *ruleRights) say(yes bool) (bool, error) { r.asked++; return yes && r.err == nil, r.err }

func (r *ruleRights) ManagesTokens(_ context.Context, user caveat.Subject) (bool, error) {
	return r.say(user == ruleAda)
}

func (r *ruleRights) UpdatesCluster(_ context.Context, user caveat.Subject, cluster string) (bool, error) {
	return r.say(user == ruleOlga && cluster == ruleKrakow.ID)
}

func (r *ruleRights) InProvider(_ context.Context, user caveat.Subject, provider string) (bool, error) {
	return r.say(user == ruleAlice && provider == ruleKrakow.ID)
}

func (r *ruleRights) InCluster(_ context.Context, user caveat.Subject, cluster string) (bool, error) {
	return r.say(user == ruleMia && cluster == ruleKrakow.ID)
}

// A rule decides on values alone: it needs no request, handler or store.
func TestRulesDecideWithoutLoading(t *testing.T) {
	t.Parallel()
	nobodyKnown := caveat.Subject{}
	clients := []caveat.Subject{ruleAlice, ruleOlga, ruleMia, ruleAda, ruleKrakow, ruleLyon}
	for _, c := range []struct {
		name   string
		allows rule
		owner  caveat.Subject
		yes    []caveat.Subject
	}{
		{"owner of a user's", isOwner, ruleAlice, []caveat.Subject{ruleAlice}},
		{"owner of a Oneprovider's", isOwner, ruleKrakow, []caveat.Subject{ruleKrakow}},
		{"owner of none", isOwner, nobodyKnown, nil},
		{"manager of all", managesTokens, nobodyKnown, []caveat.Subject{ruleAda}},
		{"manager of a user's", managesOwner, ruleAlice, []caveat.Subject{ruleAlice, ruleAda}},
		{"manager of a Oneprovider's", managesOwner, ruleKrakow, []caveat.Subject{ruleOlga, ruleAda, ruleKrakow}},
		{"manager of none", managesOwner, nobodyKnown, []caveat.Subject{ruleAda}},
		{"observer of a user's", seesRevocation, ruleAlice, []caveat.Subject{ruleAlice, ruleAda, ruleKrakow}},
		{"observer of a Oneprovider's", seesRevocation, ruleKrakow, []caveat.Subject{ruleMia, ruleAda, ruleKrakow}},
		{"observer of none", seesRevocation, nobodyKnown, []caveat.Subject{ruleAda}},
	} {
		var yes []caveat.Subject
		for _, client := range clients {
			allowed, err := c.allows(t.Context(), question{client, c.owner, &ruleRights{}})
			require.NoError(t, err, c.name)
			if allowed {
				yes = append(yes, client)
			}
			allowed, err = c.allows(t.Context(), question{client, c.owner, nil})
			require.NoError(t, err, c.name)
			require.Equal(t, client == c.owner, allowed, "%s: without Rights owners alone may do it", c.name)

			down := &ruleRights{err: errors.New("down")}
			allowed, err = c.allows(t.Context(), question{client, c.owner, down})
			require.Equal(t, client == c.owner, allowed, c.name)
			require.Equal(t, down.asked > 0, err != nil, "%s: an error of Rights is no verdict", c.name)
		}
		require.Equal(t, c.yes, yes, c.name)
	}
}

// A loader finds the target of a request and does not check rights; every route
// with a rule has one. A missing token is a target without an owner and no
// error, so that the rule decides first.
func TestLoadersLoadWithoutDeciding(t *testing.T) {
	t.Parallel()
	s := memory.New()
	require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{Subject: ruleAlice}))
	a, err := macaroon.NewAuthority(s)
	require.NoError(t, err)
	token, err := a.IssueNamed(t.Context(), "laptop", macaroon.Grant{Subject: ruleAlice, Type: macaroon.AccessToken()})
	require.NoError(t, err)
	rights := &ruleRights{}
	h := &handler{config: newConfig(forAPI, a, []Option{WithRights(rights)})}
	for _, rt := range routes() {
		require.Equal(t, rt.rule == nil, rt.load == nil, rt.path)
		if rt.load == nil {
			continue
		}
		for _, client := range []caveat.Subject{ruleAlice, ruleAda, ruleKrakow} {
			r := httptest.NewRequest(rt.method, "/", http.NoBody).WithContext(t.Context())
			r.SetPathValue("id", "absent")
			r.SetPathValue("tid", token.String())
			c := &call{handler: h, r: r, client: Client{Subject: client}}
			got, err := rt.load(c)
			require.Zero(t, c.target, "%s: the caller fills in the call", rt.path)
			ofUsersAlone := rt.path == "/user" || rt.path == "/user/tokens/records" || strings.HasPrefix(rt.path, "/user/client_tokens")
			if ofUsersAlone && client.Type == caveat.SubjectProvider {
				require.ErrorIs(t, err, errors.IDNotFound)
				continue
			}
			require.NoError(t, err, "%s by %v", rt.path, client)
			if strings.HasPrefix(rt.path, "/tokens/named/{id}") {
				require.ErrorIs(t, got.missing, errors.IDNotFound)
				require.Zero(t, got.owner)
			}
		}
	}
	require.Zero(t, rights.asked, "loaders ask for rights")
}
