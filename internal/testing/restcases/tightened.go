package restcases

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/store"
)

// tightened returns the cases of caveats that were added to a record, of
// families and of canaries.
func tightened() (list []Case) {
	const onlyREST = `[{"type":"interface","interface":"rest"}]`
	added := fmt.Sprint(macaroontest.Start.Unix())
	tighten := func(w *Fixture) {
		w.must(w.tb, w.Authority.Tighten(context.Background(), w.Laptop.ID(), caveat.REST))
	}
	on := func(method, path string, g Group, name string, make func(w *Fixture) (Request, Want)) {
		list = append(list, Case{method + " " + path, g, name, func(w *Fixture) (Request, Want) {
			r, want := make(w)
			r.Method = method
			if r.As == nil && strings.HasPrefix(path, "/tokens/named") {
				r.As = w.By(w.tb, Alice)
			}
			return r, want
		}})
	}
	const byID = "/tokens/named/{id}"
	laptop := func(w *Fixture) string { return "/tokens/named/" + w.Laptop.ID() }
	for _, children := range []string{"keep", "revoke", "delete"} {
		on("DELETE", byID, Success, "and children: "+children, func(w *Fixture) (Request, Want) {
			return Request{Path: laptop(w) + "?children=" + children}, Want{Status: http.StatusNoContent}
		})
	}
	for _, children := range []string{"adopt", "Keep", "keep%20"} {
		on("DELETE", byID, BadInput, "children = "+children, func(w *Fixture) (Request, Want) {
			return Request{Path: laptop(w) + "?children=" + children}, refused(errors.BadValueNotAllowed("children", "keep", "revoke", "delete"))
		})
	}
	on("GET", byID, Success, "tightened", func(w *Fixture) (Request, Want) {
		tighten(w)
		return Request{Path: laptop(w)}, Want{Status: http.StatusOK, Check: contains(`{"serverCaveats":` + onlyREST + `,"serverCaveatsAdded":[` + added + `]}`)}
	})
	on("GET", byID, Success, "a canary", func(w *Fixture) (Request, Want) {
		w.must(w.tb, w.Authority.Update(context.Background(), w.Laptop.ID(), macaroon.Change{Bait: new(store.BaitRevokesFamily)}))
		return Request{Path: laptop(w)}, Want{Status: http.StatusOK, Check: contains(`{"bait":"revokeFamily","revoked":false}`)}
	})
	on("PATCH", byID, BadInput, "too many caveats", func(w *Fixture) (Request, Want) {
		return Request{Path: laptop(w), Body: `{"serverCaveats":` + caveatList(257) + `}`}, refused(errors.LimitReached(256, "caveats in a token"))
	})
	for path, body := range map[string]string{"/tokens/examine": `{"token":%q}`, "/tokens/verify_access_token": `{"token":%q,"interface":"rest"}`} {
		on("POST", path, Success, "tightened", func(w *Fixture) (Request, Want) {
			tighten(w)
			return Request{Path: path, Body: fmt.Sprintf(body, w.Laptop.String())},
				Want{Status: http.StatusOK, Check: contains(`{"serverCaveats":` + onlyREST + `,"serverCaveatsAdded":[` + added + `]}`)}
		})
	}
	on("POST", "/tokens/verify_access_token", Refusal, "by a caveat that was added", func(w *Fixture) (Request, Want) {
		tighten(w)
		return Request{Path: "/tokens/verify_access_token", Body: fmt.Sprintf(`{"token":%q,"interface":"oneclient"}`, w.Laptop.String())},
			refused(errors.OwnerCaveatUnverified(caveat.REST, "", "2024-10-01"))
	})
	return list
}
