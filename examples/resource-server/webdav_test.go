package main

import (
	"encoding/json"
	"encoding/xml"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// share is a service with the files of two spaces.
type share struct {
	*macaroontest.Harness
	http.Handler
	dir string
}

func newShare(t *testing.T) share {
	t.Helper()
	s := share{Harness: macaroontest.New(t), dir: t.TempDir()}
	for name, content := range map[string]string{
		"space1/dir/hello.txt": "hello", "space1/dir/sub/deep.txt": "deep", "space1/own.txt": "secret 1",
		"space1/directory/near.txt": "secret 2", "space2/other.txt": "secret 3",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(s.dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600))
	}
	var err error
	s.Handler, err = newFiles(s.Authority, s.dir)
	require.NoError(t, err)
	return s
}

// content returns the content of all files, by path. That of directories is
// "dir".
func (s share) content(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	require.NoError(t, filepath.WalkDir(s.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(s.dir, name)
		if err != nil || d.IsDir() || !d.Type().IsRegular() {
			all[relative] = d.Type().String()
			return err
		}
		data, err := os.ReadFile(name)
		all[relative] = string(data)
		return err
	}))
	return all
}

// do sends a request with headers in pairs.
func (s share) do(token macaroon.Token, method, target, body string, headers ...string) macaroontest.Response {
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.RequestURI, r.URL = target, &url.URL{Path: target}
	if u, err := url.ParseRequestURI(target); err == nil {
		r.URL = u // as a server reads it: dots are not resolved
	}
	r.Header.Set("Authorization", "Bearer "+token.String())
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return macaroontest.Response{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
}

// list returns the paths in a listing.
func (s share) list(t *testing.T, token macaroon.Token, target string) []string {
	t.Helper()
	res := s.do(token, "PROPFIND", target, "", "Depth", "1")
	require.Equal(t, http.StatusMultiStatus, res.Status, "%s", res.Body)
	var listing struct {
		Hrefs []string `xml:"response>href"`
	}
	require.NoError(t, xml.Unmarshal(res.Body, &listing))
	slices.Sort(listing.Hrefs)
	return listing.Hrefs
}

const proppatch = `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="y">z</x></prop></set></propertyupdate>`

// everyMethod has a request of each method that the service might have, to the
// target.
func everyMethod(target, destination string) [][]string {
	return [][]string{
		{"GET", target, ""},
		{"HEAD", target, ""},
		{"PROPFIND", target, "", "Depth", "0"},
		{"PROPFIND", target, "", "Depth", "1"},
		{"PUT", target, "changed"},
		{"DELETE", target, ""},
		{"MKCOL", target, ""},
		{"MKCOL", target + "/new", ""},
		{"PUT", target + "/new.txt", "changed"},
		{"PROPPATCH", target, proppatch},
		{"COPY", target, "", "Destination", destination},
		{"MOVE", target, "", "Destination", destination},
		{"LOCK", target, `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`},
		{"UNLOCK", target, "", "Lock-Token", "<1700000000>"},
		{"PATCH", target, "changed"},
		{"POST", target, "changed"},
		{"TRACE", target, ""},
		{"SEARCH", target, ""},
		{"propfind", target, "", "Depth", "1"},
	}
}

func (s share) try(token macaroon.Token, request []string) macaroontest.Response {
	return s.do(token, request[0], request[1], request[2], request[3:]...)
}

func TestTokensWithoutCaveatsUseAllOfWebDAV(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	token := s.Token(caveat.DataPath{"/space1/dir"})
	for _, step := range []struct {
		method, target, body string
		headers              []string
		want                 int
	}{
		{"MKCOL", "/files/space1/dir/new", "", nil, 201},
		{"PUT", "/files/space1/dir/new/a.txt", "a", nil, 201},
		{"PUT", "/files/space1/dir/far/away/b.txt", "b", nil, 201},
		{"GET", "/files/space1/dir/new/a.txt", "", nil, 200},
		{"PROPPATCH", "/files/space1/dir/new/a.txt", proppatch, nil, 207},
		{"COPY", "/files/space1/dir/new", "", []string{"Destination", "http://example.com/files/space1/dir/copy/"}, 201},
		{"MOVE", "/files/space1/dir/new/a.txt", "", []string{"Destination", "/files/space1/dir/c%20d.txt"}, 201},
		{"COPY", "/files/space1/dir/hello.txt", "", []string{"Destination", "/files/space1/dir/c%20d.txt", "Overwrite", "F"}, 412},
		{"DELETE", "/files/space1/dir/sub/", "", nil, 204},
		{"DELETE", "/files/space1/dir/nothing", "", nil, 404},
	} {
		res := s.do(token, step.method, step.target, step.body, step.headers...)
		require.Equal(t, step.want, res.Status, "%s %s: %s", step.method, step.target, res.Body)
	}
	require.Equal(t, []string{
		"/files/space1/dir/", "/files/space1/dir/c%20d.txt", "/files/space1/dir/copy/", "/files/space1/dir/far/",
		"/files/space1/dir/hello.txt", "/files/space1/dir/new/",
	}, s.list(t, token, "/files/space1/dir"))
	require.Equal(t, "a", s.content(t)["space1/dir/copy/a.txt"])
}

// Above the files of a token, a listing shows only the way to them.
func TestListingsShowTheWayToAllowedFiles(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	way := map[string][]string{
		"/files":            {"/files/", "/files/space1/"},
		"/files/space1":     {"/files/space1/", "/files/space1/dir/"},
		"/files/space1/dir": {"/files/space1/dir/", "/files/space1/dir/hello.txt", "/files/space1/dir/sub/"},
	}
	for _, cs := range [][]caveat.Caveat{
		{caveat.DataPath{"/space1/dir"}},
		{caveat.DataReadonly{}, caveat.DataPath{"/space1", "/space2"}, caveat.DataPath{"/space1/dir", "/space3"}},
	} {
		token := s.Token(cs...)
		for target, want := range way {
			require.Equal(t, want, s.list(t, token, target))
		}
		info := string(s.do(token, "PROPFIND", "/files/space1", "", "Depth", "0").Body)
		require.Contains(t, info, "1970", "when a directory above last changed is not for this client")
	}
	file := s.Token(caveat.DataPath{"/space1/dir/hello.txt"})
	require.Equal(t, []string{"/files/space1/dir/", "/files/space1/dir/hello.txt"}, s.list(t, file, "/files/space1/dir"))
	require.Equal(t, []string{"/files/", "/files/space1/", "/files/space2/"}, s.list(t, s.Token(), "/files"))
	belowFile := s.Token(caveat.DataPath{"/space1/own.txt/below"})
	require.Equal(t, []string{"/files/space1/"}, s.list(t, belowFile, "/files/space1"))
	macaroontest.AssertError(t, s.do(belowFile, "PROPFIND", "/files/space1/own.txt", "", "Depth", "0"), errors.IDNotFound)
	// The service does not know the object ids of its files.
	byID := s.Token(caveat.DataObjectID{"000000000010DB4967756964237575696423737061636531"})
	require.Equal(t, []string{"/files/"}, s.list(t, byID, "/files"))
	macaroontest.AssertError(t, s.do(byID, "PROPFIND", "/files/space1", "", "Depth", "1"), errors.IDTokenCaveatUnverified)
}

// The tree confines whatever package webdav does, also if nothing has checked
// the paths of a request before.
func TestListingsHaveADepth(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	for _, depth := range [][]string{nil, {"Depth", "infinity"}, {"Depth", "2"}, {"Depth", ""}, {"Depth", "infinity", "Depth", "1"}} {
		res := s.do(s.Token(), "PROPFIND", "/files/space1", "", depth...)
		require.Equal(t, http.StatusForbidden, res.Status, depth)
		macaroontest.AssertError(t, res, errors.IDForbidden)
	}
}

// Only the method of the request counts.
func TestThereAreNoLocks(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	for _, request := range everyMethod("/files/space1/dir/hello.txt", "/files/space1/x") {
		if strings.HasSuffix(request[0], "LOCK") {
			res := s.try(s.Token(), request)
			require.Equal(t, http.StatusMethodNotAllowed, res.Status, request[0])
			require.NotContains(t, res.Header.Get("Allow"), "LOCK")
		}
	}
	res := s.do(s.Token(), "OPTIONS", "/files/space1", "")
	require.Equal(t, http.StatusOK, res.Status)
	require.Equal(t, "1", res.Header.Get("DAV"))
	require.Equal(t, "COPY, DELETE, GET, HEAD, MKCOL, MOVE, OPTIONS, POST, PROPFIND, PROPPATCH, PUT", res.Header.Get("Allow"))
	// A condition about the locks of another file is not evaluated.
	res = s.do(s.Token(), "PUT", "/files/space1/dir/hello.txt", "new", "If", "<http://example.com/files/space2/other.txt> (<1>)")
	require.Equal(t, http.StatusCreated, res.Status)
}

// Copying a directory into itself would not end, and moving one above itself
// would delete it.
func TestCaveatsAboutTheAPILimitMethods(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	allowed := map[string]string{
		"opw/get/file.*.*:*":    "GET HEAD PROPFIND",
		"opw/create/file.*.*:*": "MKCOL",
		"opw/update/file.*.*:*": "PUT PROPPATCH",
		"opw/delete/file.*.*:*": "DELETE",
		"ozw/all/*.*.*:*":       "",
	}
	for spec, names := range allowed {
		token := s.Token(caveat.MustParse("api = " + spec))
		for _, request := range everyMethod("/files/space1/dir/hello.txt", "/files/space1/x") {
			if _, known := methods[request[0]]; known {
				refused := errors.Is(s.try(token, request).Err(), errors.IDTokenCaveatUnverified)
				require.Equal(t, !slices.Contains(strings.Fields(names), request[0]), refused, "%s %v", spec, request)
			}
		}
	}
}

func TestBodiesAreLimited(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	before := s.content(t)
	send := func(method, target, body string, size int64) int {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.ContentLength = size
		r.Header.Set("Depth", "0")
		r.Header.Set("Authorization", "Bearer "+s.Token().String())
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, http.StatusRequestEntityTooLarge, send("PUT", "/files/space1/big", "x", maxFile+1))
	for _, method := range []string{"PROPPATCH", "PROPFIND", "DELETE", "GET"} {
		require.Equal(t, http.StatusRequestEntityTooLarge, send(method, "/files/space1/own.txt", "x", maxXML+1), method)
	}
	// The answer to a long list of properties would take seconds.
	long := `<propertyupdate xmlns="DAV:"><set><prop>` + strings.Repeat("<a/>", maxXML) + `</prop></set></propertyupdate>`
	require.Equal(t, http.StatusBadRequest, send("PROPPATCH", "/files/space1/own.txt", long, -1))
	require.Equal(t, before, s.content(t))
}

// A client gets a token for a directory from the service itself, as gfal2 asks
// for it.
func TestServiceGivesOutTokens(t *testing.T) {
	t.Parallel()
	s := newShare(t)
	ask := func(token macaroon.Token, target string) macaroontest.Response {
		return s.do(token, "POST", target, `{"caveats": ["activity:LIST,DOWNLOAD"], "validity": "PT720M"}`,
			"Content-Type", "application/macaroon-request")
	}
	var answer struct {
		Macaroon string
		URI      struct{ Target string }
	}
	require.NoError(t, json.Unmarshal(ask(s.Token(), "/files/space1/dir").Body, &answer))
	require.Equal(t, "http://example.com/files/space1/dir", answer.URI.Target)
	token, err := macaroon.Parse(answer.Macaroon)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, s.do(token, "GET", "/files/space1/dir/hello.txt", "").Status)
	macaroontest.AssertError(t, s.do(token, "PUT", "/files/space1/dir/hello.txt", ""), errors.IDTokenCaveatUnverified)
	macaroontest.AssertError(t, s.do(token, "GET", "/files/space1/own.txt", ""), errors.IDTokenCaveatUnverified)
	// A token for another directory, asked for with this one, opens nothing.
	require.NoError(t, json.Unmarshal(ask(token, "/files/space2").Body, &answer))
	token, err = macaroon.Parse(answer.Macaroon)
	require.NoError(t, err)
	macaroontest.AssertError(t, s.do(token, "GET", "/files/space2/other.txt", ""), errors.IDTokenCaveatUnverified)
}
