package macaroontest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// Addresses of the clients in the suite. 10.0.0.0/8 contains only the first,
// and neither is in the geo database.
var (
	address   = netip.MustParseAddr("10.1.2.3")
	elsewhere = netip.MustParseAddr("192.0.2.7")
	warsaw    = netip.MustParseAddr("1.2.3.4") // in the geo database, in PL
)

var discard = slog.New(slog.DiscardHandler)

// mint returns a named token of the subject, of a type that the authority may
// not issue. It exists only in the store.
func (tr *trial) mint(subject caveat.Subject, typ macaroon.Type) macaroon.Token {
	tr.Helper()
	return tr.record(macaroon.Spec{Subject: subject, Type: typ}, subject)
}

// version1 returns a token of version 1, which does not contain its subject.
func (tr *trial) version1(subject caveat.Subject) macaroon.Token {
	tr.Helper()
	return tr.record(macaroon.Spec{Version: 1, Type: macaroon.AccessToken()}, subject)
}

func (tr *trial) record(spec macaroon.Spec, subject caveat.Subject) macaroon.Token {
	tr.Helper()
	tr.lookups.mu.Lock()
	tr.lookups.minted++
	spec.ID, spec.Domain = fmt.Sprintf("minted-%d", tr.lookups.minted), tr.Authority.Domain()
	tr.lookups.mu.Unlock()
	secret := store.NewSecret("the secret of " + spec.ID)
	token, err := macaroon.Mint(spec, secret)
	require.NoError(tr, err)
	_, err = tr.Store.CreateToken(tr.Context(), store.Token{
		ID: spec.ID, Name: spec.ID, Version: max(spec.Version, token.Version()), Subject: subject,
		Type: spec.Type.String(), Secret: secret, Created: Start.Unix(),
	}, 0)
	require.NoError(tr, err)
	return token
}

// party returns a token that proves the identity of the subject. The subject is
// created if it does not exist.
func (tr *trial) party(subject caveat.Subject) caveat.PartyToken {
	tr.Helper()
	tr.create(subject)
	return caveat.PartyToken(tr.mint(subject, macaroon.IdentityToken()).String())
}

// service returns a token that proves to be the service of a Oneprovider.
func (tr *trial) service(s caveat.Service) caveat.PartyToken {
	tr.Helper()
	prefix := "opw-"
	if s.Type == caveat.OpPanel {
		prefix = "opp-"
	}
	return caveat.PartyToken(prefix) + tr.party(caveat.Provider(s.ID))
}

// create makes the subject known to the Onezone, if it is not.
func (tr *trial) create(subject caveat.Subject) {
	tr.Helper()
	if _, err := tr.Store.GetIdentity(tr.Context(), subject); err == nil {
		return
	}
	require.NoError(tr, tr.Store.CreateIdentity(tr.Context(), store.Identity{Subject: subject, FullName: "Somebody", Created: Start.Unix()}))
}

// requireJSON requires that two values have the same JSON.
func requireJSON(tr *trial, want, got any) {
	tr.Helper()
	require.JSONEq(tr, toJSON(tr, want), toJSON(tr, got))
}

func toJSON(tr *trial, v any) string {
	tr.Helper()
	data, err := json.Marshal(v)
	require.NoError(tr, err)
	return string(data)
}

// inParallel calls do from n goroutines and requires that no call fails.
func inParallel(tr *trial, n int, do func(i int) error) {
	tr.Helper()
	var wg sync.WaitGroup
	failures := make(chan error, n)
	for i := range n {
		wg.Go(func() { failures <- do(i) })
	}
	wg.Wait()
	close(failures)
	for err := range failures {
		require.NoError(tr, err)
	}
}
