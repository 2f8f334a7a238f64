package main

import (
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// filePath returns the path of a file as data.path caveats write it:
// /SPACE/NAME/..., or "/" for the list of spaces. It does not clean a path: one
// that two programs could read in two ways is refused.
func filePath(u *url.URL) (string, error) {
	name, ok := strings.CutPrefix(u.Path, prefix)
	switch {
	case !ok || name != "" && name[0] != '/':
		return "", errors.NotFound()
	case name == "" || name == "/":
		return "/", nil
	}
	name = strings.TrimSuffix(name, "/") // of a directory
	if strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") || name == "/." || !fs.ValidPath(strings.TrimPrefix(name, "/")) {
		return "", errors.BadValueFilePath()
	}
	return name, nil
}

// destinationPath returns the path in the Destination header of COPY and MOVE.
func destinationPath(r *http.Request) (string, error) {
	u, err := url.Parse(r.Header.Get("Destination"))
	switch {
	case err != nil || u.Path == "":
		return "", errors.BadDataHint("Destination", "expected the URL of a file of this service")
	case u.Host != "" && u.Host != r.Host:
		return "", errors.BadDataHint("Destination", "the file must be one of this service")
	}
	return filePath(u)
}

// isWithin reports whether the path is dir or below it.
func isWithin(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}
