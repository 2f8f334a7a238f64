package remote_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
)

func TestDataPathIsTheFileOfTheURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ prefix, root, url, file string }{
		{"/files", "/space1", "/files/a/b", "/space1/a/b"},
		{"/files", "/space1/dir", "/files/a", "/space1/dir/a"},
		{"/files", "/space1", "/files", "/space1"},
		{"/files", "/space1", "/files/", "/space1"},
		{"/files", "", "/files/space1/a/", "/space1/a"},
		{"/files", "", "/files/space1", "/space1"},
		{"", "", "/space1/a", "/space1/a"},
		{"", "/space1", "", "/space1"},
		{"/a b", "", "/a%20b/space%201/c", "/space 1/c"},
		{"/files", "", "/files/space1/%2e%2e%2e", "/space1/..."},
		{"/files", "", "/files/space1/100%25", "/space1/100%"},
		{"/files", "", "/files/space1/%252e%252e/b", "/space1/%2e%2e/b"},
		{"/files", "", "/files/space1/a;b=c", "/space1/a;b=c"},
		{"/files", "", "/files/space1/a?path=/space2/b", "/space1/a"},
		{"/files", "", "/files/space1/a%3Fb%23c", "/space1/a?b#c"},
		{"/files", "", "/files/space1/%C5%9B", "/space1/ś"},
		{"/files", "", `/files/space1/a\..\b`, `/space1/a\..\b`},
		{"/%66iles", "", "/files/space1/a", ""},
		{"/files", "", "/files", ""},
		{"/files", "", "/files/", ""},
		{"/files", "", "/filesystem/space1", ""},
		{"/files", "", "/Files/space1", ""},
		{"/files", "", "/other/files/space1", ""},
		{"/files", "", "/", ""},
		{"/files", "/space1", "/files//a", ""},
		{"/files", "/space1", "//files/a", ""},
		{"/files", "/space1", "/files/a//", ""},
		{"/files", "/space1", "/files/../a", ""},
		{"/files", "/space1", "/files/a/..", ""},
		{"/files", "/space1", "/files/./a", ""},
		{"/files", "/space1", "/files/%2e%2e/space2", ""},
		{"/files", "/space1", "/files/%2E", ""},
		{"/files", "/space1", "/files/a%2f..%2fb", ""},
		{"/files", "/space1", "/files/a%2Fb", ""},
		{"/files", "/space1", "/files%2Fa", ""},
		{"/files", "/space1", "/files/a%00", ""},
	} {
		u, err := url.Parse("https://files.example.org" + c.url)
		require.NoError(t, err)
		got, err := remote.DataPathOf(c.prefix, c.root, u)
		if c.file == "" {
			require.Error(t, err, "%+v gave %s", c, got)
			continue
		}
		require.NoError(t, err, "%+v", c)
		require.Equal(t, caveat.DataPath{c.file}.String(), got, "%+v", c)
	}
}

// A URL whose RawPath does not encode its Path is sent as net/url encodes the
// Path, and confined to the same.
func TestDataPathIsThatOfTheRequestLine(t *testing.T) {
	t.Parallel()
	s := newService(t, httptest.NewServer, nil)
	client := newClient(t, macaroontest.New(t).Token(), []string{s.URL}, remote.WithDataPath("/files", ""))
	for _, c := range []struct{ path, rawPath, file string }{
		{"/files/space1/a", "/files/space1/secret", "/space1/a"},
		{"/files/space1/a", "/files/space1/%61", "/space1/a"},
		{"/files/space1/a/../b", "/files/space1/x", ""},
		{"/files/space1/a/b", "/files/space1/a%2Fb", ""},
		{"files/space1/a", "", ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
		require.NoError(t, err)
		req.URL.Path, req.URL.RawPath = c.path, c.rawPath
		before := s.count()
		res, err := client.Do(req)
		if c.file == "" {
			require.ErrorContains(t, err, "the path of the URL", "%+v", c)
			require.Equal(t, before, s.count())
			continue
		}
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, "/files"+c.file, s.last(t).URL.Path)
		require.Contains(t, received(t, s.last(t), "X-Auth-Token").Caveats(), caveat.DataPath{c.file}.String())
	}
}

// The file is always the one that a server finds in the request line: decoded
// once, and unchanged by cleaning.
func FuzzDataPath(f *testing.F) {
	for _, path := range []string{
		"/files/space1/a", "/files/space1/a/", "/files/%2e%2e/a", "/files/a%2fb", "/files//a", "/files/a%00", "/files/%252e", "/files/a;b?c#d",
		"/files/a\\..\\b", "/files/./a", "/%66iles/space1", "/files/\u015b", "/files/a%", "/filesystem", "/files/..", "/files?/../x",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse("https://files.example.org" + text)
		if err != nil || u.Host != "files.example.org" {
			return
		}
		found, err := remote.DataPathOf("/files", "", u)
		if err != nil {
			return
		}
		received, err := url.ParseRequestURI(u.RequestURI())
		require.NoError(t, err)
		require.Equal(t, found, caveat.DataPath{strings.TrimSuffix(strings.TrimPrefix(received.Path, "/files"), "/")}.String())
		require.Equal(t, strings.TrimSuffix(received.Path, "/"), path.Clean(received.Path))
	})
}

func TestWithDataPathRefusesBadPaths(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"files", "/", "/files/", "//files", "/files/../a", "/./a", "/a//b"} {
		_, err := remote.DataPathOf(path, "/space1", &url.URL{Path: "/files/a"})
		require.ErrorIs(t, err, errors.IDBadValueFilePath, path)
		_, err = remote.DataPathOf("/files", path, &url.URL{Path: "/files/a"})
		require.ErrorIs(t, err, errors.IDBadValueFilePath, path)
	}
}
