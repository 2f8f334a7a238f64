package remote

import (
	"net/http"
	"net/url"
)

// Discover is [DiscoverToken] for another user on another machine.
func Discover(getenv func(name string) string, user int, shared string) Source {
	return discovery{getenv: getenv, user: user, shared: shared}.source()
}

// DataPathOf returns the file that [WithDataPath] finds for a URL.
func DataPathOf(prefix, root string, u *url.URL) (string, error) {
	t := &Transport{}
	if err := WithDataPath(prefix, root)(t); err != nil {
		return "", err
	}
	cs, err := t.caveatsFor[0](&http.Request{URL: u})
	if err != nil {
		return "", err
	}
	return cs[0].String(), nil
}
