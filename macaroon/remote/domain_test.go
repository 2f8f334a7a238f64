package remote_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// A 404 of an Onezone that is being deployed must not refuse its tokens until
// the service restarts.
func TestAGuessedDomainIsAskedForAgain(t *testing.T) {
	t.Parallel()
	o := macaroontest.NewRemote(t)
	c := connect(t, o.Origin, remote.WithClock(o.Clock.Now))
	token := o.Token().String()
	verify := func() error {
		_, err := c.VerifyAccess(t.Context(), token, caveat.Request{})
		return err
	}
	o.Behave(macaroontest.Behavior{Status: http.StatusNotFound})
	require.ErrorIs(t, verify(), errors.IDTokenInvalid)
	o.Behave()
	o.Clock.Advance(59 * time.Second)
	require.ErrorIs(t, verify(), errors.IDTokenInvalid)
	require.Len(t, o.Requests("/configuration"), 1)
	o.Clock.Advance(time.Second)
	require.NoError(t, verify())
	o.Clock.Advance(time.Hour)
	require.NoError(t, verify())
	require.Len(t, o.Requests("/configuration"), 2, "what the Onezone said counts for the life of the client")
}
