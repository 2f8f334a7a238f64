package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	// The package that the service trusts with as little as possible.
	"golang.org/x/net/webdav"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

func TestReadonlyTokensChangeNothing(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	before := s.content(t)
	token := s.Token(caveat.DataReadonly{})
	for _, target := range []string{"/files", "/files/space1", "/files/space1/dir", "/files/space1/dir/hello.txt"} {
		for _, request := range everyMethod(target, "/files/space2/copy") {
			res := s.try(token, request)
			switch m, known := methods[request[0]]; {
			case known && m.access == caveat.Read && !m.copies:
				isDirectory := res.Status == http.StatusMethodNotAllowed && request[0] != "PROPFIND"
				require.True(t, res.Status < 300 || isDirectory, "%v: %d", request, res.Status)
			case known && target != "/files":
				require.ErrorIs(t, res.Err(), errors.IDTokenCaveatUnverified, "%v", request)
			default:
				require.GreaterOrEqual(t, res.Status, 400, "%v", request)
			}
			require.Equal(t, before, s.content(t), "%v", request)
		}
	}
}

// outside are spellings of paths outside /space1/dir.
var outside = []string{
	"/files/space1/own.txt", "/files/space1/directory/near.txt", "/files/space2", "/files/space2/other.txt", "/files/space1/directory",
	"/files/space1/dir/../own.txt", "/files/space1/dir/%2e%2e/own.txt", "/files/space1/dir/..%2fown.txt", "/files/space1/dir%2f..%2fown.txt",
	"/files/space1/dir/%2E%2E%2Fown.txt", "/files/space1//own.txt", "/files//space1/own.txt", "//files/space1/own.txt", "/files/space1/./own.txt",
	"/files/space1/dir/./../own.txt", "/files/space1/dir/..", "/files/space1/dir/../", "/files/space1/dir/../../space2/other.txt",
	"/files/SPACE1/dir/hello.txt", "/files/space1/DIR/hello.txt", "/FILES/space1/dir/hello.txt", "/files/space1/dir/..\\own.txt/../../own.txt",
	"/files/space1/own.txt/", "/files/space1/dirx", "/files/space1/dir/\x00/../../own.txt", "/files/space1/dir%00/own.txt", "/filesspace1/own.txt",
	"/files/space1/dir;/../own.txt", "/files/../files/space1/own.txt", "/space1/own.txt", "/", "/files/.", "/files/..",
}

func TestTokensStayWithinTheirPaths(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	before := s.content(t)
	token := s.Token(caveat.DataPath{"/space1/dir"})
	for _, target := range outside {
		for _, request := range everyMethod(target, "/files/space1/dir/stolen") {
			res := s.try(token, request)
			require.GreaterOrEqual(t, res.Status, 400, "%v", request)
			require.NotContains(t, string(res.Body), "secret", "%v", request)
		}
		require.Equal(t, before, s.content(t), target)
	}
	for _, target := range []string{"/files", "/files/", "/files/space1", "/files/space1/"} { // on the way to the directory
		for _, request := range everyMethod(target, "/files/space1/dir/stolen") {
			res := s.try(token, request)
			if request[0] != "PROPFIND" {
				require.GreaterOrEqual(t, res.Status, 400, "%v", request)
			}
			require.NotContains(t, string(res.Body), "own", "%v", request)
			require.NotContains(t, string(res.Body), "directory/", "%v", request)
			require.NotContains(t, string(res.Body), "space2", "%v", request)
		}
		require.Equal(t, before, s.content(t), target)
	}
	// A path is decoded once.
	require.Equal(t, http.StatusCreated, s.do(token, "PUT", "/files/space1/dir/%252e%252e/own.txt", "inside").Status)
	require.Equal(t, "inside", s.content(t)["space1/dir/%2e%2e/own.txt"])
}

// Every token is refused for a path that programs could read in two ways.
func TestPathsAreReadInOneWay(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	for target, want := range map[string]int{
		"/files/space1/dir/hello.txt": 200, "/files/space1/dir/hello.txt/": 200, "/files/space1/dir%2fhello.txt": 400,
		"/files/space1/dir%2Fhello.txt": 400, "/files/space1//dir/hello.txt": 400, "/files/space1/./dir/hello.txt": 400,
		"/files/space2/../space1/dir/hello.txt": 400, "/files/space1/dir/hello.txt//": 400, "/files//": 400, "/files/.": 400,
		"/filesspace1/dir/hello.txt": 404, "/space1/dir/hello.txt": 404, "/files/../files/space1/dir/hello.txt": 400,
	} {
		require.Equal(t, want, s.do(s.Token(), "GET", target, "").Status, target)
	}
}

func TestDestinationsStayWithinThePathsOfTheToken(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	before := s.content(t)
	token := s.Token(caveat.DataPath{"/space1/dir"})
	bad := append(slices.Clone(outside),
		"", "http://", "%", "mailto:x", "files/space1/dir/x", "../dir/x", "http://other.example/files/space1/dir/x", "//other.example/files/space1/dir/x",
		"http://example.com/files/space1/own.txt", "http://example.com:80/files/space1/dir/x", "http://user@example.com/files/space1/own.txt",
		"http://example.com/files/space1/dir/../own.txt", "?/files/space1/dir/x", "/files/space1/dir#/files/space1/dir/x",
		"/files", "/files/", "/files/space1", "/files/space1/dir/sub/..", "/files/space1/new.txt")
	for _, destination := range bad {
		for _, method := range []string{"COPY", "MOVE"} {
			for _, source := range []string{"/files/space1/dir/hello.txt", "/files/space1/dir/sub", "/files/space1/dir"} {
				res := s.do(token, method, source, "", "Destination", destination)
				require.GreaterOrEqual(t, res.Status, 400, "%s %s to %q", method, source, destination)
				require.Equal(t, before, s.content(t), "%s %s to %q", method, source, destination)
			}
		}
	}
	// The client learns why.
	macaroontest.AssertError(t, s.do(token, "MOVE", "/files/space1/dir/sub", "", "Destination", "/files/space2/x"), errors.IDTokenCaveatUnverified)
	macaroontest.AssertError(t, s.do(token, "MOVE", "/files/space1/dir/sub", "", "Destination", "http://other.example/files/space1/dir/x"), errors.IDBadData)
	// The first of two headers counts, and is the one that was checked.
	res := s.do(token, "COPY", "/files/space1/dir/hello.txt", "",
		"Destination", "/files/space1/dir/copy.txt", "Destination", "/files/space1/stolen.txt")
	require.Equal(t, http.StatusCreated, res.Status)
	require.Contains(t, s.content(t), "space1/dir/copy.txt")
	require.NotContains(t, s.content(t), "space1/stolen.txt")
}

func TestSpacesThemselvesCannotBeChanged(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	before := s.content(t)
	for _, target := range []string{"/files", "/files/"} {
		for _, method := range []string{"PUT", "DELETE", "MKCOL", "PROPPATCH", "MOVE"} {
			res := s.do(s.Token(), method, target, "", "Destination", "/files/space3")
			macaroontest.AssertStatus(t, res, http.StatusForbidden)
			macaroontest.AssertError(t, res, errors.IDForbidden)
		}
	}
	require.Equal(t, before, s.content(t))
}

func TestTreeConfinesWebDAVAlone(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	root, err := os.OpenRoot(s.dir)
	require.NoError(t, err)
	all := webdav.Handler{Prefix: prefix, FileSystem: tree{root}, LockSystem: webdav.NewMemLS()}
	s.Handler = rest.Authenticate(s.Authority, rest.AllowDataCaveats())(&all)
	require.NoError(t, os.Symlink("../own.txt", filepath.Join(s.dir, "space1/dir/link")))
	before := s.content(t)
	confined, readonly := s.Token(caveat.DataPath{"/space1/dir"}), s.Token(caveat.DataReadonly{})
	for _, target := range append(slices.Clone(outside), "/files/space1/dir/link", "/files/space1/dir/link/x") {
		for _, request := range everyMethod(target, "/files/space1/dir/stolen") {
			require.NotContains(t, string(s.try(confined, request).Body), "secret", "%v", request)
			require.Equal(t, before, s.content(t), "%v", request)
		}
		for _, method := range []string{"COPY", "MOVE"} {
			s.do(confined, method, "/files/space1/dir/hello.txt", "", "Destination", target)
			require.Equal(t, before, s.content(t), "%s to %s", method, target)
		}
	}
	for _, target := range []string{"/files/space1/dir/hello.txt", "/files/space1/dir", "/files/space1/dir/new"} {
		for _, request := range everyMethod(target, "/files/space2/copy") {
			s.try(readonly, request)
			require.Equal(t, before, s.content(t), "%v", request)
		}
	}
	infinite := s.do(confined, "PROPFIND", "/files/", "", "Depth", "infinity")
	for _, name := range []string{"own.txt", "directory", "space2", "link"} {
		require.NotContains(t, string(infinite.Body), name)
	}
	require.Contains(t, string(infinite.Body), "deep.txt")
}

func TestSymbolicLinksDoNotExistForClients(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	elsewhere := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "passwd"), []byte("secret 4"), 0o600))
	for name, target := range map[string]string{
		"file": "../own.txt", "space": "../../space2", "up": "..", "self": ".", "absolute": elsewhere, "lost": "../created.txt",
		"sub/inner": "../hello.txt",
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(s.dir, "space1/dir", name)))
	}
	before := s.content(t)
	for _, token := range []macaroon.Token{s.Token(), s.Token(caveat.DataPath{"/space1/dir"})} {
		for _, name := range []string{
			"file", "space", "space/other.txt", "up", "up/own.txt", "self", "self/hello.txt", "absolute", "absolute/passwd", "lost", "sub/inner",
		} {
			for _, request := range everyMethod("/files/space1/dir/"+name, "/files/space1/dir/stolen") {
				res := s.try(token, request)
				require.GreaterOrEqual(t, res.Status, 400, "%v", request)
				require.NotContains(t, string(res.Body), "secret", "%v", request)
			}
			for _, method := range []string{"COPY", "MOVE"} {
				res := s.do(token, method, "/files/space1/dir/hello.txt", "", "Destination", "/files/space1/dir/"+name+"/x")
				require.GreaterOrEqual(t, res.Status, 400, "%s to %s", method, name)
			}
			require.Equal(t, before, s.content(t), name)
		}
		require.Equal(t, []string{"/files/space1/dir/", "/files/space1/dir/hello.txt", "/files/space1/dir/sub/"},
			s.list(t, token, "/files/space1/dir"))
	}
	// A copy of the directory has no copies of what the links lead to.
	require.Equal(t, 201, s.do(s.Token(), "COPY", "/files/space1/dir", "", "Destination", "/files/space1/copy").Status)
	require.NotContains(t, s.content(t), "space1/copy/file")
	require.Contains(t, s.content(t), "space1/copy/hello.txt")
}

func TestMethodsCannotBeOverridden(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	before := s.content(t)
	token := s.Token(caveat.DataReadonly{})
	for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"} {
		for _, method := range []string{"DELETE", "PUT", "MOVE"} {
			for _, carrier := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
				s.do(token, carrier, "/files/space1/dir/hello.txt?_method="+method, "changed",
					header, method, "Destination", "/files/space1/x")
				require.Equal(t, before, s.content(t))
			}
		}
	}
}

func TestDirectoriesAreNotCopiedIntoOrAboveThemselves(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	before := s.content(t)
	for _, method := range []string{"COPY", "MOVE"} {
		for _, c := range [][2]string{
			{"/files/space1/dir", "/files/space1/dir/sub/x"},
			{"/files/space1/dir/sub", "/files/space1/dir"},
			{"/files/space1/dir/hello.txt", "/files/space1"},
			{"/files/space1/dir", "/files/space1/dir/"},
			{"/files", "/files/space1/x"},
		} {
			res := s.do(s.Token(), method, c[0], "", "Destination", c[1])
			require.Equal(t, http.StatusForbidden, res.Status, "%s %v", method, c)
			require.Equal(t, before, s.content(t))
		}
	}
}
