package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuickstartPrintsWhatTheReadmeShows(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `from 10.1.2.3: welcome, usr-alice
from 192.0.2.1: refused, tokenCaveatUnverified: The token is not valid here because of a caveat: the client's address must be in one of the networks "10.0.0.0/8".
from 10.1.2.3: refused, tokenRevoked: The token was revoked.
`, out.String())
}
