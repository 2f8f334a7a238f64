package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// profile is what login keeps: an Onezone and a token for it.
type profile struct {
	Onezone string              `json:"onezone"` // URL
	Token   macaroon.Credential `json:"token"`
}

const (
	profileVariable = "ONETOKEN_PROFILE"
	maxProfile      = macaroon.DefaultMaxSize + 4<<10
	// othersModes are the permissions of others, which a profile must not have.
	othersModes fs.FileMode = 0o077
)

// profilePath returns the path of the profile file: the name, if it is not
// empty, or that of the variable, or profile.json in the user's configuration.
func (p process) profilePath(name string) (string, error) {
	if name == "" {
		name = p.getenv(profileVariable)
	}
	if name != "" {
		return name, nil
	}
	directory, err := os.UserConfigDir()
	if err != nil {
		return "", misuse("there is no directory for the profile; give its file with --profile")
	}
	return filepath.Join(directory, "onetoken", "profile.json"), nil
}

// readProfile reads a profile, which others must not be able to read. A missing
// file gives the zero profile.
func readProfile(path string) (profile, error) {
	read, mode, err := readProfileOfAnyMode(path)
	if err == nil && runtime.GOOS != "windows" && mode&othersModes != 0 {
		return profile{}, fmt.Errorf("others have access to the profile %s, whose mode is %04o: run chmod 600 on it, "+
			"and log in again if they may have read it", path, mode)
	}
	return read, err
}

// readProfileOfAnyMode returns a profile and the permissions of its file.
func readProfileOfAnyMode(path string) (read profile, mode fs.FileMode, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return profile{}, 0, nil
	}
	if err != nil {
		return profile{}, 0, fmt.Errorf("reading the profile: %w", err)
	}
	defer f.Close() //nolint:errcheck // a file that was only read
	about, err := f.Stat()
	if err != nil {
		return profile{}, 0, fmt.Errorf("reading the profile: %w", err)
	}
	if !about.Mode().IsRegular() {
		return profile{}, 0, fmt.Errorf("the profile %s must be a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxProfile))
	if err != nil {
		return profile{}, 0, fmt.Errorf("reading the profile: %w", err)
	}
	mode = about.Mode().Perm()
	if json.Unmarshal(data, &read) != nil || read.Onezone == "" || read.Token.IsZero() {
		return profile{}, mode, fmt.Errorf("the profile %s does not have the URL and token of a login: "+
			"remove it and log in again", path)
	}
	return read, mode, nil
}

// save writes the profile with mode 0600, and replaces the file at once.
func (pr profile) save(path string) (err error) {
	data, err := json.Marshal(pr)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing the profile: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".profile-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing the profile: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("writing the profile: %w", err)
		}
	}()
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
