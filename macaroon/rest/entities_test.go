package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// broken is an application whose look-ups all fail.
type broken struct{ err error }

func (b broken) ManagesTokens(context.Context, caveat.Subject) (bool, error) { return false, b.err }
func (b broken) UpdatesCluster(context.Context, caveat.Subject, string) (bool, error) {
	return false, b.err
}
func (b broken) InProvider(context.Context, caveat.Subject, string) (bool, error) {
	return false, b.err
}
func (b broken) InCluster(context.Context, caveat.Subject, string) (bool, error) { return false, b.err }
func (b broken) Spaces(context.Context, caveat.Subject) ([]rest.Space, error)    { return nil, b.err }
func (b broken) Provider(context.Context, string) (rest.ProviderInfo, error) {
	return rest.ProviderInfo{}, b.err
}

// scopeless knows a space, but not its Oneprovider.
type scopeless struct{ broken }

func (scopeless) Spaces(context.Context, caveat.Subject) ([]rest.Space, error) {
	return []rest.Space{{ID: "s", Storages: []rest.Storage{{Provider: "p"}}}}, nil
}

func TestEntitiesDownAreServiceUnavailable(t *testing.T) {
	t.Parallel()
	b := broken{errDown}
	w := restcases.NewFixture(t, rest.WithRights(b), rest.WithDataScopes(b))
	for _, c := range []struct {
		method, path, body string
		client             caveat.Subject
	}{
		{"GET", "/tokens/named", "", restcases.Ada},
		{"GET", "/tokens/named/absent", "", restcases.Bob},
		{"GET", "/tokens/named/" + w.Laptop.ID(), "", restcases.Bob},
		{"GET", "/tokens/named/" + w.Laptop.ID() + "/status", "", restcases.Krakow},
		{"GET", "/tokens/named/" + w.Transfer.ID(), "", restcases.Olga},
		{"GET", "/tokens/named/" + w.Transfer.ID() + "/status", "", restcases.Mia},
		{"GET", "/users/u-alice/tokens/named", "", restcases.Ada},
		{"GET", "/users/u-alice/tokens/temporary", "", restcases.Krakow},
		{"GET", "/providers/p-krakow/tokens/named", "", restcases.Olga},
		{"DELETE", "/user/client_tokens/" + w.Laptop.String(), "", restcases.Bob},
		{"DELETE", "/user/client_tokens/" + w.Transfer.String(), "", restcases.Olga},
		{"POST", "/tokens/infer_access_token_scope", `{"token":"` + w.Laptop.String() + `"}`, restcases.Alice},
	} {
		x := w.Do(t, restcases.Request{Method: c.method, Path: c.path, Body: c.body, As: w.By(t, c.client)})
		macaroontest.AssertStatus(t, x.Response, http.StatusServiceUnavailable)
		macaroontest.AssertError(t, x.Response, errors.IDServiceUnavailable)
		require.NotContains(t, string(x.Response.Body), leak)
	}
	// Owners do not need the failing look-up.
	x := w.Do(t, restcases.Request{Method: "GET", Path: "/tokens/named/" + w.Laptop.ID(), As: w.By(t, restcases.Alice)})
	macaroontest.AssertStatus(t, x.Response, http.StatusOK)

	w = restcases.NewFixture(t, rest.WithDataScopes(scopeless{b}))
	x = w.Do(t, restcases.Request{Method: "POST", Path: "/tokens/infer_access_token_scope", Body: `{"token":"` + w.Laptop.String() + `"}`})
	macaroontest.AssertError(t, x.Response, errors.IDServiceUnavailable)

	// Errors of the catalogue are answered unchanged.
	w = restcases.NewFixture(t, rest.WithRights(broken{fmt.Errorf("asking: %w", errors.TemporaryFailure())}))
	x = w.Do(t, restcases.Request{Method: "GET", Path: "/tokens/named", As: w.By(t, restcases.Ada)})
	macaroontest.AssertError(t, x.Response, errors.IDTemporaryFailure)
}
