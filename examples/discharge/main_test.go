package main

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/general"
)

func TestOnlyTheOwnerSeesAnAlbum(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `alice asks for the album of alice: photos of alice
bob asks for the album of alice: refused by the identity service
`, out.String())
}

func TestAMacaroonIsGoodWithItsDischargeAndForItsAlbum(t *testing.T) {
	identityURL, photosURL, err := start(t.Context())
	require.NoError(t, err)
	c, err := newClient(identityURL, browser{"alice", "alice's passphrase"}.show)
	require.NoError(t, err)
	status := func(album, authorization string) int {
		status, _, err := c.send(t.Context(), photosURL+"/albums/"+album, authorization)
		require.NoError(t, err)
		return status
	}
	_, text, err := c.send(t.Context(), photosURL+"/albums/alice", "")
	require.NoError(t, err)
	_, other, err := c.send(t.Context(), photosURL+"/albums/alice", "")
	require.NoError(t, err)

	authorization, err := c.authorize(t.Context(), text)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status("alice", authorization))
	require.Equal(t, http.StatusUnauthorized, status("bob", authorization))
	require.Equal(t, http.StatusUnauthorized, status("alice", "Macaroon "+text))

	// A discharge is no good with another macaroon.
	bundle, err := general.ParseBundle(authorization, general.V2)
	require.NoError(t, err)
	m, err := general.Parse(other, general.V2)
	require.NoError(t, err)
	mixed, err := general.NewBundle(general.V2, m, bundle.Entries()[0].Discharges[0])
	require.NoError(t, err)
	header, err := mixed.Header(general.DefaultScheme)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, status("alice", header))

	// Nor is there one for a wrong password.
	c, err = newClient(identityURL, browser{"alice", "a guess"}.show)
	require.NoError(t, err)
	_, err = c.get(t.Context(), photosURL+"/albums/alice")
	require.ErrorContains(t, err, "the page answers 403")
}
