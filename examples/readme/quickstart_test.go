package readme

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/memory"
)

func TestQuickstart(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	peer := netip.MustParseAddr("::ffff:10.1.2.3")
	resource, err := caveat.ParseGRI("file.f1.content:private")
	require.NoError(t, err)

	authority, _ := macaroon.NewAuthority(memory.New())
	alice, _ := authority.CreateUser(ctx, macaroon.NewUser{ID: "alice"})

	// Mint: a token for Alice, good for an hour.
	token, _ := authority.IssueNamed(ctx, "laptop", macaroon.Grant{
		Subject: alice,
		Type:    macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Until(time.Now().Add(time.Hour))},
	})

	// Confine: she lends a copy that works from her network only. No server is asked.
	lent, _ := token.Confine(caveat.MustParse("ip = 10.0.0.0/8"))

	// Verify: text in, identity out, or one error of the catalogue.
	received := lent.String()
	auth, err := authority.VerifyAccess(ctx, received, caveat.Request{IP: peer.Unmap()})

	// Some caveats limit what the token is good for; a service asks before it acts.
	if err == nil {
		err = auth.Authorize(caveat.OpWorker, caveat.Get, resource)
	}

	require.NoError(t, err)
	require.Equal(t, "usr-alice", auth.Subject.String())
	_, err = authority.VerifyAccess(ctx, received, caveat.Request{IP: netip.MustParseAddr("192.0.2.1")})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
}
