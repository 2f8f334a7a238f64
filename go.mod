module github.com/onezone-go/onezone

go 1.26

require github.com/stretchr/testify v1.12.1

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.0.0-20180723164146-c126467f60eb // indirect
	gopkg.in/macaroon.v2 v2.1.0 // indirect
)
