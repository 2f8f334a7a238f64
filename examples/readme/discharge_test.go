package readme

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// onlyFor returns a copy of the macaroon that is good only for a client for
// which the identity service vouches.
func onlyFor(user string, m general.Macaroon, identity discharge.PublicKey) (general.Macaroon, error) {
	isUser, err := identity.Caveat("https://id.example.org", "user = "+user)
	if err != nil {
		return general.Macaroon{}, err
	}
	return discharge.Add(m, isUser)
}

// newDischarges returns a client of the identity service that asks users to
// open its pages.
func newDischarges() (*discharge.Client, error) {
	return discharge.NewClient([]string{"https://id.example.org"}, discharge.WithInteraction(
		func(_ context.Context, page string) error {
			_, err := fmt.Println("Open this page to log in:", page)
			return err
		}))
}

// authorization returns the header for the macaroon with its discharges.
func authorization(ctx context.Context, client *discharge.Client, m general.Macaroon) (string, error) {
	discharges, err := client.Discharge(ctx, m)
	if err != nil {
		return "", err
	}
	bundle, err := general.NewBundle(general.V2, append(discharges, m)...)
	if err != nil {
		return "", err
	}
	return bundle.Header(general.DefaultScheme)
}

func TestAMacaroonNeedsADischargeOfTheIdentityService(t *testing.T) {
	t.Parallel()
	m, err := general.New("https://photos.example.org", "album 7", store.NewSecret("a root key"))
	require.NoError(t, err)
	client, err := newDischarges()
	require.NoError(t, err)
	header, err := authorization(t.Context(), client, m)
	require.NoError(t, err)
	bundle, err := general.ParseBundle(header, general.V2)
	require.NoError(t, err)
	require.Equal(t, "album 7", bundle.Entries()[0].Token.Identifier())

	key := discharge.NewKey()
	m, err = onlyFor("alice", m, key.Public())
	require.NoError(t, err)
	needed := discharge.Needed(m)
	require.Equal(t, "https://id.example.org", needed[0].Location)
	condition, _, err := key.Open(needed[0].Text)
	require.NoError(t, err)
	require.Equal(t, "user = alice", condition)
}
