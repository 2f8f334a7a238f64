package remote_test

import (
	"testing"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// anyRate allows as many questions as a test asks.
const anyRate = 1_000_000

func TestConformanceOfClient(t *testing.T) {
	t.Parallel()
	macaroontest.TestVerifier(t, func(t *testing.T, onezone *macaroontest.Remote) macaroon.Verifier {
		return connect(t, onezone.Origin, remote.WithClock(onezone.Clock.Now), remote.WithMaxRate(anyRate))
	})
}
