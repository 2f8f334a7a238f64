package rest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// newUsers returns an authority with three users: alice has a password, ada has
// none, and olga is blocked.
func newUsers(t *testing.T, s store.Store, options ...macaroon.Option) *macaroon.Authority {
	t.Helper()
	options = append([]macaroon.Option{macaroon.WithClock(func() time.Time { return macaroontest.Start }), macaroon.WithPasswordIterations(2048)}, options...)
	a, err := macaroon.NewAuthority(s, options...)
	require.NoError(t, err)
	for name, password := range map[string]string{"alice": macaroontest.Password, "ada": "", "olga": macaroontest.Password} {
		user, err := a.CreateUser(t.Context(), macaroon.NewUser{ID: "u-" + name, Username: name, Password: password})
		require.NoError(t, err)
		require.NoError(t, a.SetBlocked(t.Context(), user, name == "olga"))
	}
	return a
}

// logIn sends a name and a password to a handler, from the address.
func logIn(t *testing.T, handler http.Handler, user, password, address string) macaroontest.Response {
	t.Helper()
	return macaroontest.Request(t, handler, "GET", rest.Prefix+"/user/tokens/named", nil, func(r *http.Request) {
		r.SetBasicAuth(user, password)
		r.RemoteAddr = address + ":1"
	})
}

// An application may have a handler for the API and middleware for several
// services. A client can spread its guesses over them.
func TestGuessesAreCountedPerAuthorityAndNotPerHandler(t *testing.T) {
	t.Parallel()
	a := newUsers(t, memory.New())
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	api, err := rest.NewHandler(a)
	require.NoError(t, err)
	handlers := []http.Handler{
		api, rest.Authenticate(a)(next), rest.Authenticate(a, rest.AsInterface(caveat.REST))(next),
		rest.Authenticate(a, rest.AsService(caveat.Service{Type: caveat.OpWorker, ID: "p1"}))(next),
	}
	guesses := 0
	for i := range 40 {
		if logIn(t, handlers[i%len(handlers)], "alice", "a guess", "192.0.2.1").Status == http.StatusUnauthorized {
			guesses++
		}
	}
	require.Equal(t, 10, guesses)
}

// A header of Basic credentials is limited before it is decoded or hashed.
func TestLongBasicCredentialsAreNotDecoded(t *testing.T) {
	t.Parallel()
	s := &countingUsers{Store: memory.New()}
	handler, err := rest.NewHandler(newUsers(t, s))
	require.NoError(t, err)
	ask := func(value string) macaroontest.Response {
		return macaroontest.Request(t, handler, "GET", rest.Prefix+"/user/tokens/named", nil, func(r *http.Request) {
			r.Header.Set("Authorization", value)
		})
	}
	const limit = 2048
	at := basic("alice:" + strings.Repeat("p", (limit-len("Basic "))/4*3-len("alice:")))
	require.InDelta(t, limit, len(at), 4)
	res := ask(at)
	macaroontest.AssertError(t, res, errors.IDBadBasicCredentials)
	require.NotContains(t, string(res.Body), "2048")
	require.Equal(t, 1, s.lookedUp)

	for _, long := range []string{
		basic("alice:" + strings.Repeat("p", limit)), "Basic " + strings.Repeat("?", limit), basic(strings.Repeat("a", 3<<20) + ":p"),
	} {
		res := ask(long)
		macaroontest.AssertStatus(t, res, http.StatusUnauthorized)
		macaroontest.AssertError(t, res, errors.IDBadBasicCredentials)
		require.Contains(t, string(res.Body), "2048 bytes")
		require.Less(t, len(res.Body), 1000)
	}
	require.Equal(t, 1, s.lookedUp, "no user was looked up, and nothing hashed")
}

// countingUsers counts look-ups by user name.
type countingUsers struct {
	store.Store
	lookedUp int
}

func (c *countingUsers) GetIdentityByUsername(ctx context.Context, name string) (store.Identity, error) {
	c.lookedUp++
	return c.Store.GetIdentityByUsername(ctx, name)
}

// Only a client that knows the password learns whether a name exists, is
// blocked or has a password.
func TestOnlyTheRightPasswordShowsThatAUserIsBlocked(t *testing.T) {
	t.Parallel()
	handler, err := rest.NewHandler(newUsers(t, memory.New()))
	require.NoError(t, err)
	for _, c := range []struct {
		user, password string
		want           errors.ID
	}{
		{"olga", macaroontest.Password, errors.IDUserBlocked},
		{"olga", "wrong", errors.IDBadBasicCredentials},
		{"olga", "", errors.IDBadBasicCredentials},
		{"ada", "wrong", errors.IDBadBasicCredentials},
		{"ada", "", errors.IDBadBasicCredentials},
		{"alice", "wrong", errors.IDBadBasicCredentials},
		{"nobody", "wrong", errors.IDBadBasicCredentials},
	} {
		res := logIn(t, handler, c.user, c.password, "192.0.2.1")
		macaroontest.AssertStatus(t, res, http.StatusUnauthorized)
		macaroontest.AssertError(t, res, c.want)
	}
}
