// Package confinement attacks the token API over real connections, as a client
// with confined or forged tokens.
package confinement
