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

// A new login at another Onezone deletes the token of the login before at the
// Onezone that issued it, or says that it could not.
func TestALoginElsewhereDeletesTheTokenOfTheLoginBefore(t *testing.T) {
	t.Parallel()
	one, other := macaroontest.NewRemote(t), macaroontest.NewRemote(t)
	one.Clock.Set(time.Now())
	other.Clock.Set(time.Now())
	path := file(t, "") + ".json"
	logIn := func(onezone *macaroontest.Remote) (outcome, string) {
		o := onetoken(macaroontest.Password+"\n", "login", "--onezone", onezone.Origin, "--user", "alice", "--profile", path)
		require.Equal(t, statusDone, o.status, o.err)
		pr, err := readProfile(path)
		require.NoError(t, err)
		require.Equal(t, onezone.Origin, pr.Onezone)
		return o, pr.Token.String()
	}

	_, first := logIn(one)
	o, second := logIn(other)
	assert.Empty(t, o.err)
	assert.Contains(t, o.out, "; deleted the token ")
	onetoken(first, "verify", "--onezone", one.Origin).refused(t, "tokenInvalid")
	onetoken(second, "verify", "--onezone", other.Origin).done(t)

	other.Stop()
	o, _ = logIn(one)
	assert.NotContains(t, o.out, "; deleted the token ")
	assert.Regexp(t, `^onetoken: warning: the token [0-9a-f]+ of the login before was not deleted at `+other.Origin+`: .*\n$`, o.err)
}
