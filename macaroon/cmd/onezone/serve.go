package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (p *program) serveCommand() *cobra.Command {
	s := newSettings()
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the token API",
		Long: `Serves the token API of Onezone until SIGINT or SIGTERM, then finishes the
accepted requests and exits; acknowledged changes are durable. A second signal
ends it at once. Logs go to standard error.

With the default store on a loopback address it creates a demo user, as long as
there are no other users and none of --store, --seal-key-file, --tls-cert,
--domain, --origin, --allowed-origins, --trusted-proxies, --oidc-issuer and
--basic-auth is set, and prints two curl commands to try on standard output.

Besides the API it answers:

  GET /          a page on which users see, create, narrow and revoke their tokens;
                 --page=false turns it off
  GET /healthz   200 while the process serves
  GET /readyz    200 while the store answers and its secrets can be read; else
                 503 serviceUnavailable, also for the time of --drain after a
                 signal, so that a proxy sends requests elsewhere

--admin-address answers the same, and GET /metrics for Prometheus and the
profiles of Go under /debug/pprof/. Keep it from the public. If its default
address is in use, the service does without.

SIGHUP reads the configuration file again and applies --tls-cert, --tls-key,
--seal-key-file, --log-level and --audit, with the content of their files, without
dropping a connection. If anything is wrong, all of it stays as it was, and the
log says why. Other changed settings wait for the next start.

--geoip names a file such as GeoLite2-Country.mmdb or GeoLite2-ASN.mmdb, and may
be repeated for one of each. Without it, no caveat about countries, regions or
autonomous systems holds. A file that changes is loaded within ten seconds, or at
SIGHUP.

The domain with the scheme https is what Location headers begin with, or with
the default domain the address; --origin is for other cases.

See "onezone help" for settings, limits, logs, identity-provider, pooler and
seal-keys.`,
		Example: `  onezone serve
  onezone serve --address 127.0.0.1:9080 --store sqlite:data/onezone.db --seal-key-file keys
  onezone serve --config /etc/onezone/onezone.toml
  ONEZONE_STORE=postgres://onezone@db/onezone onezone serve --domain onezone.example.com`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := p.configured(c.Flags(), s); err != nil {
				return err
			}
			return p.serve(c.Context(), *s, p.reloader(c.Flags()))
		},
	}
	s.allFlags(c.Flags())
	return c
}

// reloader returns a function that reads the settings again: the flags are those
// of the command line, and the configuration file may have changed.
func (p *program) reloader(f *pflag.FlagSet) reloader {
	given, before := map[string]string{}, map[string]string{}
	f.VisitAll(func(each *pflag.Flag) {
		before[each.Name] = each.Value.String()
		if each.Changed {
			given[each.Name] = each.Value.String()
		}
	})
	return func() (s settings, changed []string, err error) {
		next, f := newSettings(), pflag.NewFlagSet("serve", pflag.ContinueOnError)
		next.allFlags(f)
		configFlag(f)
		for name, value := range given {
			_ = f.Set(name, value) // which was accepted at the start
		}
		if _, err := p.configured(f, next); err != nil {
			return s, nil, err
		}
		f.VisitAll(func(each *pflag.Flag) {
			if each.Value.String() != before[each.Name] {
				changed = append(changed, each.Name)
			}
		})
		return *next, changed, nil
	}
}
