package readme

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

type projectKey struct{}

// project is the caveat "project = NAME". It holds for requests about the project.
var project = caveat.Kind{
	Name: "project",
	Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
		return ctx.Value(projectKey{}) == value, nil
	},
}

// inProject puts into the context what the caveat is compared with. It goes in
// front of rest.Authenticate, which decides the caveat.
func inProject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), projectKey{}, r.PathValue("project"))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// serveBuilds lets tokens be limited to one project.
func serveBuilds(records store.Store, builds http.Handler) (*macaroon.Authority, http.Handler, error) {
	vocabulary, err := caveat.NewVocabulary(project)
	if err != nil {
		return nil, nil, err
	}
	authority, err := macaroon.NewAuthority(records, macaroon.WithVocabulary(vocabulary))
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{project}/builds", inProject(rest.Authenticate(authority)(rest.RequireClient()(builds))))
	return authority, mux, nil
}

// confineToProject returns a copy of a token for one project. Onezone's own
// caveats and those of a vocabulary are added together, and a misspelled name is
// an error. New tokens take the same caveat in macaroon.Grant.
func confineToProject(v *caveat.Vocabulary, token macaroon.Token, name string) (macaroon.Token, error) {
	only, err := v.New("project", name)
	if err != nil {
		return macaroon.Token{}, err
	}
	return token.ConfineIn(v, only, caveat.REST)
}

func TestCaveatsOfTheApplication(t *testing.T) {
	t.Parallel()
	records := memory.New()
	defer func() { require.NoError(t, records.Close()) }()
	builds := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "built") })
	authority, handler, err := serveBuilds(records, builds)
	require.NoError(t, err)
	carol, err := authority.CreateUser(t.Context(), macaroon.NewUser{ID: "carol"})
	require.NoError(t, err)
	token, err := authority.IssueNamed(t.Context(), "builds", macaroon.Grant{Subject: carol, Type: macaroon.AccessToken()})
	require.NoError(t, err)
	only42, err := confineToProject(authority.Vocabulary(), token, "42")
	require.NoError(t, err)
	macaroontest.AssertStatus(t, macaroontest.Get(t, handler, "/42/builds", only42), http.StatusOK)
	macaroontest.AssertError(t, macaroontest.Get(t, handler, "/43/builds", only42), errors.IDTokenCaveatUnverified)
	macaroontest.AssertStatus(t, macaroontest.Get(t, handler, "/43/builds", token), http.StatusOK)
	_, err = confineToProject(nil, token, "42")
	macaroontest.AssertErrorID(t, err, errors.IDBadValueCaveat)
}
