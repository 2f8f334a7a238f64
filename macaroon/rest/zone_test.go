package rest_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// everywhere is a directory of users that are not in the store.
type everywhere struct{}

func (everywhere) Holder(context.Context, caveat.Subject) (store.Status, error) {
	return store.HolderActive, nil
}

// A user of another directory is described with the known properties; the
// others are empty.
func TestUserThatTheStoreDoesNotKeepIsDescribed(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithDirectory(everywhere{}))
	handler, err := rest.NewHandler(h.Authority)
	require.NoError(t, err)
	token := h.TokenOf(caveat.User("u-elsewhere"), macaroon.AccessToken())
	res := macaroontest.Request(t, handler, "GET", rest.Prefix+"/user", nil, macaroontest.Bearer(token))
	macaroontest.AssertStatus(t, res, http.StatusOK)
	require.JSONEq(t, `{"userId":"u-elsewhere","fullName":"","username":null,"emails":[],"linkedAccounts":[],"basicAuthEnabled":false,
		"blocked":false,"creationTime":0,"name":"","login":null,"alias":null,"emailList":[]}`, string(res.Body))
}

func TestConfigurationIsThatOfTheOperator(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t, rest.WithoutBasicAuth(), rest.WithConfiguration(rest.Configuration{
		Name: "Example zone", Version: "1.2.3", Build: "abc", IdentityProviders: []string{"google", "github"},
	}))
	res := w.Do(t, restcases.Request{Method: "GET", Path: "/configuration"}).Response
	macaroontest.AssertStatus(t, res, http.StatusOK)
	require.JSONEq(t, `{"name":"Example zone","domain":"onezone.example.com","version":"1.2.3","build":"abc","subdomainDelegationSupported":false,
		"supportedIdPs":[{"id":"google","offlineAccess":false},{"id":"github","offlineAccess":false}],"compatibilityRegistryRevision":0,
		"compatibleOneproviderVersions":[],"availableSpaceTags":{}}`, string(res.Body))
}

// Without Inviters no target of an invitation exists.
func TestInvitationTargetIsUnknownWithoutInviters(t *testing.T) {
	t.Parallel()
	s := macaroontest.NewServer(t)
	const invite = `"type":{"inviteToken":{"inviteType":"userJoinGroup","groupId":"g-1"}}`
	for path, body := range map[string]string{
		"/user/tokens/named":     `{"name":"invitation",` + invite + `}`,
		"/user/tokens/temporary": `{"caveats":[{"type":"time","validUntil":1727784001}],` + invite + `}`,
	} {
		res := s.Do("POST", path, []byte(body), macaroontest.Basic("alice"))
		macaroontest.AssertStatus(t, res, http.StatusBadRequest)
		require.Contains(t, string(res.Body), `"id":"inviteTokenTargetIdInvalid","details":{"id":"g-1"}`)
	}
}
