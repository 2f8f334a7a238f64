// Package confinement attacks the token API over real connections as a client
// that has confined or forged tokens.
package confinement
