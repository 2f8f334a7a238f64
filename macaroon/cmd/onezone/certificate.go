package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync/atomic"
)

// certificate is the TLS certificate, which can be replaced while it is in use.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

// certificate reads the certificate of the settings. It returns nil without
// --tls-cert.
func (s settings) certificate() (*certificate, error) {
	pair, err := s.readCertificate()
	if pair == nil {
		return nil, err
	}
	c := &certificate{}
	c.current.Store(pair)
	return c, nil
}

// readCertificate returns nil without --tls-cert. The errors name the flag to
// change.
func (s settings) readCertificate() (*tls.Certificate, error) {
	if s.cert == "" {
		return nil, nil
	}
	cert, err := os.ReadFile(s.cert)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	key, err := os.ReadFile(s.key)
	if err != nil {
		return nil, fmt.Errorf("--tls-key: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s and --tls-key %s: %w", s.cert, s.key, err)
	}
	return &pair, nil
}

// config returns nil without a certificate.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil }}
}
