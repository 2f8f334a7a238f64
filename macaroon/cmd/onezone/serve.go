package main

import "github.com/spf13/cobra"

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
--domain, --origin, --allowed-origins and --trusted-proxies is set, and prints
two curl commands to try on standard output.

Besides the API it answers:

  GET /healthz   200 while the process serves
  GET /readyz    200 while the store answers and its secrets can be read;
                 else 503 serviceUnavailable
  GET /metrics   for Prometheus; hide it from the public at your proxy

The domain with the scheme https is what Location headers begin with, or with
the default domain the address; --origin is for other cases.

See "onezone help" for settings, limits, logs, pooler and seal-keys.`,
		Example: `  onezone serve
  onezone serve --address 127.0.0.1:9080 --store sqlite:data/onezone.db --seal-key-file keys
  onezone serve --config /etc/onezone/onezone.toml
  ONEZONE_STORE=postgres://onezone@db/onezone onezone serve --domain onezone.example.com`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := p.configured(c.Flags(), s); err != nil {
				return err
			}
			return serve(c.Context(), *s, p.stdio)
		},
	}
	s.allFlags(c.Flags())
	return c
}
