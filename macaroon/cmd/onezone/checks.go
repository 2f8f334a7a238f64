package main

import (
	"net"
	"net/url"
	"strings"
)

// checkAddress checks the value of a flag before the program listens there.
func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return usageErrorf("--%s %q is not HOST:PORT, such as 127.0.0.1:9080 or :9080", flag, address)
	}
	return nil
}

// checkOrigin checks the value of --origin. "" is the default.
func checkOrigin(origin string) error {
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return usageErrorf("--origin must be a scheme and a host without a path, such as https://onezone.example.com")
	}
	return nil
}

// checkDomain checks the value of --domain.
func checkDomain(domain string) error {
	if u, err := url.Parse("https://" + domain); err != nil || domain == "" || u.Hostname() != domain {
		return usageErrorf("--domain %q is not a host name, such as onezone.example.com", domain)
	}
	return nil
}

// checkStore checks the form of the value of --store. It never quotes the value,
// which may hold a password.
func checkStore(text string) error {
	scheme, rest, _ := strings.Cut(text, ":")
	switch scheme {
	case "memory":
		if rest == "" {
			return nil
		}
	case "sqlite":
		if rest == "" {
			return usageErrorf("--store sqlite: needs a path: sqlite:data/onezone.db")
		}
		return nil
	case "postgres", "postgresql", "redis", "rediss":
		if _, err := url.Parse(text); err != nil || !strings.HasPrefix(rest, "//") {
			return usageErrorf("--store %s://... is not a URL; write %s://USER:PASSWORD@HOST:PORT/DATABASE, "+
				"with the special characters of a password percent-encoded", scheme, scheme)
		}
		return nil
	}
	return usageErrorf("--store must be sqlite:PATH, postgres://HOST/DB, redis://HOST, or memory: alone")
}

// storeName returns the printable part of the value of --store: a URL without
// user, password and parameters.
func storeName(text string) string {
	scheme, _, _ := strings.Cut(text, ":")
	if scheme == "sqlite" || scheme == "memory" {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return scheme
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// hasPassword reports whether the URL of a store has a password, also one in its
// parameters.
func hasPassword(store string) bool {
	u, err := url.Parse(store)
	if err != nil || u.Host == "" {
		return false
	}
	_, has := u.User.Password()
	return has || u.Query().Get("password") != ""
}
