package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// listen binds the address. The error names the flag to change.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	var failed *net.OpError
	if errors.As(err, &failed) {
		err = failed.Err // without the address again
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		err = fmt.Errorf("%w; end the program that listens there, or choose another port", err)
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w; ports below 1024 may need a privilege", err)
	}
	if err != nil {
		return nil, fmt.Errorf("--address %s: %w", address, err)
	}
	return l, nil
}

// tlsConfig reads the certificate. It returns nil without --tls-cert.
func (s settings) tlsConfig() (*tls.Config, error) {
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
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
}
