package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// lineEnding is the longest line ending after a token or secret, in bytes.
const lineEnding = 2

// readLine reads one line without its ending. If the input is longer than
// limit, it returns more than limit bytes, but not all.
func readLine(r io.Reader, limit int) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+lineEnding+1))
	if err != nil {
		return "", withoutFileName(err)
	}
	return cutLineEnding(string(b)), nil
}

func cutLineEnding(text string) string {
	if line, ok := strings.CutSuffix(text, "\n"); ok {
		return strings.TrimSuffix(line, "\r")
	}
	return text
}

// withoutFileName removes the name of the file from an error: it might be a
// misplaced token or secret, which must not be printed.
func withoutFileName(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// readFile is readLine of a file.
func readFile(name string, limit int) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", withoutFileName(err)
	}
	defer file.Close() // a file that was only read
	return readLine(file, limit)
}

// readToken reads a token, which may come with a line ending. A token that is
// too long is not read to its end.
func readToken(r io.Reader) (macaroon.Token, error) {
	text, err := readLine(r, macaroon.DefaultMaxSize)
	return parseToken(text, err)
}

func parseToken(text string, err error) (macaroon.Token, error) {
	if err != nil {
		return macaroon.Token{}, fmt.Errorf("reading the token: %w", err)
	}
	return macaroon.Parse(text)
}
