module github.com/onezone-go/onezone/macaroon/bench

go 1.26.0

require (
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/onezone-go/onezone v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
	github.com/superfly/macaroon v0.3.0
	gopkg.in/macaroon.v2 v2.1.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/vmihailenco/msgpack/v5 v5.3.5 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/onezone-go/onezone => ../..
