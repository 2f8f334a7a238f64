package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
)

// lineEnding is the longest line ending after a secret, in bytes.
const lineEnding = 2

// maxInput is the longest input in bytes: the longest token, and what is pasted
// around it.
const maxInput = macaroon.DefaultMaxSize + 4<<10

// readUpTo reads a text. If the input is longer than limit, it returns one more
// byte than limit.
func readUpTo(r io.Reader, limit int) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return "", withoutFileName(err)
	}
	return string(b), nil
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

// readFile reads a file like readUpTo.
func readFile(name string, limit int) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", withoutFileName(err)
	}
	defer file.Close() //nolint:errcheck // a file that was only read
	return readUpTo(file, limit)
}

// readText reads the text of a token from the file of the one argument, or from
// standard input. It says what was around the text. An input that is too long
// is not read to its end.
func (p process) readText(args []string) (text string, err error) {
	if len(args) == 1 && args[0] != "-" {
		text, err = readFile(args[0], maxInput)
	} else {
		if p.isTerminal(p.in) {
			p.note("paste the token, then press Enter and Ctrl-D")
		}
		text, err = readUpTo(p.in, maxInput)
	}
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	if len(text) > maxInput {
		return text, nil // the parser refuses it
	}
	text, around := unwrap(text)
	if len(around) > 0 {
		p.note("note: ignored around the token: " + list(around, "and"))
	}
	return text, nil
}

// readToken reads a token like readText.
func (p process) readToken(args ...string) (macaroon.Token, error) {
	text, err := p.readText(args)
	if err != nil {
		return macaroon.Token{}, err
	}
	return parseToken(text)
}

// parseToken is [macaroon.Parse] with errors that say where a text was cut, or
// that it is another macaroon.
func parseToken(text string) (macaroon.Token, error) {
	token, err := macaroon.Parse(text)
	if err = explainDamage(text, err); !errors.Is(err, errors.IDBadToken) {
		return token, err
	}
	if m, notMacaroon := general.Parse(text, general.Any); notMacaroon == nil {
		return token, errors.BadToken("it is a macaroon in the format " + m.ReadAs().String() +
			", not a token of an Onezone in its own format; onetoken convert --to onezone converts it if it is one, " +
			"and onetoken inspect shows it")
	}
	return token, err
}

// parseMacaroon parses a macaroon of any issuer in any format, and a token with
// a prefix.
func parseMacaroon(text string) (general.Macaroon, error) {
	m, err := general.Parse(text, general.Any)
	if err == nil {
		return m, nil
	}
	if token, err := macaroon.Parse(text); err == nil {
		return general.FromToken(token)
	}
	return m, explainDamage(text, err)
}

// explainDamage returns the error of a parser, or badToken with the place where
// the text of a token was cut.
func explainDamage(text string, err error) error {
	if !errors.Is(err, errors.IDBadToken) {
		return err
	}
	if cut, ok := findTruncation(text); ok {
		return errors.BadToken("it is TRUNCATED " + cut.String())
	}
	if isEnd(text) {
		return errors.BadToken("it is TRUNCATED: its beginning is missing")
	}
	return err
}
