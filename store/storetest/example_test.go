package storetest_test

import (
	"testing"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/storetest"
)

// A backend needs only this test to run the whole suite.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestConformance(t *testing.T)
		storetest.Run(t, func(t *testing.T) store.Store {
			// A backend on a database makes a new, empty schema here.
			return memory.New()
		})
	}
	// Output:
}
