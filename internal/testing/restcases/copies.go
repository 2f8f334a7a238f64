package restcases

import (
	"net/http"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// copies returns the cases of revoke_copy that are about certain tokens.
func copies() []Case {
	do := func(g Group, name string, token func(w *Fixture) macaroon.Token, want Want) Case {
		return Case{"POST /tokens/named/{id}/revoke_copy", g, name, func(w *Fixture) (Request, Want) {
			t := token(w)
			return Request{
				Method: http.MethodPost, Path: w.fill("/tokens/named/{laptop}/revoke_copy"), As: w.By(w.tb, Alice),
				Body: encode(w.tb, object{"token": t.String()}),
			}, want
		}}
	}
	return []Case{
		do(Success, "the token itself", func(w *Fixture) macaroon.Token { return w.Laptop }, bare(http.StatusNoContent)),
		do(BadInput, "another token", func(w *Fixture) macaroon.Token { return w.ID }, refused(errors.BadDataHint("token", "it is not a copy of this token"))),
		do(BadInput, "a forged copy", func(w *Fixture) macaroon.Token { return w.forge(macaroon.Spec{ID: w.Laptop.ID()}) }, refused(errors.TokenInvalid())),
		do(BadInput, "a copy of a revoked token", func(w *Fixture) macaroon.Token {
			w.must(w.tb, w.Authority.Revoke(w.tb.Context(), w.Laptop.ID()))
			return w.confinedCopy("laptop")
		}, refused(errors.TokenRevoked())),
	}
}
