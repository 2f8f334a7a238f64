package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/internal/strictjson"
	"github.com/onezone-go/onezone/macaroon"
)

// readUsers returns the users of a file, and the lines that hold none. The
// errors name lines, and never quote them.
func (p *program) readUsers(file string) (users []userLine, refused []refusedLine, err error) {
	in := p.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		in = f
	}
	lines := newUserLines(in)
	parse, err := lines.format()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	for {
		text, err := lines.next()
		if err == io.EOF {
			break
		}
		var u macaroon.NewUser
		if err == nil {
			u, err = parse(text)
		}
		switch {
		case lines.failed != nil:
			return nil, nil, fmt.Errorf("%s: %w", file, lines.failed)
		case err == nil && u.Username == "":
			err = errors.New("the user name is missing")
		}
		if err != nil {
			refused = append(refused, refusedLine{lines.number, err})
			continue
		}
		users = append(users, userLine{lines.number, u})
	}
	if len(users)+len(refused) == 0 {
		return nil, nil, fmt.Errorf("%s: there are no users", file)
	}
	return users, refused, nil
}

// maxUserLine is the longest line of a file, in bytes.
const maxUserLine = 1 << 16

// userLines reads a file line by line, so that a mistake in one line does not
// hide those in others.
type userLines struct {
	in     *bufio.Reader
	number int   // of the last line
	failed error // of the reader
}

func newUserLines(in io.Reader) *userLines {
	l := &userLines{in: bufio.NewReaderSize(in, maxUserLine)}
	if start, _ := l.in.Peek(3); string(start) == "\ufeff" {
		_, _ = l.in.Discard(3) // spreadsheets write a byte order mark
	}
	return l
}

// next returns the next line that is not blank, without its end.
// An error other than [io.EOF] is about that line alone, unless failed is set.
func (l *userLines) next() ([]byte, error) {
	for {
		text, err := l.in.ReadSlice('\n')
		if len(text) == 0 && err == io.EOF {
			return nil, io.EOF
		}
		l.number++
		if err == bufio.ErrBufferFull {
			for err == bufio.ErrBufferFull {
				_, err = l.in.ReadSlice('\n')
			}
			if err == nil || err == io.EOF {
				return nil, fmt.Errorf("the line is longer than %d bytes", maxUserLine)
			}
		}
		if err != nil && err != io.EOF {
			l.failed = err
			return nil, err
		}
		if len(bytes.TrimSpace(text)) > 0 {
			return bytes.TrimRight(text, "\r\n"), nil
		}
	}
}

// format returns the parser of the lines. For CSV, it reads the header.
func (l *userLines) format() (parse func(line []byte) (macaroon.NewUser, error), err error) {
	if start, _ := l.in.Peek(512); bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")) {
		return parseUserJSON, nil
	}
	const want = "the first line must be the header username,fullName,password"
	text, err := l.next()
	switch {
	case l.failed != nil:
		return nil, l.failed
	case err != nil:
		return nil, errors.New(want)
	}
	header, err := parseCSV(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", want, err)
	}
	for i, column := range header {
		if !slices.Contains(userColumns, column) || slices.Contains(header[:i], column) {
			return nil, fmt.Errorf("%s; %q is unknown or repeated", want, column)
		}
	}
	if !slices.Contains(header, "username") {
		return nil, errors.New(want)
	}
	return func(line []byte) (u macaroon.NewUser, err error) {
		fields, err := parseCSV(line)
		if err == nil && len(fields) != len(header) {
			err = fmt.Errorf("%d fields instead of %d", len(fields), len(header))
		}
		if err != nil {
			return u, err
		}
		for i, column := range header {
			*userField(&u, column) = fields[i]
		}
		return u, nil
	}, nil
}

// userColumns are the columns of CSV and the keys of JSON.
var userColumns = []string{"username", "fullName", "password"}

func userField(u *macaroon.NewUser, column string) *string {
	switch column {
	case "username":
		return &u.Username
	case "fullName":
		return &u.FullName
	}
	return &u.Password
}

// parseCSV returns the fields of a line. The error does not quote it.
func parseCSV(line []byte) ([]string, error) {
	fields, err := csv.NewReader(bytes.NewReader(line)).Read()
	var wrong *csv.ParseError
	switch {
	case errors.As(err, &wrong) && errors.Is(err, csv.ErrQuote):
		return nil, errors.New(`the line is not CSV: a field in quotes does not end, or a quote in it is not doubled`)
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("the line is not CSV: %w", wrong.Err)
	}
	return fields, err
}

// parseUserJSON reads a JSON object. The error does not quote it.
func parseUserJSON(line []byte) (u macaroon.NewUser, err error) {
	fields, err := strictjson.Parse(bytes.TrimSpace(line))
	wrong := fmt.Errorf("this is not a JSON object of texts with the keys %s, each once and in UTF-8", strings.Join(userColumns, ", "))
	if err != nil || fields == nil {
		return u, wrong
	}
	for key, raw := range fields {
		if !slices.Contains(userColumns, key) {
			return u, fmt.Errorf("unknown key %q%s", key, didYouMean(key, userColumns))
		}
		value, ok := strictjson.Text(raw)
		if !ok && string(raw) != "null" {
			return u, wrong
		}
		*userField(&u, key) = value
	}
	return u, nil
}
