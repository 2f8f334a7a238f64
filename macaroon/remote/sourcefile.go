package remote

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/onezone-go/onezone/macaroon"
)

// TokenFile returns a Source that reads a file each time, so that a token that
// is written later is used at once. White space around the token is ignored.
// Replace the file atomically, by renaming another file: a half-written token
// is an error.
//
// The source refuses a file that is not a regular file, that others than its
// owner and group can read, or that others than its owner can write. It follows
// symbolic links.
func TokenFile(path string) Source {
	var last parsedText
	return func(context.Context) (macaroon.Token, error) {
		text, err := tokenFile{path: path}.read()
		if err != nil {
			return macaroon.Token{}, err
		}
		return last.parse(path, text)
	}
}

// tokenFile is a file that contains a token.
type tokenFile struct {
	path  string
	owned bool // the file must belong to owner, and may not be a symbolic link
	owner int  // user id
}

// maxTokenFile is the largest size of a token file in bytes: a token with white
// space around it.
const maxTokenFile = macaroon.DefaultMaxSize + 1<<10

// forbiddenModes are the permissions that a token file may not have: all those
// of others, and that of the group to write.
const forbiddenModes fs.FileMode = 0o027

// read returns the text in the file. The checks are made on the open file, so
// that it cannot be replaced between them and the read.
func (t tokenFile) read() (string, error) {
	f, err := t.open()
	if err != nil {
		return "", fmt.Errorf("open the token file: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	about, err := f.Stat()
	if err == nil {
		err = t.check(about)
	}
	if err != nil {
		return "", fmt.Errorf("check the token file: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	text := strings.TrimSpace(string(data))
	switch {
	case err != nil:
		return "", fmt.Errorf("read the token file: %w", err)
	case len(data) > maxTokenFile:
		return "", fmt.Errorf("the token file %s has more than %d bytes, which no token has", t.path, maxTokenFile)
	case text == "":
		return "", fmt.Errorf("the token file %s is empty", t.path)
	}
	return text, nil
}

// check returns an error if others could have written the file or can read it.
func (t tokenFile) check(about os.FileInfo) error {
	if !about.Mode().IsRegular() {
		return fmt.Errorf("%s must be a regular file", t.path)
	}
	if mode := about.Mode().Perm(); hasModes && mode&forbiddenModes != 0 {
		return fmt.Errorf("others than the owner can read or write %s, whose mode is %04o: run chmod 600 on it, "+
			"and replace the token if they may have read it", t.path, mode)
	}
	if owner, known := ownerOf(about); t.owned && (!known || owner != t.owner) {
		return fmt.Errorf("%s must belong to the user %d", t.path, t.owner)
	}
	return nil
}
