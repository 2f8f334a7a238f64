module github.com/onezone-go/onezone/examples

go 1.26.0

require (
	github.com/onezone-go/onezone v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/macaroon/discharge v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/macaroon/grpcauth v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/macaroon/remote v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/store/cache v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/store/postgres v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/store/redis v0.0.0-00010101000000-000000000000
	github.com/onezone-go/onezone/store/sqlite v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
	golang.org/x/net v0.60.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.12.0 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/maypok86/otter/v2 v2.4.0 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/redis/rueidis v1.0.79 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/sony/gobreaker/v2 v2.4.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.16.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261110000943-09e21b237f2c // indirect
	gopkg.in/macaroon.v2 v2.1.0 // indirect
	modernc.org/libc v1.80.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
	modernc.org/sqlite v1.62.0 // indirect
)

replace (
	github.com/onezone-go/onezone => ../
	github.com/onezone-go/onezone/macaroon/discharge => ../macaroon/discharge
	github.com/onezone-go/onezone/macaroon/gate => ../macaroon/gate
	github.com/onezone-go/onezone/macaroon/grpcauth => ../macaroon/grpcauth
	github.com/onezone-go/onezone/macaroon/remote => ../macaroon/remote
	github.com/onezone-go/onezone/store/cache => ../store/cache
	github.com/onezone-go/onezone/store/postgres => ../store/postgres
	github.com/onezone-go/onezone/store/redis => ../store/redis
	github.com/onezone-go/onezone/store/sqlite => ../store/sqlite
)
