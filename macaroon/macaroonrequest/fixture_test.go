package macaroonrequest_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroonrequest"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// newAuthority returns an authority with a user, alice.
func newAuthority() *macaroon.Authority {
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		panic(err)
	}
	if _, err := authority.CreateUser(context.Background(),
		macaroon.NewUser{Username: "alice", Password: "correct horse battery"}); err != nil {
		panic(err)
	}
	return authority
}

// fixture is a handler behind authentication at the authority of a harness.
type fixture struct {
	*macaroontest.Harness
	http.Handler
}

// newFixture returns a fixture whose handler also issues tokens.
func newFixture(t *testing.T) fixture {
	t.Helper()
	h := macaroontest.New(t)
	return fixture{h, behind(h, macaroonrequest.Options{Authority: h.Authority})}
}

// behind returns the handler behind authentication.
func behind(h *macaroontest.Harness, o macaroonrequest.Options) http.Handler {
	return rest.Authenticate(h.Authority, rest.AllowDataCaveats())(macaroonrequest.New(o))
}

// asking returns the credentials with the media type of requests.
func asking(c macaroontest.Credentials) macaroontest.Credentials {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", macaroonrequest.ContentType)
		c(r)
	}
}

// post posts a body to a path, with the password of alice.
func (f fixture) post(t *testing.T, path, body string) macaroontest.Response {
	t.Helper()
	return f.postAs(t, path, body, macaroontest.Basic(macaroontest.AliceName))
}

func (f fixture) postAs(t *testing.T, path, body string, c macaroontest.Credentials) macaroontest.Response {
	t.Helper()
	return macaroontest.Request(t, f, http.MethodPost, path, body, asking(c))
}

// tokenIn returns the token in an answer, with its texts of caveats.
func tokenIn(t *testing.T, res macaroontest.Response) macaroon.Token {
	t.Helper()
	require.Equal(t, http.StatusOK, res.Status, "%s", res.Body)
	var answer struct{ Macaroon string }
	res.JSON(t, &answer)
	token, err := macaroon.Parse(answer.Macaroon)
	require.NoError(t, err)
	return token
}
