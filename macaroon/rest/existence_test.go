package rest_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// The time of a response does not reveal to a client without rights whether a
// token exists, whatever the size of the record.
func TestTimingDoesNotRevealWhetherATokenExists(t *testing.T) {
	if testing.Short() {
		t.Skip("times say nothing under the race detector, which runs the short tests")
	}
	w := restcases.NewFixture(t)
	list := "ip = 1.2.3.4/32" + strings.Repeat("|1.2.3.4/32", 4000)
	big := store.Token{
		ID: "big", Name: "big", Version: 2, Subject: restcases.Alice, Type: "act", Secret: store.NewSecret("big"), Created: 1,
		Caveats: slices.Repeat([]string{list}, 10),
	}
	old := big
	old.ID, old.Name, old.Version = "old", "old", 1
	for _, record := range []store.Token{big, old} {
		require.NoError(t, second(w.Store.CreateToken(t.Context(), record, 0)))
	}
	version1 := func(id string) string {
		token, err := macaroon.Mint(macaroon.Spec{Version: 1, Domain: "d", ID: id}, store.NewSecret("a guess"))
		require.NoError(t, err)
		return token.String()
	}
	for name, c := range map[string]struct {
		method, there, absent, body string
		by                          caveat.Subject
	}{
		"GET":           {"GET", "/tokens/named/big", "/tokens/named/abs", "", restcases.Bob},
		"PATCH":         {"PATCH", "/tokens/named/big", "/tokens/named/abs", `{"name":"desk"}`, restcases.Bob},
		"DELETE":        {"DELETE", "/tokens/named/big", "/tokens/named/abs", "", restcases.Lyon},
		"status":        {"GET", "/tokens/named/big/status", "/tokens/named/abs/status", "", restcases.Bob},
		"legacy DELETE": {"DELETE", "/user/client_tokens/" + version1("old"), "/user/client_tokens/" + version1("abs"), "", restcases.Bob},
	} {
		t.Run(name, func(t *testing.T) {
			as := w.By(t, c.by)
			ask := func(path string) time.Duration {
				r := httptest.NewRequest(c.method, rest.Prefix+path, strings.NewReader(c.body)).WithContext(t.Context())
				r.Header.Set("Content-Type", "application/json")
				as(r)
				rec := httptest.NewRecorder()
				begin := time.Now()
				w.Handler.ServeHTTP(rec, r)
				took := time.Since(begin)
				require.GreaterOrEqual(t, rec.Code, 400)
				return took
			}
			// The shortest of many times: at least one was undisturbed.
			there, absent := ask(c.there), ask(c.absent)
			for range 1000 {
				there, absent = min(there, ask(c.there)), min(absent, ask(c.absent))
			}
			t.Logf("there %v, absent %v", there, absent)
			require.Less(t, there, 2*absent)
			require.Less(t, absent, 2*there)
		})
	}
	_, err := w.Authority.Get(t.Context(), "big")
	require.NoError(t, err, "nothing was deleted")
}
