package remote

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// WithDataPath confines each copy to the file that the URL names, with the
// caveat data.path. Like [WithReadonly], it is for services that serve files.
// The file is root followed by what comes after the prefix in the path of the
// URL:
//
//	WithDataPath("/files", "/space1")  // /files/a/b is the file /space1/a/b
//	WithDataPath("/cdmi", "")          // /cdmi/space1/a/b is the file /space1/a/b
//
// A request is refused if its URL is not below the prefix, or if its path has
// empty, "." or ".." components or encoded slashes, because the service may
// understand them in another way. A slash at the end is ignored. For other
// relations between URLs and files, use [WithCaveatsFor].
//
// The error is badValueFilePath unless both are "" or absolute paths without a
// slash at the end.
func WithDataPath(prefix, root string) TransportOption {
	return func(t *Transport) error {
		for _, path := range []string{prefix, root} {
			if path != "" && caveat.Validate(caveat.DataPath{path}) != nil {
				return errors.BadValueFilePath()
			}
		}
		m := pathMapping{prefix: strings.Split(prefix, "/")[1:], root: root}
		if prefix == "" {
			m.prefix = nil
		}
		return WithCaveatsFor(m.caveats)(t)
	}
}

// pathMapping relates the paths of URLs to files.
type pathMapping struct {
	prefix []string // components
	root   string   // a path, "" for the directory of spaces
}

func (m pathMapping) caveats(req *http.Request) ([]caveat.Caveat, error) {
	path, err := m.file(req.URL)
	if err != nil {
		return nil, err
	}
	return []caveat.Caveat{caveat.DataPath{path}}, nil
}

// file returns the path of the file that the URL names.
func (m pathMapping) file(u *url.URL) (string, error) {
	components, err := pathComponents(u)
	if err != nil {
		return "", err
	}
	if len(components) < len(m.prefix) || !slices.Equal(components[:len(m.prefix)], m.prefix) {
		return "", fmt.Errorf("the path of the URL must be below %q", "/"+strings.Join(m.prefix, "/"))
	}
	path := m.root
	for _, c := range components[len(m.prefix):] {
		path += "/" + c
	}
	if path == "" {
		return "", errors.New("the path of the URL names no space")
	}
	return path, nil
}

// pathComponents returns the decoded components of the path that is sent for a
// URL.
func pathComponents(u *url.URL) ([]string, error) {
	rest, absolute := strings.CutPrefix(u.EscapedPath(), "/")
	if !absolute && rest != "" {
		return nil, errors.New("the path of the URL must be absolute")
	}
	rest = strings.TrimSuffix(rest, "/")
	if rest == "" {
		return nil, nil
	}
	components := strings.Split(rest, "/")
	for i, encoded := range components {
		c, err := url.PathUnescape(encoded)
		switch {
		case err != nil:
			return nil, errors.New("the path of the URL is not encoded correctly")
		case c == "" || c == "." || c == ".." || strings.ContainsAny(c, "/\x00"):
			return nil, errors.New(`the path of the URL has an empty, "." or ".." component, or an encoded slash or zero byte`)
		}
		components[i] = c
	}
	return components, nil
}
