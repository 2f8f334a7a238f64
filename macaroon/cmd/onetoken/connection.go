package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term" // passwords that do not show while they are typed

	"github.com/onezone-go/onezone/macaroon/remote"
)

// connectionFlags say which Onezone to ask, and as whom.
type connectionFlags struct {
	onezone, profile, ca, tokenFile, user string
	profileErr                            error         // of reading the profile, which not all commands need
	token                                 remote.Source // the token of the client, nil with a password
}

func (c *connectionFlags) declare(f *flags) {
	value(f, &c.onezone, "onezone", "URL",
		"the Onezone, such as https://onezone.example.org; default that of the profile", verbatim)
	c.declareProfile(f)
}

// declareProfile declares the flags about an Onezone that the profile names.
func (c *connectionFlags) declareProfile(f *flags) {
	value(f, &c.profile, "profile", "FILE",
		"the file of a login; default $"+profileVariable+" or onetoken/profile.json in the user's configuration", verbatim)
	c.declareCA(f)
}

func (c *connectionFlags) declareCA(f *flags) {
	value(f, &c.ca, "ca-file", "FILE",
		"the certificates (PEM) that the certificate of the Onezone must chain to; default those of the system", verbatim)
}

// declareCredentials declares the flags about the client.
func (c *connectionFlags) declareCredentials(f *flags) {
	c.declare(f)
	value(f, &c.tokenFile, "token-file", "FILE", "the file with the access token to use", verbatim)
	value(f, &c.user, "user", "NAME",
		"log in with the password of the user, from the terminal or the first line of standard input", verbatim)
}

// open returns a client of the Onezone, and the profile if it is of the same
// Onezone.
func (c *connectionFlags) open(p process) (*remote.Client, profile, error) {
	path, err := p.profilePath(c.profile)
	if err != nil {
		return nil, profile{}, err
	}
	pr, profileErr := readProfile(path)
	switch c.profileErr = profileErr; {
	case c.onezone == "" && profileErr != nil:
		return nil, profile{}, profileErr
	case c.onezone == "" && pr.Onezone == "":
		return nil, profile{}, misuse("give the Onezone with --onezone URL, or log in first: " +
			"onetoken login --onezone URL --user NAME")
	case c.onezone == "":
		c.onezone = pr.Onezone
	case strings.TrimSuffix(c.onezone, "/") != pr.Onezone:
		pr = profile{}
	}
	c.onezone = strings.TrimSuffix(c.onezone, "/")
	client, err := c.client(c.onezone)
	return client, pr, err
}

// client returns a client of the Onezone with the URL.
func (c *connectionFlags) client(url string) (*remote.Client, error) {
	options := []remote.Option{remote.WithLogger(slog.New(slog.DiscardHandler))}
	if c.ca != "" {
		pem, err := readFile(c.ca, maxInput)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(pem)) {
			return nil, misuse("the file of --ca-file has no certificates in PEM")
		}
		options = append(options, remote.WithRootCAs(roots))
	}
	client, err := remote.New(url, options...)
	if err != nil {
		return nil, misuse("--onezone: " + err.Error())
	}
	return client, nil
}

// account returns the token API for the client that the flags name. The caller
// must close the client.
func (c *connectionFlags) account(p process) (*remote.Account, *remote.Client, error) {
	if c.user != "" && c.tokenFile != "" {
		return nil, nil, misuse("--user and --token-file exclude each other")
	}
	client, pr, err := c.open(p)
	if err != nil {
		return nil, nil, err
	}
	if c.user != "" {
		password, err := p.readPassword(c.user)
		if err != nil {
			return nil, nil, err
		}
		return client.As(remote.ByPassword(c.user, password)), client, nil
	}
	source, err := c.source(p, pr)
	if err != nil {
		return nil, nil, err
	}
	c.token = source
	return client.As(remote.ByToken(source)), client, nil
}

// tokenID returns the id of the token that the client uses, "" for none.
func (c *connectionFlags) tokenID(ctx context.Context) (string, error) {
	if c.token == nil {
		return "", nil
	}
	token, err := c.token(ctx)
	if err != nil {
		return "", err
	}
	return token.ID(), nil
}

// source returns where the access token is: the file of the flag, a variable of
// WLCG token discovery, the profile, or a file of WLCG token discovery.
func (c *connectionFlags) source(p process, pr profile) (remote.Source, error) {
	switch {
	case c.tokenFile != "":
		return remote.TokenFile(c.tokenFile), nil
	case p.getenv("BEARER_TOKEN") != "" || p.getenv("BEARER_TOKEN_FILE") != "":
		return remote.DiscoverToken(), nil
	case c.profileErr != nil:
		return nil, c.profileErr
	case !pr.Token.IsZero():
		return remote.StaticToken(pr.Token.Token), nil
	}
	return remote.DiscoverToken(), nil
}

// maxPassword is the longest password in bytes.
const maxPassword = 4 << 10

// readPassword reads a password from the terminal, without showing it, or from
// the first line of standard input.
func (p process) readPassword(user string) (string, error) {
	var password string
	if terminal, ok := p.in.(*os.File); ok && p.isTerminal(p.in) {
		text, err := p.askHidden(terminal, fmt.Sprintf("Password of %q: ", user))
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		password = text
	} else {
		line, err := bufio.NewReader(io.LimitReader(p.in, maxPassword+lineEnding+1)).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		password = cutLineEnding(line)
	}
	if password == "" || len(password) > maxPassword {
		return "", misuse("the first line of standard input must be the password, of 1 to 4096 bytes")
	}
	return password, nil
}

// askHidden asks a question on the terminal and returns the answer, which is
// not shown: the terminal shows nothing from before the question on.
func (p process) askHidden(terminal *os.File, question string) (answer string, err error) {
	state, err := term.MakeRaw(int(terminal.Fd()))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, term.Restore(int(terminal.Fd()), state)) }()
	dialog := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{terminal, p.err}, "")
	answer, err = dialog.ReadPassword(question)
	if err == io.EOF { // Ctrl-C, Ctrl-D or a closed terminal
		err = errors.New("none was entered")
	}
	return answer, err
}

// with calls a function with the token API for the client that the flags name.
func (c *connectionFlags) with(p process, do func(*remote.Account) error) error {
	account, client, err := c.account(p)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // nothing is in flight
	return do(account)
}
