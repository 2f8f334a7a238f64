module github.com/onezone-go/onezone/macaroon/cmd/onezone

go 1.26.0

require (
	github.com/onezone-go/onezone v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/caveat/geoip v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/macaroon/metrics v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/macaroon/oidc v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/store/cache v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/store/postgres v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/store/redis v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/store/sqlite v0.0.0-00010101000000-000000000000
	github.com/pelletier/go-toml/v2 v2.4.3
	github.com/prometheus/client_golang v1.25.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.1.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/term v0.48.0
	golang.org/x/text v0.43.0
)

require (
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/sony/gobreaker/v2 v2.4.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/coreos/go-oidc/v3 v3.21.0 // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/go-jose/go-jose/v4 v4.1.9 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.12.0 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/maypok86/otter/v2 v2.4.0 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/onezone-go/onezone/macaroon/gate v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/macaroon/remote v0.0.0-00010101000000-000000000000
	github.com/oschwald/maxminddb-golang/v2 v2.9.0 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/redis/rueidis v1.0.79 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
	gopkg.in/macaroon.v2 v2.1.0 // indirect
	modernc.org/libc v1.80.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
	modernc.org/sqlite v1.62.0 // indirect
)

replace (
	github.com/onezone-go/onezone => ../../..
	github.com/onezone-go/onezone/caveat/geoip => ../../../caveat/geoip
	github.com/onezone-go/onezone/macaroon/metrics => ../../metrics
	github.com/onezone-go/onezone/macaroon/oidc => ../../oidc
	github.com/onezone-go/onezone/macaroon/remote => ../../remote
	github.com/onezone-go/onezone/store/cache => ../../../store/cache
	github.com/onezone-go/onezone/store/postgres => ../../../store/postgres
	github.com/onezone-go/onezone/store/redis => ../../../store/redis
	github.com/onezone-go/onezone/store/sqlite => ../../../store/sqlite
)

replace github.com/onezone-go/onezone/macaroon/gate => ../../gate
