package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
)

// usageError is a mistake in the arguments or in the environment. The program
// then ends with exitUsage, before it has touched anything.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// misused returns a usage error.
func misused(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Exit codes of the program, besides 0.
const (
	exitFailure = 1
	exitUsage   = 2
)

// exitCode returns what the program ends with after run.
func exitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, new(usageError)):
		return exitUsage
	}
	return exitFailure
}

// report writes one line for each mistake that err holds.
func report(out io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, each := range joined.Unwrap() {
			report(out, each)
		}
		return
	}
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	var line []string
	for part := range strings.Lines(err.Error()) {
		line = append(line, strings.TrimSpace(part))
	}
	fmt.Fprintln(out, "onezone:", strings.Join(line, " "))
}

// duration is a flag for a span of time that says what it expects.
type duration time.Duration

// String implements [flag.Value].
func (d *duration) String() string { return time.Duration(*d).String() }

// Set implements [flag.Value].
func (d *duration) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("want a number with a unit, such as 500ms or 5s")
	}
	*d = duration(value)
	return nil
}

// checkAddress judges what -address says, before anything listens there.
func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return misused("-address %q is not HOST:PORT, such as 127.0.0.1:9080 or :9080", address)
	}
	return nil
}

// checkOrigin judges what -origin says. "" is the default.
func checkOrigin(origin string) error {
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return misused("-origin is a scheme and a host, such as https://onezone.example.com, without a path or anything else")
	}
	return nil
}

// checkDomain judges what -domain says.
func checkDomain(domain string) error {
	if u, err := url.Parse("https://" + domain); err != nil || domain == "" || u.Hostname() != domain {
		return misused("-domain %q is not the name of a host, such as onezone.example.com", domain)
	}
	return nil
}

// checkStore judges the form of what -store says, which may hold a password and
// is never quoted.
func checkStore(text string) error {
	scheme, rest, _ := strings.Cut(text, ":")
	switch scheme {
	case "memory":
		if rest == "" {
			return nil
		}
	case "sqlite":
		if rest == "" {
			return misused("-store sqlite: needs a path: sqlite:data/onezone.db")
		}
		return nil
	case "postgres", "postgresql", "redis", "rediss":
		if _, err := url.Parse(text); err != nil || !strings.HasPrefix(rest, "//") {
			return misused("-store %s://... is not a URL; write %s://USER:PASSWORD@HOST:PORT/DATABASE, "+
				"with %%XX for the characters of a password that have a meaning in URLs", scheme, scheme)
		}
		return nil
	}
	return misused("-store is one of sqlite:PATH, postgres://HOST/DB, redis://HOST and memory: alone")
}

// storeName returns what may be said of the value of -store: a URL without user,
// password and parameters.
func storeName(text string) string {
	scheme, _, _ := strings.Cut(text, ":")
	if scheme == "sqlite" || scheme == "memory" {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return scheme
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
