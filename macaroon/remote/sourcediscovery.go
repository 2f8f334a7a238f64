package remote

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// DiscoverToken returns a Source that looks for a token where programs of the
// grid do (WLCG Bearer Token Discovery). It uses the first of
//
//  1. the environment variable BEARER_TOKEN;
//  2. the file that BEARER_TOKEN_FILE names;
//  3. the file bt_uID in the directory XDG_RUNTIME_DIR;
//  4. the file /tmp/bt_uID.
//
// ID is the effective user id. A variable that is empty counts as not set, and
// the files 3 and 4 are skipped if they do not exist. All other problems are
// errors, so that a token of a later place is never sent by mistake. The
// requirements for files are those of [TokenFile]; files 3 and 4 must also
// belong to the user and not be symbolic links.
//
// The source searches each time, so that a token that is written later is used
// at once.
func DiscoverToken() Source {
	return discovery{getenv: os.Getenv, user: os.Geteuid(), shared: "/tmp"}.source()
}

// discovery holds what the search depends on.
type discovery struct {
	getenv func(name string) string
	user   int    // effective user id; negative if the system has none
	shared string // directory that all users share
}

func (d discovery) source() Source {
	var last parsedText
	return func(context.Context) (macaroon.Token, error) {
		where, text, err := d.find()
		if err != nil {
			return macaroon.Token{}, fmt.Errorf("find a bearer token: %w", err)
		}
		return last.parse(where, text)
	}
}

// find returns the text of the first token, and where it is from.
func (d discovery) find() (where, text string, err error) {
	if text := strings.TrimSpace(d.getenv("BEARER_TOKEN")); text != "" {
		return "the environment variable BEARER_TOKEN", text, nil
	}
	if path := d.getenv("BEARER_TOKEN_FILE"); path != "" {
		text, err := tokenFile{path: path}.read()
		return path, text, err
	}
	for _, path := range d.ownFiles() {
		text, err := tokenFile{path: path, owned: true, owner: d.user}.read()
		if !errors.Is(err, fs.ErrNotExist) {
			return path, text, err
		}
	}
	return "", "", errors.New("there is none; set BEARER_TOKEN or BEARER_TOKEN_FILE, or write it to " +
		strings.Join(d.ownFiles(), " or "))
}

// ownFiles returns the paths of the files of the user.
func (d discovery) ownFiles() []string {
	if d.user < 0 {
		return nil
	}
	name := fmt.Sprintf("bt_u%d", d.user)
	paths := []string{filepath.Join(d.shared, name)}
	if dir := d.getenv("XDG_RUNTIME_DIR"); dir != "" {
		paths = append([]string{filepath.Join(dir, name)}, paths...)
	}
	return paths
}
