package discharge

import (
	"net/netip"
	"net/url"
	"strings"
)

// location is where a discharger answers.
type location struct {
	text string   // without a slash at the end
	base *url.URL // with a slash at the end of its path
}

// parseLocation parses a location of the list of a client. problem describes
// what is wrong, in words that can follow the text.
func parseLocation(text string, plainHTTP bool) (l *location, problem string) {
	text = withoutSlash(text)
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Hostname() == "":
		return nil, "is not a URL, such as https://id.example.org"
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "", strings.Contains(text, "#"):
		return nil, "has more than a scheme, a host and a path"
	case !isProtected(u) && (!plainHTTP || u.Scheme != "http"):
		return nil, "is not https"
	}
	base := *u
	base.Path += "/"
	if base.RawPath != "" {
		base.RawPath += "/"
	}
	return &location{text, &base}, ""
}

func withoutSlash(text string) string { return strings.TrimSuffix(text, "/") }

// at returns the URL of a path below the location.
func (l *location) at(path string) string { return l.base.JoinPath(path).String() }

// resolve returns the URL that an answer of the discharger contains. ok is false
// if it is not a URL.
func (l *location) resolve(text string) (u *url.URL, ok bool) {
	if text == "" || len(text) > maxURL {
		return nil, false
	}
	u, err := l.base.Parse(text)
	if err != nil || u.User != nil || u.Host == "" {
		return nil, false
	}
	return u, true
}

// isHere reports whether a URL is of the same origin as the location.
func (l *location) isHere(u *url.URL) bool { return u.Scheme == l.base.Scheme && u.Host == l.base.Host }

// isProtected reports whether nobody between can read what is sent to the URL: it
// is https, or http to the machine itself.
func isProtected(u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return true
	case "http":
		address, err := netip.ParseAddr(u.Hostname())
		return u.Hostname() == "localhost" || err == nil && address.IsLoopback()
	}
	return false
}
