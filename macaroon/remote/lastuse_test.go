package remote_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/store"
)

func TestAccountReadsTheLastUse(t *testing.T) {
	t.Parallel()
	o := macaroontest.NewRemote(t, macaroontest.WithAuthority(macaroon.WithLastUse(macaroon.LastUse{})))
	alice := connect(t, o.Origin, remote.WithClock(o.Clock.Now)).As(remote.ByPassword(macaroontest.AliceName, macaroontest.Password))
	token := o.TokenNamed("laptop")
	n, err := alice.Get(t.Context(), token.ID())
	require.NoError(t, err)
	require.Equal(t, &store.Use{}, n.LastUse, "it was not used yet")
	later := o.Clock.Now().Add(time.Hour)
	require.True(t, n.UnusedSince(later))

	use := store.Use{TokenID: token.ID(), At: 1_700_000_040, Address: "192.0.2.0/24", Interface: "rest", Count: 1 << 50}
	require.NoError(t, o.Store.RecordUses(t.Context(), []store.Use{use}))
	n, err = alice.GetByName(t.Context(), caveat.Subject{}, "laptop")
	require.NoError(t, err)
	require.Equal(t, &use, n.LastUse)
}

// At an Onezone that records no uses, no token looks unused.
func TestAccountKnowsNoLastUseOfAnotherOnezone(t *testing.T) {
	t.Parallel()
	o, _, alice, _, _ := newAccounts(t)
	n, err := alice.Get(t.Context(), o.TokenNamed("laptop").ID())
	require.NoError(t, err)
	require.Nil(t, n.LastUse)
	require.False(t, n.UnusedSince(o.Clock.Now().Add(1000*time.Hour)))
}

func TestAccountRejectsALastUseThatIsNone(t *testing.T) {
	t.Parallel()
	o := macaroontest.NewRemote(t)
	token := o.TokenNamed("laptop")
	for _, use := range []string{`7`, `"never"`, `{"time":"yesterday"}`} {
		body := `{"name":"laptop","subject":{"type":"user","id":"u-alice"},"token":"` + token.String() + `","metadata":{},"lastUse":` + use + `}`
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		defer server.Close()
		_, err := connect(t, server.URL).As(remote.Credentials{}).Get(t.Context(), token.ID())
		require.Error(t, err, use)
	}
}
