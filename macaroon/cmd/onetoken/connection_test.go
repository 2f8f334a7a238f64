package main

import (
	"crypto/tls"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// A certificate of another authority ends the connection before the token is
// sent.
func TestTheCertificateOfTheOnezoneIsVerified(t *testing.T) {
	t.Parallel()
	onezone := macaroontest.NewRemote(t, macaroontest.WithTLS())
	onezone.Clock.Set(time.Now())
	token := onezone.Token().String()

	onetoken(token, "verify", "--onezone", onezone.Origin).trouble(t, "certificate")
	assert.Empty(t, onezone.Requests(""))
	conn, err := tls.Dial("tcp", strings.TrimPrefix(onezone.Origin, "https://"), &tls.Config{InsecureSkipVerify: true}) // to get the certificate
	require.NoError(t, err)
	chain := conn.ConnectionState().PeerCertificates
	require.NoError(t, conn.Close())
	ca := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[len(chain)-1].Raw})))
	assert.Contains(t, onetoken(token, "verify", "--onezone", onezone.Origin, "--ca-file", ca).done(t), "subject   usr-u-alice\n")
}

// Nobody can read the password or the token from the output or the profile's
// neighbors.
func TestLoginPrintsNoSecret(t *testing.T) {
	t.Parallel()
	onezone := macaroontest.NewRemote(t)
	onezone.Clock.Set(time.Now())
	path := file(t, "") + ".json"
	for _, args := range [][]string{{}, {"--json"}} {
		o := onetoken(macaroontest.Password+"\n", append([]string{"login", "--onezone", onezone.Origin, "--user", "alice", "--profile", path}, args...)...)
		out := o.done(t)
		pr, err := readProfile(path)
		require.NoError(t, err)
		assert.Equal(t, onezone.Origin, pr.Onezone)
		assert.Contains(t, out, pr.Token.ID())
		leaksNothing(t, out, pr.Token.String(), macaroontest.Password)
	}
}
