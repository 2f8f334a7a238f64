//go:build e2e

// Package probing asks an authority about ids that exist and ids that do not,
// and compares how long the answers take.
package probing

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// TestTimingOfLongTokensDoesNotRevealIDs presents tokens of 600 kB with a wrong
// signature, so that decoding and the HMAC chain dominate the time of a call.
func TestTimingOfLongTokensDoesNotRevealIDs(t *testing.T) {
	if testing.Short() {
		t.Skip("times say nothing under the race detector, which runs the short tests")
	}
	alice := caveat.User("alice")
	a, err := macaroon.NewAuthority(memory.New(), macaroon.WithRecognition(0, 0))
	require.NoError(t, err)
	_, err = a.CreateUser(t.Context(), macaroon.NewUser{ID: alice.ID})
	require.NoError(t, err)
	issued, err := a.IssueNamed(t.Context(), "known", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	require.NoError(t, err)
	forged := func(id string) string {
		token, err := macaroon.Mint(macaroon.Spec{Domain: "onezone", ID: id, Subject: alice, Type: macaroon.AccessToken()}, store.NewSecret("a guess"))
		require.NoError(t, err)
		for range 14 {
			token, err = token.Confine(caveat.MustParse("ip = 1.2.3.4" + strings.Repeat("|1.2.3.4", 4000)))
			require.NoError(t, err)
		}
		return token.String()
	}
	texts := []string{forged(issued.ID()), forged(strings.Repeat("0", len(issued.ID())))}
	fastest := []time.Duration{time.Hour, time.Hour}
	ratio := 0.0
	// A busy machine needs more rounds until each call once ran undisturbed.
	for round := 0; round < 2000 && (round < 50 || ratio < 0.95 || ratio > 1.05); round++ {
		for i, text := range texts {
			start := time.Now()
			_, err := a.VerifyAccess(t.Context(), text, caveat.Request{})
			fastest[i] = min(fastest[i], time.Since(start))
			require.Error(t, err)
		}
		ratio = float64(fastest[1]) / float64(fastest[0])
	}
	t.Logf("%d kB: id that exists %v, id that does not %v, ratio %.2f", len(texts[0])/1000, fastest[0], fastest[1], ratio)
	require.InDelta(t, 1, ratio, 0.1)
}
