package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// newCertificate writes a certificate for 127.0.0.1 and its key.
func newCertificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "onezone"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "it's the cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	return cert, key
}

func TestThePrintedLinesWorkOverTLS(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	dir := t.TempDir()
	cert, key := newCertificate(t, dir)
	s := start(t, dir, "--store", "memory:", "--tls-cert", cert, "--tls-key", key)
	require.True(t, strings.HasPrefix(s.url, "https://127.0.0.1:"))
	for _, line := range s.lines {
		require.Contains(t, shell(t, "curl -sS"+strings.TrimPrefix(line, "curl")), `"token`)
	}
	s.stop()
}

func TestAMissingCertificateIsAnErrorAtTheStart(t *testing.T) {
	t.Parallel()
	var out, log syncbuffer.Buffer
	err := run(t.Context(), []string{"serve", "--address", "127.0.0.1:0", "--store", "memory:", "--demo=false", "--tls-cert", "/nowhere", "--tls-key", "/nowhere"},
		stdio{strings.NewReader(""), &out, &log}, unset)
	require.ErrorIs(t, err, os.ErrNotExist)
}
