// Package openapitest holds the answers of the token API against its OpenAPI
// document, and generates clients from it. It is a module of its own so that
// nobody who uses the API has to download a validator and generators.
package openapitest
