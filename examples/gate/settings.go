package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/sqlite"
)

// usageError is an error in the arguments.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usageErrorf(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// settings are the values of the flags.
type settings struct {
	rules, onezone, store, address string
	maxAge                         time.Duration
	proxies                        []netip.Prefix
	level                          slog.Level
}

func parseSettings(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("gate", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints the error
	flags.StringVar(&s.rules, "rules", "", "`FILE` with the rules")
	flags.StringVar(&s.onezone, "onezone", "", "`URL` of the Onezone that verifies the tokens")
	flags.StringVar(&s.store, "store", "", "`STORE` of an Onezone of your own: sqlite:PATH, postgres://... or redis://...")
	flags.StringVar(&s.address, "address", "127.0.0.1:9081", "`HOST:PORT` to listen on")
	flags.DurationVar(&s.maxAge, "max-age", remote.DefaultMaxAge, "how long an answer of the Onezone is used")
	flags.TextVar(&s.level, "log-level", slog.LevelInfo, "debug, info, warn or error")
	proxies := flags.String("trusted-proxies", "127.0.0.0/8,::1/128", "`NETWORKS` of the proxies that may ask, separated by commas")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return s, err
	case err != nil:
		return s, usageErrorf("%w; --help lists all flags", err)
	}
	for text := range strings.SplitSeq(*proxies, ",") {
		network, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return s, usageErrorf("--trusted-proxies: %q must be a network such as 10.0.0.0/8", text)
		}
		s.proxies = append(s.proxies, network)
	}
	switch {
	case flags.NArg() > 0:
		return s, usageErrorf("unexpected argument %q; gate takes flags, or check RULES METHOD PATH", flags.Arg(0))
	case s.rules == "":
		return s, usageErrorf("--rules FILE is required")
	case (s.onezone == "") == (s.store == ""):
		return s, usageErrorf("either --onezone URL or --store STORE is required")
	case s.maxAge < 0:
		return s, usageErrorf("--max-age must not be negative")
	}
	return s, nil
}

// verifier is a verifier with a resource to close.
type verifier struct {
	macaroon.Verifier
	io.Closer
}

// openVerifier opens the Onezone or the store of the settings.
func (s settings) openVerifier(ctx context.Context, log *slog.Logger) (verifier, error) {
	if s.onezone != "" {
		client, err := remote.New(s.onezone, remote.WithMaxAge(s.maxAge, min(s.maxAge, remote.DefaultNegativeMaxAge)), remote.WithLogger(log))
		if err != nil {
			return verifier{}, fmt.Errorf("--onezone: %w", err)
		}
		return verifier{client, client}, nil
	}
	records, err := openStore(ctx, s.store)
	if err != nil {
		return verifier{}, fmt.Errorf("--store: %w", err)
	}
	if err := store.CheckSeal(ctx, records); err != nil {
		return verifier{}, errors.Join(fmt.Errorf("--store: %w", err), records.Close())
	}
	authority, err := macaroon.NewAuthority(records)
	if err != nil {
		return verifier{}, errors.Join(err, records.Close())
	}
	return verifier{authority, records}, nil
}

// openStore opens a store that an Onezone has created.
func openStore(ctx context.Context, name string) (store.Store, error) {
	scheme, path, _ := strings.Cut(name, ":")
	switch scheme {
	case "sqlite":
		return sqlite.Open(ctx, path, sqlite.Options{})
	case "postgres", "postgresql":
		return postgres.Open(ctx, name, postgres.Options{})
	case "redis", "rediss":
		return redis.Open(ctx, name, redis.Options{})
	}
	return nil, usageErrorf("it must be sqlite:PATH, postgres://... or redis://...")
}
