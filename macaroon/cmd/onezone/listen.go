package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
)

// listen binds the address. The error names the flag to change.
func listen(flag, address string) (net.Listener, error) {
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
		return nil, fmt.Errorf("--%s %s: %w", flag, address, err)
	}
	return l, nil
}
