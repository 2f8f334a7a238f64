// Package confinement attacks the token API over real connections as a client
// that has confined, forged or guessed tokens.
package confinement
