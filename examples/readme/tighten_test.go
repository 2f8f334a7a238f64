package readme

import (
	"context"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// restrict lets the token and all its copies be used only on the campus from
// now on. Repeating it changes nothing.
func restrict(ctx context.Context, a *macaroon.Authority, id string) error {
	return a.Tighten(ctx, id, caveat.MustParse("ip = 10.0.0.0/8"))
}

func TestATokenIsRestrictedAfterItWasHandedOut(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	token := h.Token()
	verify := func() error {
		_, err := h.Authority.VerifyAccess(t.Context(), token.String(), caveat.Request{IP: netip.MustParseAddr("192.0.2.1")})
		return err
	}
	require.NoError(t, verify())
	for range 2 {
		require.NoError(t, restrict(t.Context(), h.Authority, token.ID()))
	}
	require.ErrorIs(t, verify(), errors.IDTokenCaveatUnverified)
}
