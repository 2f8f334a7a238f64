package main

import (
	"net/http"
	"strings"

	"github.com/onezone-go/onezone/macaroon/oidc"
	"github.com/onezone-go/onezone/macaroon/page"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// page returns a handler that serves the page for browsers, unless it is turned
// off, and sends other requests to the API.
func (v *service) page(api http.Handler, origin string) (http.Handler, error) {
	if !v.settings.page {
		return api, nil
	}
	logIn, err := v.settings.oidc.newLogIn(v.provider, origin)
	if err != nil {
		return nil, err
	}
	authenticate := rest.Authenticate(v.authority,
		rest.WithLogger(v.log), rest.WithTrustedProxies(v.settings.proxies...), rest.WithAllowedOrigins(v.settings.origins...),
		rest.WithActorObserver(noteActor), rest.WithMaxInFlight(v.settings.limits.requests))
	options := page.Options{Authenticate: authenticate}
	paths := map[string]http.Handler{}
	if logIn != nil {
		options.IdentityProvider = &page.IdentityProvider{Name: v.provider.Name(), Path: oidc.StartPath}
		paths["/"+oidc.StartPath], paths["/"+oidc.CallbackPath] = logIn, logIn
	}
	tokens, err := page.New(v.authority, options)
	if err != nil {
		return nil, err
	}
	return byPath(paths, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPage(r.URL.Path) && isPage(r.URL.EscapedPath()) { // the escaped path decides, and takes longer
			tokens.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})), nil
}

func isPage(path string) bool { return path == "/" || strings.HasPrefix(path, "/page/") }
