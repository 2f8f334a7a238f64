package readme

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/memory"
)

type projectKey struct{}

func projectOf(ctx context.Context) string {
	project, _ := ctx.Value(projectKey{}).(string)
	return project
}

// speaking returns an authority that knows a caveat of the application.
func speaking() (*macaroon.Authority, error) {
	vocabulary, err := caveat.NewVocabulary(caveat.Kind{
		Name: "project", // "project = 42"
		Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
			return value == projectOf(ctx), nil
		},
	})
	if err != nil {
		return nil, err
	}
	authority, err := macaroon.NewAuthority(memory.New(), macaroon.WithVocabulary(vocabulary))
	return authority, err
}

func TestCaveatsOfTheApplication(t *testing.T) {
	t.Parallel()
	authority, err := speaking()
	require.NoError(t, err)
	carol, err := authority.CreateUser(t.Context(), macaroon.NewUser{ID: "carol"})
	require.NoError(t, err)
	only42, err := authority.Vocabulary().New("project", "42")
	require.NoError(t, err)
	token, err := authority.Issue(t.Context(), macaroon.Grant{
		Subject: carol, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{only42, caveat.Until(time.Now().Add(time.Hour))},
	})
	require.NoError(t, err)
	_, err = authority.VerifyAccess(context.WithValue(t.Context(), projectKey{}, "42"), token.String(), caveat.Request{})
	require.NoError(t, err)
	_, err = authority.VerifyAccess(context.WithValue(t.Context(), projectKey{}, "43"), token.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
}
