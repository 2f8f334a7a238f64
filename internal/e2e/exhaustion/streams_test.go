//go:build e2e && linux

package exhaustion

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	// Writes HTTP/2 frames, which clients of the standard library cannot. It
	// belongs to the Go project.
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// startTLS runs the service with a certificate of its own.
func startTLS(t *testing.T) *service {
	t.Helper()
	dir := t.TempDir()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	return start(t, many, "--tls-cert", write("cert.pem", "CERTIFICATE", certificate), "--tls-key", write("key.pem", "PRIVATE KEY", key))
}

var anyCertificate = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}

// TestLaw12StreamsOfManyConnectionsTakeBoundedMemory opens the maximum number
// of connections from one address, sends requests on the maximum number of
// streams, and reads no answers.
func TestLaw12StreamsOfManyConnectionsTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	var request bytes.Buffer
	encoder := hpack.NewEncoder(&request)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", api + "/openapi.json"}} {
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
	}
	flood(t, s, 100, func(conn net.Conn, _ int) {
		c := tls.Client(conn, anyCertificate)
		if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
			return
		}
		framer := http2.NewFramer(c, c)
		_ = framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		for stream := uint32(1); stream < 400; stream += 2 {
			if framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: request.Bytes(), EndHeaders: true, EndStream: true}) != nil {
				return
			}
		}
		// The answer to a ping comes after the requests were taken.
		_ = framer.WritePing(false, [8]byte{})
		for {
			if frame, err := framer.ReadFrame(); err != nil || frame.Header().Type == http2.FramePing {
				return
			}
		}
	})
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(bystander)}}
	c := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: anyCertificate, ForceAttemptHTTP2: true}}
	defer c.CloseIdleConnections()
	res, err := c.Get("https://" + s.address + api + "/configuration")
	require.NoError(t, err, "another client is served")
	_ = res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	measured(t, s, "100 connections with 200 streams that nobody reads")
}
