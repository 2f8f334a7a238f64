// Package storetest is the conformance suite of package store: a backend is
// right when it passes.
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return memory.New() })
//	}
//
// The suite checks each sentence of the contract, through the contract alone:
// what is kept and what is refused, which class of error is returned, that
// concurrent writers lose nothing, that no memory is shared, that a done context
// stops every call, and that texts are compared byte for byte. Of a store without a
// feed it checks that it says so.
//
// Nothing depends on the speed of a backend, except that a check which waits
// gives up after a time that no working backend needs.
package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
)

// Run checks the backend in subtests of t. open returns a new, empty store each
// time; a check may have two of them open at once and closes them itself. What
// open needs besides, it releases in t.Cleanup. Subtests run one at a time.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, area := range []struct {
		name   string
		checks []check
	}{
		{"Keys", keyChecks},
		{"TemporaryKeys", temporaryChecks},
		{"Tokens", tokenChecks},
		{"TokenRecords", tokenRecordChecks},
		{"UpdateToken", updateChecks},
		{"ListTokens", listingChecks},
		{"ListTokenIDs", listIDsChecks},
		{"CountTokens", countChecks},
		{"Identities", identityChecks},
		{"UpdateIdentity", identityUpdateChecks},
		{"Texts", textChecks},
		{"Aliasing", aliasingChecks},
		{"Context", contextChecks},
		{"Archive", archiveChecks},
		{"Watch", watcherChecks},
		{"ReplaceTemporarySecret", replacerChecks},
		{"ActiveHolders", guardChecks},
	} {
		t.Run(area.name, func(t *testing.T) {
			for _, c := range area.checks {
				t.Run(c.name, func(t *testing.T) {
					c.run(t, func() store.Store {
						s := open(t)
						require.NotNil(t, s, "open returned no store")
						t.Cleanup(func() {
							if err := s.Close(); err != nil {
								t.Errorf("close the store: %v", err)
							}
						})
						return s
					})
				})
			}
		})
	}
}

// check is one subtest: what a backend does, and whether it does.
type check struct {
	name string
	run  func(t *testing.T, open func() store.Store)
}
