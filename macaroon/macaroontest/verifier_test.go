package macaroontest_test

import (
	"testing"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

func TestConformanceOfAuthority(t *testing.T) {
	t.Parallel()
	macaroontest.TestVerifier(t, func(_ *testing.T, onezone *macaroontest.Remote) macaroon.Verifier {
		return onezone.Authority
	})
}
