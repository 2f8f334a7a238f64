package remote_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/testdata/vectors"
)

// everySpace gives every user the spaces of a vector, each of which is supported
// by all of its services.
type everySpace struct {
	mu sync.Mutex
	v  vectors.Scope
}

func (e *everySpace) set(v vectors.Scope) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.v = v
}

func (e *everySpace) Spaces(context.Context, caveat.Subject) (spaces []rest.Space, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range e.v.Spaces {
		space := rest.Space{ID: id, Name: "space " + id}
		for _, provider := range e.v.ServiceIDs {
			space.Storages = append(space.Storages, rest.Storage{Provider: provider})
		}
		spaces = append(spaces, space)
	}
	return spaces, nil
}

func (e *everySpace) Provider(_ context.Context, id string) (rest.ProviderInfo, error) {
	return rest.ProviderInfo{Name: "provider " + id}, nil
}

// The vectors about the scope of tokens, asked over the API.
func TestVectorsScopeOverHTTP(t *testing.T) {
	t.Parallel()
	spaces := &everySpace{}
	o := macaroontest.NewRemote(t, macaroontest.WithAPI(rest.WithDataScopes(spaces)))
	o.Clock.Set(time.Unix(1_600_000_000, 0)) // that of the vectors
	c := connect(t, o.Origin, remote.WithClock(o.Clock.Now), remote.WithMaxRate(anyRate))
	all, err := vectors.Read[vectors.Scope]("scope.jsonl")
	require.NoError(t, err)
	asked := 0
	for i, v := range all {
		// The API lists spaces, and cannot say "all". It lists Oneproviders only.
		if slices.Contains(v.Spaces, "*") || expired(t, v.Caveats) {
			continue
		}
		asked++
		t.Run(fmt.Sprintf("scope.jsonl:%d", i+1), func(t *testing.T) {
			spaces.set(v)
			token, err := o.Token().ConfineUnchecked(v.Caveats...)
			require.NoError(t, err)
			scope, err := c.Scope(t.Context(), token.String(), "")
			require.NoError(t, err)
			require.ElementsMatch(t, v.AvailableSpaces, slices.Collect(maps.Keys(scope.Data.Spaces)))
			if len(v.AvailableSpaces) > 0 && v.Service == caveat.OpWorker {
				require.ElementsMatch(t, v.AllowedServiceIDs, slices.Collect(maps.Keys(scope.Data.Providers)))
			}
			require.Equal(t, slices.Contains(v.Caveats, "data.readonly"), scope.Data.Readonly)
		})
	}
	fmt.Printf("scope.jsonl over HTTP: %d of %d vectors\n", asked, len(all))
	require.GreaterOrEqual(t, asked, 100)
}

// expired reports whether one of the caveats has expired at the time of the
// vectors.
func expired(t *testing.T, texts []string) bool {
	t.Helper()
	return slices.ContainsFunc(texts, func(text string) bool {
		c, err := caveat.Parse(text)
		require.NoError(t, err)
		until, ok := c.(caveat.Time)
		return ok && until.ValidUntil <= 1_600_000_000
	})
}
