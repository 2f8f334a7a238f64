module github.com/onezone-go/onezone/macaroon/discharge

go 1.26.0

require (
	github.com/onezone-go/onezone v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
	golang.org/x/crypto v0.58.0
	gopkg.in/macaroon.v2 v2.1.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/onezone-go/onezone => ../..
