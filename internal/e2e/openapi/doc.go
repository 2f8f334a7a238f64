// Package openapi holds the answers of the token API against its OpenAPI
// document, and generates clients from it.
package openapi
