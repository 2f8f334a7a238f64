package remote

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// parseOrigin returns an origin in its canonical form. The error is badData
// {key "origins"}.
func parseOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.BadDataHint("origins", "an origin is a scheme, a host and, unless it is the default one, a port, "+
			"such as https://files.example.org")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(strings.ToLower(u.Hostname()))):
		return "", errors.BadDataHint("origins", "the scheme of an origin must be https, or http for a loopback address")
	}
	return originOf(u.Scheme, u), nil
}

// originOf returns the origin of a URL in its canonical form: in lower case,
// and without a default port.
func originOf(scheme string, u *url.URL) string {
	scheme, host, port := strings.ToLower(scheme), strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// Headers that contain tokens.
var (
	accessTokens = []string{"X-Auth-Token", "Authorization", "Macaroon"}
	partyTokens  = []string{"X-Onedata-Service-Token", "X-Onedata-Consumer-Token"}
)

// findHeader returns one of the names that a header has in any spelling, "" if
// it has none.
func findHeader(h http.Header, names []string) string {
	for key := range h {
		if name := http.CanonicalHeaderKey(key); slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// maxRedirects bounds the search for the first request of a redirect.
const maxRedirects = 100

// trusts reports whether a token may be sent with the request. It returns false
// if the request follows a redirect to another origin, which goes without a
// token, and an error if the request must not be sent at all.
func (t *Transport) trusts(req *http.Request) (bool, error) {
	if req.URL == nil {
		return false, errors.New("the request has no URL")
	}
	if name := findHeader(req.Header, accessTokens); name != "" {
		return false, fmt.Errorf("the request already has the header %s, and a transport sends its own token", name)
	}
	origin := originOf(req.URL.Scheme, req.URL)
	switch {
	case !t.origins[origin] && req.Response == nil:
		return false, fmt.Errorf("%q is not one of the origins to which tokens may be sent", req.URL.Scheme+"://"+req.URL.Host)
	case !t.origins[origin] || t.leftOrigins(req):
		// An http.Client copies most headers of the first request.
		if name := findHeader(req.Header, partyTokens); name != "" {
			return false, fmt.Errorf("a redirect leads to %q, which must not receive the header %s", origin, name)
		}
		return false, nil
	case req.URL.Opaque != "":
		return false, errors.New("the URL of the request is opaque, so it may mean another host or path")
	case !strings.HasPrefix(origin, "https:") && !isLoopback(req.URL.Hostname()):
		// Only localhost in lower case is exempt from HTTP_PROXY.
		return false, fmt.Errorf("a proxy may receive requests to %q; write the host in lower case", req.URL.Host)
	case req.Host != "" && originOf(req.URL.Scheme, &url.URL{Host: req.Host}) != origin:
		return false, fmt.Errorf("the Host of the request, %q, differs from that of its URL", req.Host)
	}
	return true, nil
}

// leftOrigins reports whether one of the redirects that led to the request was
// at another origin. That origin chose the URL.
func (t *Transport) leftOrigins(req *http.Request) bool {
	for range maxRedirects {
		if req.Response == nil {
			return false
		}
		if req = req.Response.Request; req == nil || req.URL == nil || !t.origins[originOf(req.URL.Scheme, req.URL)] {
			return true
		}
	}
	return true
}
