package main

import "github.com/spf13/cobra"

// topics returns the chapters of the manual that belong to several commands.
// "onezone help NAME" prints one.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "settings", Short: "Flags, variables and the configuration file", Long: settingsTopic},
		{Use: "seal-keys", Short: "The file of keys that encrypt secrets", Long: sealKeysTopic},
		{Use: "limits", Short: "Limits on clients", Long: limitsTopic},
		{Use: "logs", Short: "What is logged", Long: logsTopic},
		{Use: "identity-provider", Short: "Log-in with the tokens of an OpenID Connect issuer", Long: identityProviderTopic},
		{Use: "pooler", Short: "PostgreSQL behind a connection pooler", Long: poolerTopic},
	}
}

const settingsTopic = `A setting is a flag of "onezone serve". It can also be an environment variable,
such as ONEZONE_LOG_LEVEL for --log-level, or a key of one configuration file,
which --config or ONEZONE_CONFIG names. A flag takes precedence over a
variable, and a variable over the file. Other commands use the settings that
they have flags for. Other variables are ignored.

The file is TOML. The keys are the names of flags:

  address = "127.0.0.1:9080"
  store = "sqlite:/var/lib/onezone/onezone.db"
  seal-key-file = "/etc/onezone/seal.key"
  trusted-proxies = ["10.0.0.0/8", "192.0.2.1"]
  max-connections = 2000

Unknown keys are errors. "onezone config check" prints each value and where it
comes from.`

const sealKeysTopic = `Each line of a seal key file is a key: its name, a space, and 32 random bytes in
base64. The first key encrypts, all keys decrypt. Names must be unique. Lines
that begin with # are comments. Only the owner may have access to the file
(mode 0600 or 0400).

  (umask 077; echo "2026-01 $(head -c 32 /dev/urandom | base64)" > seal.key)

A sealed store cannot be opened without its keys: the program reports an error
at the start and exits, and a running service is not ready. "onezone store seal"
converts a store that was in use without keys, and one that an earlier release
sealed without the digest of records. Forged secrets in such a store look
genuine afterwards.

To retire a key, put a new one first in the file, restart all processes of the
service, run "onezone store reseal", and remove the old key. The service may run
at the same time, except during a conversion. SQLite files contain no secrets in
clear afterwards; for PostgreSQL and Redis see the documentation of package
store/seal.`

const limitsTopic = `Limits ensure that no client blocks others. The memory of the program stays below
128 MB whatever clients send, without the cache, a store in memory and geo
databases, which take the memory of their files.

  --max-header-bytes
      request line and headers; HTTP/1 allows 4 KiB more. The server answers
      larger ones with 431 and no JSON, before the API sees them. New tokens
      have up to half of the limit, 8 KiB (tokenTooLarge). Larger limits need
      more memory than the 128 MB
  --max-connections
      of all clients; fewer if the process may have fewer file descriptors. A
      new connection replaces the one that has been idle for the longest; if
      none is idle, the new one is closed
  --max-connections-per-address
      the same for one address that is not a trusted proxy. A proxy that is not
      trusted counts as one client
  --max-requests-per-client
      concurrent requests of one user, or without credentials of one address;
      further ones are answered with 429 temporaryFailure and Retry-After

IPv6 addresses with the same first 64 bits count as one address. Headers must
arrive within 5 seconds, the body within 30 seconds, and the response may take a
minute. A connection without a request is closed after two minutes. Bodies have
at most 2 MiB (413). Memory for large bodies and for lists of full tokens is
limited: a request that gets none within 5 seconds is answered with 429, or 503
if other clients use the memory, and Retry-After. A user has at most 10,000 named
tokens of 256 KiB (limitReached).

Set GOMEMLIMIT, a variable of the Go runtime, if the cache or a store in memory is
large: for example GOMEMLIMIT=200MiB in a container with 256 MiB. The service
reserves 32 MiB of addresses that take no memory and count towards that limit, so
that its garbage collector rarely runs. With the variable GOGC it does not.

Ten log-ins in a row may fail for a user name, and one more every six seconds;
further ones are answered with 429. The limit of an address is ten times as high.
Each process counts separately: N replicas allow N times the guesses.

While the store is down, requests are answered with 503 serviceUnavailable.
Verifications that the cache can answer continue for its short TTL. The service
recovers when the store does.`

const logsTopic = `Each request has a line with its id (X-Request-Id of a proxy, or a new one), the
address and identity of the client, and the authentication method. Each change,
log-in and failed log-in has a line of its own. Failed log-ins are warnings with
the user name. Commands that change users or tokens log the same events, with
the account of the operator, but changes only with --log-level info. Lines never
contain passwords or tokens.`

const identityProviderTopic = `Clients can log in with access tokens of an OpenID Connect issuer, such as EGI
Check-in or Keycloak. They send the prefix and the token in X-Auth-Token:

  onezone serve --oidc-issuer https://aai.egi.eu/auth/realms/egi --oidc-prefix egi: \\
    --oidc-audience https://onezone.example.com \\
    --oidc-groups-claim eduperson_entitlement --oidc-allowed-group GROUP

The user is created at the first log-in, without a password. The id of the user
depends on the issuer and the subject of the token alone. --oidc-username-claim
only names a new user, and only if the name is valid and free.

A token must be a JWT for one of the audiences. --oidc-any-audience accepts all
tokens of the issuer instead, also those that are not JWTs, and every service
that users of the issuer log in to can then act as these users. Groups are
checked at each log-in. To end the access of a user, block the user: a user who
is deleted is created again.

With --oidc-client-id, users can also log in on the page. Register the client at
the issuer for the authorization code flow with PKCE, and with the URL
https://onezone.example.com/page/idp/callback, or give --oidc-redirect-url if the
page is elsewhere:

  --oidc-client-id onezone --oidc-client-secret-file /etc/onezone/client-secret

If the issuer does not answer, log-ins with its tokens fail, and known keys are
used for an hour. Everything else goes on, and the log has a warning.`

const poolerTopic = `A pooler that assigns connections per session needs no settings. A pooler that
assigns them per transaction, such as PgBouncer with pool_mode=transaction,
breaks the feed of changes that keeps caches current. Set --feed-url to bypass
it. PgBouncer before 1.21 also needs default_query_exec_mode=exec:

  --store 'postgres://onezone@bouncer:6432/onezone?default_query_exec_mode=exec'
  --feed-url postgres://onezone@db:5432/onezone

Without a feed, a token that another replica has revoked is refused after at most
2 seconds. The log has a warning, and the metric onezone_cache_feed_up is 0.`
