// Package storetest is the conformance suite of package store. A backend
// conforms to the contract if it passes:
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return memory.New() })
//	}
//
// The suite checks every sentence of the contract, using only methods of the
// contract:
//
//   - which records are stored and which are refused, with which error;
//   - concurrent writers lose no updates;
//   - no memory is shared with the caller;
//   - a done context stops every call;
//   - texts are compared byte for byte;
//   - a store without a feed reports that it has none.
//
// Results do not depend on the speed of a backend. Checks that wait have a
// generous timeout.
package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
)

// Run checks the backend in subtests of t, one at a time. open must return a
// new, empty store at each call. A check may open two stores at once, and Run
// closes them. open should release its other resources in t.Cleanup.
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
		{"Parents", mintedChecks},
		{"CountTokens", countChecks},
		{"Identities", identityChecks},
		{"UpdateIdentity", identityUpdateChecks},
		{"Uses", useChecks},
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

// check is one subtest, named after the rule that it checks.
type check struct {
	name string
	run  func(t *testing.T, open func() store.Store)
}
