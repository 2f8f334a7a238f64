package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// usageError is an error in the flags or environment variables. The program
// then exits with exitUsage before it changes anything.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usageErrorf returns a usage error.
func usageErrorf(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Exit codes of the program, besides 0.
const (
	exitFailure = 1
	exitUsage   = 2
)

// exitCode returns the exit code for the error of run.
func exitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, new(usageError)):
		return exitUsage
	}
	return exitFailure
}

// report writes one line for each error in err.
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

// usage is the first part of what -help prints.
const usage = `Usage: onezone [flags]

Onezone serves the token API of Onezone. With -create-user, -set-password,
-block, -unblock or -reseal it does only that and exits. The manual:
go doc github.com/onezone-go/onezone/examples/onezone

`

// wantError says which values a flag takes. It never quotes the value given.
type wantError string

// Error implements error.
func (e wantError) Error() string { return "want " + string(e) }

const (
	wantProxies wantError = "networks such as 10.0.0.0/8 and addresses such as 10.0.0.1, separated by commas"
	wantOrigins wantError = "origins such as https://app.example.com, without a path and separated by commas"
)

// value is a flag with a parser. The error for a bad text says which values the
// flag takes.
type value[T any] struct {
	of    *T
	parse func(text string) (T, error)
	takes wantError
}

func toggle(of *bool) flag.Value { return &value[bool]{of, strconv.ParseBool, "true or false"} }

func duration(of *time.Duration) flag.Value {
	return &value[time.Duration]{of, time.ParseDuration, "a number with a unit, such as 500ms or 5s"}
}

func level(of *slog.Level) flag.Value {
	parse := func(text string) (l slog.Level, err error) {
		err = l.UnmarshalText([]byte(text))
		return l, err
	}
	return &value[slog.Level]{of, parse, "debug, info, warn or error"}
}

func count(of *int, least int) flag.Value {
	takes := wantError("a whole number of at least " + strconv.Itoa(least))
	return &value[int]{of, func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err == nil && n < least {
			err = takes
		}
		return n, err
	}, takes}
}

// String implements [flag.Value]. Package flag omits defaults that equal the
// String of the zero value.
func (v *value[T]) String() string {
	var now T
	if v.of != nil {
		now = *v.of
	}
	return strings.ToLower(fmt.Sprint(now))
}

// Set implements [flag.Value].
func (v *value[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err != nil {
		return v.takes
	}
	*v.of = parsed
	return nil
}

// IsBoolFlag reports whether the flag may be given without a value.
func (v *value[T]) IsBoolFlag() bool {
	_, is := any(v.of).(*bool)
	return is
}

// checkAddress checks the value of -address before the program listens there.
func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return usageErrorf("-address %q is not HOST:PORT, such as 127.0.0.1:9080 or :9080", address)
	}
	return nil
}

// checkOrigin checks the value of -origin. "" is the default.
func checkOrigin(origin string) error {
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return usageErrorf("-origin must be a scheme and a host without a path, such as https://onezone.example.com")
	}
	return nil
}

// checkDomain checks the value of -domain.
func checkDomain(domain string) error {
	if u, err := url.Parse("https://" + domain); err != nil || domain == "" || u.Hostname() != domain {
		return usageErrorf("-domain %q is not a host name, such as onezone.example.com", domain)
	}
	return nil
}

// checkStore checks the form of the value of -store. It never quotes the value,
// which may hold a password.
func checkStore(text string) error {
	scheme, rest, _ := strings.Cut(text, ":")
	switch scheme {
	case "memory":
		if rest == "" {
			return nil
		}
	case "sqlite":
		if rest == "" {
			return usageErrorf("-store sqlite: needs a path: sqlite:data/onezone.db")
		}
		return nil
	case "postgres", "postgresql", "redis", "rediss":
		if _, err := url.Parse(text); err != nil || !strings.HasPrefix(rest, "//") {
			return usageErrorf("-store %s://... is not a URL; write %s://USER:PASSWORD@HOST:PORT/DATABASE, "+
				"with the special characters of a password percent-encoded", scheme, scheme)
		}
		return nil
	}
	return usageErrorf("-store must be sqlite:PATH, postgres://HOST/DB, redis://HOST, or memory: alone")
}

// storeName returns the printable part of the value of -store: a URL without
// user, password and parameters.
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
