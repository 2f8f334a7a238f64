package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// preflightHeaders are the request headers that pages of allowed origins may set.
var preflightHeaders = strings.Join([]string{
	headerAuthorization, "Content-Type", headerMacaroon, headerToken, headerConsumer, headerService,
}, ", ")

// preflightAge is how long a browser may remember the answer to a preflight, in
// seconds.
const preflightAge = "600"

// preflight adds CORS headers to a response to OPTIONS, so that a page of an
// allowed origin may send a request with credentials. Pages of other origins
// get no such headers.
func (c *config) preflight(w http.ResponseWriter, r *http.Request, allow string) {
	if len(c.origins) == 0 {
		return
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if r.Header.Get("Access-Control-Request-Method") == "" || !slices.Contains(c.origins, r.Header.Get("Origin")) {
		return
	}
	h.Set("Access-Control-Allow-Methods", allow)
	h.Set("Access-Control-Allow-Headers", preflightHeaders)
	h.Set("Access-Control-Max-Age", preflightAge)
}

// checkSite refuses a request that a page of another site sent, because the
// browser may have added a password without the user's consent. Other clients
// than browsers send neither of the headers. The error is forbidden.
func (c *config) checkSite(r *http.Request) error {
	origin, hasOrigin := header(r.Header, "Origin")
	if slices.Contains(c.origins, origin) {
		return nil
	}
	switch site, known := header(r.Header, "Sec-Fetch-Site"); {
	case known && (site == "same-origin" || site == "none"): // none: the user typed the address
		return nil
	case !known && !hasOrigin:
		return nil
	case !known: // a browser over plain HTTP, or an old browser
		if u, err := url.Parse(origin); err == nil && u.Host != "" && u.Host == r.Host {
			return nil
		}
	}
	return errors.Forbidden("a page of another site may not send a password, unless its origin is one of the allowed origins")
}

// ValidateOrigin returns an error unless the text is an origin as browsers
// write it. The error is badData {key "origin"}.
func ValidateOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || origin != strings.ToLower(u.Scheme+"://"+u.Host) {
		return errors.BadDataHint("origin", "an origin is a scheme, a host and, unless it is the default one, a port, such as https://app.example.com")
	}
	return nil
}
