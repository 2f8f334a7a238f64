package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/seal"
)

// maxSealKeyFile is the largest seal key file, in bytes.
const maxSealKeyFile = 1 << 20

// keyRing is a ring of seal keys that can be replaced while it is in use.
type keyRing struct {
	current atomic.Pointer[seal.StaticKeys]
}

// Wrap implements [seal.KeyRing].
func (r *keyRing) Wrap(ctx context.Context, key, additional []byte) (keyID string, wrapped []byte, err error) {
	return r.current.Load().Wrap(ctx, key, additional)
}

// Unwrap implements [seal.KeyRing].
func (r *keyRing) Unwrap(ctx context.Context, keyID string, wrapped, additional []byte) ([]byte, error) {
	return r.current.Load().Unwrap(ctx, keyID, wrapped, additional)
}

// readSealKeys reads the seal key file of the settings. The error names the flag
// to change.
func (s settings) readSealKeys() (*seal.StaticKeys, error) {
	ring, err := readSealKeys(s.sealKeys)
	if err != nil {
		return nil, fmt.Errorf("--seal-key-file %s: %w", s.sealKeys, err)
	}
	return ring, nil
}

// readSealKeys reads a seal key file: "NAME BASE64" on each line, the first for
// sealing. Errors have the number of a line, never its text.
func readSealKeys(file string) (*seal.StaticKeys, error) {
	text, err := readPrivate(file)
	if err != nil {
		return nil, fmt.Errorf("reading the seal keys: %w", err)
	}
	if strings.HasPrefix(text, "\ufeff") || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return nil, errors.New("the file begins with a byte order mark; save it as UTF-8 without one")
	}
	var keys []seal.Key
	lineOf := map[string]int{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("line %d of %s is not a name, a space and a key in base64", number, file)
		}
		material, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil || len(material) != 32 {
			return nil, fmt.Errorf("the key on line %d of %s is not 32 bytes in base64", number, file)
		}
		if first := lineOf[fields[0]]; first != 0 {
			return nil, fmt.Errorf("line %d of %s has the key name of line %d; each key needs a name of its own", number, file, first)
		}
		lineOf[fields[0]] = number
		keys = append(keys, seal.Key{ID: fields[0], Material: store.NewSecret(string(material))})
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("there is no key in %s; a line is NAME $(head -c 32 /dev/urandom | base64)", file)
	}
	return seal.NewStaticKeys(keys[0], keys[1:]...)
}

// readPrivate reads a file. It returns an error if others than the owner can
// read it.
func readPrivate(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	about, err := f.Stat()
	if err != nil {
		return "", err
	}
	// Windows has no permission bits.
	if mode := about.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return "", fmt.Errorf("others can read the file, its mode is %#o; run: chmod 600 %s", mode, quoted(file))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSealKeyFile+1))
	if err == nil && len(text) > maxSealKeyFile {
		err = fmt.Errorf("the file is longer than %d bytes", maxSealKeyFile)
	}
	return string(text), err
}
