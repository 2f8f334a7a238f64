package macaroontest_test

import (
	"net/http"
	"testing"

	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// A client of an Onezone tries again when the Onezone is unavailable.
func ExampleNewRemote() {
	_ = func(t *testing.T) { // func TestClientTriesAgain(t *testing.T)
		onezone := macaroontest.NewRemote(t)
		onezone.Behave(macaroontest.Unavailable(), macaroontest.Behavior{}) // fails once, then works

		for range 2 { // the client under test, with onezone.Origin as the URL of its Onezone
			res, err := http.Get(onezone.URL + "/configuration")
			if err == nil {
				_ = res.Body.Close()
			}
		}
		if n := len(onezone.Requests("/configuration")); n != 2 {
			t.Errorf("want 2 requests, got %d", n)
		}
	}
	// Output:
}
