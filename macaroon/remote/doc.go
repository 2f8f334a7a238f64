// Package remote verifies tokens at an Onezone that somebody else runs.
//
// [New] returns a [Client] for the URL of the Onezone. A Client is a
// [github.com/onezone-go/onezone/macaroon.Verifier], like an Authority that
// holds the secrets itself.
package remote
