package restcases

import (
	"net/http"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// unused returns the cases of lists that are limited to unused tokens with a
// time that is not one.
func unused() (list []Case) {
	for _, l := range []struct {
		route, path string
		as          caveat.Subject
	}{
		{"/tokens/named", "/tokens/named", Ada},
		{"/users/{id}/tokens/named", "/users/u-alice/tokens/named", Alice},
		{"/user/tokens/named", "/user/tokens/named", Alice},
		{"/user/tokens/records", "/user/tokens/records", Alice},
		{"/providers/{id}/tokens/named", "/providers/p-krakow/tokens/named", Krakow},
		{"/provider/tokens/named", "/provider/tokens/named", Krakow},
	} {
		list = append(list, Case{"GET " + l.route, BadInput, "unused since yesterday", func(w *Fixture) (Request, Want) {
			return Request{Method: http.MethodGet, Path: l.path + "?unusedSince=yesterday", As: w.By(w.tb, l.as)},
				refused(errors.BadValueInteger("unusedSince"))
		}})
	}
	return list
}
