// Package vectors reads the conformance vectors of the project for its tests.
// They are golden data made by the original Onezone, one JSON object per line.
// Their README describes each file.
//
// The files are those of testdata/vectors, or of the directory that the
// environment variable ONEZONE_VECTORS names (relative to the module's root).
package vectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each runs check for each line of the file, decoded into a T, as a subtest
// named after the number of the line. It fails the test if the file is missing
// or empty, or if a line has a field that T does not have. At the end it prints
// the number of vectors.
func Each[T any](t *testing.T, file string, check func(t *testing.T, v T)) {
	t.Helper()
	data, err := read(file)
	if err != nil {
		t.Fatalf("reading conformance vectors: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for i, line := range lines {
		t.Run(fmt.Sprintf("%s:%d", file, i+1), func(t *testing.T) {
			var v T
			if err := decode([]byte(line), &v); err != nil {
				t.Fatalf("decoding %s: %v", line, err)
			}
			check(t, v)
		})
	}
	fmt.Printf("%s: %d vectors\n", file, len(lines))
}

// read returns the content of a file, which must not be empty.
func read(file string) ([]byte, error) {
	dir, err := directory()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err == nil && len(bytes.TrimSpace(data)) == 0 {
		err = fmt.Errorf("%s is empty", file)
	}
	return data, err
}

// decode decodes exactly one JSON value. v must have all of its fields.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}

// directory returns the absolute path of the directory with the vectors.
func directory() (string, error) {
	dir := os.Getenv("ONEZONE_VECTORS")
	switch {
	case dir == "":
		dir = filepath.Join("testdata", "vectors")
	case filepath.IsAbs(dir):
		return dir, nil
	}
	root, err := moduleRoot()
	return filepath.Join(root, dir), err
}

// moduleRoot returns the nearest directory with go.mod, at or above the working
// directory, which is that of the package under test.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the module: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("finding the module: no go.mod in the working directory or above it")
		}
		dir = parent
	}
}
