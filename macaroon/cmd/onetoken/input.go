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

// lineEnding is the most bytes that may follow a token or secret.
const lineEnding = 2

// readLine reads what may be one line, without its ending. Of what is longer than
// limit it returns only as much as tells that it is.
func readLine(r io.Reader, limit int) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+lineEnding+1))
	if err != nil {
		return "", nameless(err)
	}
	return cutLineEnding(string(b)), nil
}

func cutLineEnding(text string) string {
	if line, ok := strings.CutSuffix(text, "\n"); ok {
		return strings.TrimSuffix(line, "\r")
	}
	return text
}

// nameless takes the name of the file out of an error: a token or secret that was
// given in its place is no file, and must not be printed for that.
func nameless(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// readFile is readLine of a file.
func readFile(name string, limit int) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", nameless(err)
	}
	defer file.Close() // it was only read
	return readLine(file, limit)
}

// readToken reads a token, which may come with a line ending. A token that is too
// long is not read to its end.
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
