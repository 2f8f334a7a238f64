// Package outgoing confines the tokens that clients send.
package outgoing

import (
	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon"
)

// Text returns the text of a copy of the token with the caveats. It has the
// prefix of the service that presents the token, if the token had one. Errors
// are operational.
func Text(token macaroon.Token, cs ...caveat.Caveat) (string, error) {
	confined, err := token.Confine(cs...)
	if err != nil {
		return "", operational.Error("confine the token to send", err)
	}
	if token.Indicated() == 0 {
		return confined.String(), nil
	}
	text, err := confined.IndicatedBy(token.Indicated())
	if err != nil {
		return "", operational.Error("write the token to send", err)
	}
	return text, nil
}
