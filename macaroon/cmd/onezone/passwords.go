package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// passwordSource says where the new password of a user comes from. It is never
// an argument, because other users of the machine could read it.
type passwordSource struct {
	generate bool
	none     bool
}

func (s *passwordSource) flags(f *pflag.FlagSet) {
	f.BoolVar(&s.generate, "generate", false, "generate a random password and print it, instead of reading one")
	f.BoolVar(&s.none, "no-password", false, "set no password; the user then cannot log in with one")
}

func (s *passwordSource) check() error {
	return failUnless(!s.generate || !s.none, "--generate and --no-password exclude each other")
}

// newPassword returns the new password of a user, "" for none. It reads it
// twice from a terminal, or from the first line of standard input.
func (p *program) newPassword(s passwordSource, user string) (password string, err error) {
	switch terminal, _ := p.in.(*os.File); {
	case s.none:
		return "", nil
	case s.generate:
		return rand.Text(), nil
	case isTerminal(p.in):
		password, err = p.askTwice(terminal, user)
	default:
		password, err = bufio.NewReader(p.in).ReadString('\n')
		if err == io.EOF {
			err = nil
		}
		password = strings.TrimRight(password, "\r\n")
	}
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	if password == "" {
		return "", errors.New("the first line of standard input must be the password, but is empty; --generate makes a random one")
	}
	return password, nil
}

func (p *program) askTwice(terminal *os.File, user string) (string, error) {
	answers, err := p.askHidden(terminal, "New password of "+user+": ", "Again: ")
	if err != nil {
		return "", err
	}
	if answers[0] != answers[1] {
		return "", errors.New("the two passwords differ")
	}
	return answers[0], nil
}
