//go:build unix && !linux

package main

import (
	"os"

	"github.com/onezone-go/onezone/errors"
)

// dropCached returns an error: only Linux is known to drop cached pages.
func dropCached(*os.File) error { return errors.ErrUnsupported }
