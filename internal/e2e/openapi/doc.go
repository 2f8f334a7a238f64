// Package openapi compares the answers of the token API with its OpenAPI
// document, and generates clients from the document.
package openapi
