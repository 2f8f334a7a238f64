package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/macaroon"
)

// lastUseSettings say whether and how the uses of tokens are recorded.
type lastUseSettings struct {
	on       bool
	address  string // what is kept of the address of a client
	interval time.Duration
}

// keptAddresses are the values of --last-use-address.
var keptAddresses = map[string]macaroon.AddressKept{
	"network": macaroon.AddressNetwork, "whole": macaroon.AddressWhole, "none": macaroon.AddressNone,
}

func (s *lastUseSettings) flags(f *pflag.FlagSet) {
	s.on, s.address, s.interval = true, "network", time.Minute
	toggle(f, &s.on, "last-use", "record when, where and how often named tokens are used; --last-use=false turns it off")
	f.Var(oneOf(&s.address, "network", "whole", "none"), "last-use-address", "what is kept of a client's `ADDRESS` with the last use: network (/24 or /48), whole or none")
	f.Var(durationFlag(&s.interval), "last-use-interval", "`DURATION` between writes of last uses; a crash loses the uses of about so long")
}

func (s *lastUseSettings) check() error {
	return failUnless(s.interval >= time.Second, "--last-use-interval must be at least 1s")
}

// options returns the options of the authority.
func (s lastUseSettings) options(log *slog.Logger) []macaroon.Option {
	if !s.on {
		return nil
	}
	return []macaroon.Option{macaroon.WithLastUse(macaroon.LastUse{
		Address: keptAddresses[s.address], Interval: s.interval,
		OnError: func(err error) { log.Error("the last uses of tokens were not written", "error", err) },
	})}
}

// lastUseTimeout limits the time to write the last uses at a shutdown.
const lastUseTimeout = 10 * time.Second

// closeAuthority writes the last uses of tokens. A failure does not make the
// shutdown one.
func (v *service) closeAuthority() {
	if v.authority == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastUseTimeout)
	defer cancel()
	if err := v.authority.Close(ctx); err != nil {
		v.log.Error("the last uses of tokens are lost", "error", err)
	}
}
