package gate

import (
	"net/http"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// proxy says where a reverse proxy puts the method and target of the client's
// request. Without headers they are those of its own request.
type proxy struct {
	name         string
	methodHeader string
	targetHeader string
}

// The proxies by the name in a file of rules.
var (
	proxies = map[string]proxy{
		"nginx":   {"nginx", "X-Original-Method", "X-Original-Uri"},
		"traefik": {"traefik", "X-Forwarded-Method", "X-Forwarded-Uri"},
		"caddy":   {"caddy", "X-Forwarded-Method", "X-Forwarded-Uri"},
		"envoy":   {name: "envoy"},
	}
	proxyNames = []string{"nginx", "traefik", "caddy", "envoy"}
)

// original returns the method and target of the client's request. The error is
// forbidden.
func (r *Rules) original(req *http.Request) (method, target string, err error) {
	if r.proxy.methodHeader == "" {
		target, ok := strings.CutPrefix(req.RequestURI, r.prefix)
		if !ok {
			return "", "", errors.Forbidden("the path does not begin with the prefix of the rules")
		}
		return req.Method, target, nil
	}
	if method, err = once(req.Header, r.proxy.methodHeader); err != nil {
		return "", "", err
	}
	target, err = once(req.Header, r.proxy.targetHeader)
	return method, target, err
}

// once returns the value of a header that must be present exactly once.
func once(h http.Header, name string) (string, error) {
	values := h[name]
	if len(values) != 1 {
		return "", errors.Forbidden("the proxy must send the header " + name + " exactly once")
	}
	return values[0], nil
}

// The headers with the identity of the client.
const (
	headerUser    = "Remote-User"
	headerSubject = "X-Onezone-Subject"
	headerTokenID = "X-Onezone-Token-Id"
)

var identityHeaders = []string{headerUser, headerSubject, headerTokenID}

// checkHeaders returns forbidden for a header that the program could take for
// another path, method or identity, or that begins another protocol. CGI and
// WSGI distinguish dashes neither from underscores nor, in some servers, from
// other characters.
func checkHeaders(h http.Header) error {
	for name, values := range h {
		plain := name
		if dashed := strings.Map(toDash, name); dashed != name {
			plain = http.CanonicalHeaderKey(dashed)
		}
		switch {
		case isOverride(plain):
			return errors.Forbidden("the header " + plain + " is not accepted")
		case plain != name && slices.Contains(identityHeaders, plain):
			return errors.Forbidden("the header " + plain + " is accepted with dashes only")
		case name == "Upgrade" && (len(values) != 1 || !strings.EqualFold(values[0], "websocket")):
			return errors.Forbidden("a connection may be upgraded to websocket only")
		}
	}
	return nil
}

// toDash returns a dash for each character that is neither letter nor digit.
func toDash(c rune) rune {
	if '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
		return c
	}
	return '-'
}

// isOverride reports whether some programs take another path or method from the
// header than the proxy and the gate.
func isOverride(name string) bool {
	switch name {
	case "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Http-Method", "X-Method-Override":
		return true
	}
	return false
}
