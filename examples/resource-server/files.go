package main

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	// WebDAV, the protocol of rclone, davix and gfal2.
	"golang.org/x/net/webdav"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroonrequest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// prefix is in front of the paths of files, which are /files/SPACE/NAME/...
const prefix = "/files"

// Limits on bodies, in bytes. Package webdav reads XML at a hundred times its size
// in memory.
const (
	maxFile = 10 << 20 // of an upload
	maxXML  = 16 << 10 // of other requests
)

// method is what a request needs: the caveats of the token must allow the
// operations, and the access to the file.
type method struct {
	access     caveat.Access
	operations []caveat.Operation
	creates    bool // the file need not exist
	lists      bool // also the directories above the files that the token is for
	copies     bool // the file gets another path, in the Destination header
}

// methods are those of WebDAV (RFC 4918) without LOCK and UNLOCK. Locks belong
// to whoever knows their ids, which can be guessed in package webdav: a client
// could remove the locks of files outside the paths of its token.
var methods = map[string]method{
	"GET":       {access: caveat.Read, operations: []caveat.Operation{caveat.Get}},
	"HEAD":      {access: caveat.Read, operations: []caveat.Operation{caveat.Get}},
	"PROPFIND":  {access: caveat.Read, operations: []caveat.Operation{caveat.Get}, lists: true},
	"COPY":      {access: caveat.Read, operations: []caveat.Operation{caveat.Get, caveat.Update}, copies: true},
	"MOVE":      {access: caveat.Write, operations: []caveat.Operation{caveat.Update, caveat.Delete}, copies: true},
	"PUT":       {access: caveat.Write, operations: []caveat.Operation{caveat.Update}, creates: true},
	"MKCOL":     {access: caveat.Write, operations: []caveat.Operation{caveat.Create}, creates: true},
	"PROPPATCH": {access: caveat.Write, operations: []caveat.Operation{caveat.Update}},
	"DELETE":    {access: caveat.Write, operations: []caveat.Operation{caveat.Delete}},
}

// files serves the files below a directory.
type files struct {
	tree     tree
	webdav   webdav.Handler
	handlers map[string]http.Handler // by method
}

// newFiles returns the service. It enforces the caveats of tokens in three
// steps: rest.Authenticate verifies the token, rest.Require checks the
// operation, and CheckFile the file. POST gives out tokens for single files and
// directories.
func newFiles(v macaroon.Verifier, dir string) (http.Handler, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	t := tree{root}
	f := files{t, webdav.Handler{Prefix: prefix, FileSystem: t, LockSystem: webdav.NewMemLS()}, make(map[string]http.Handler)}
	for name, m := range methods {
		var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, m) })
		for _, operation := range m.operations {
			handler = rest.Require(caveat.OpWorker, operation, "file.null.content:private")(handler)
		}
		f.handlers[name] = handler
	}
	f.handlers["OPTIONS"] = http.HandlerFunc(f.options)
	authority, _ := v.(*macaroon.Authority) // nil for the Onezone of somebody else: then tokens are only confined
	f.handlers["POST"] = http.StripPrefix(prefix, macaroonrequest.New(macaroonrequest.Options{Authority: authority}))
	return rest.Authenticate(v, rest.AllowDataCaveats())(rest.RequireClient()(f)), nil
}

// ServeHTTP implements [http.Handler]. It does not use http.ServeMux, which
// redirects the paths that are not clean, and the client repeats the token.
func (f files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := filePath(r.URL); err != nil {
		rest.WriteError(w, err)
		return
	}
	handler := f.handlers[r.Method]
	if handler == nil {
		f.allow(w)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	handler.ServeHTTP(w, r)
}

func (f files) allow(w http.ResponseWriter) {
	w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(f.handlers)), ", "))
}

// options says that this is WebDAV without locks.
func (f files) options(w http.ResponseWriter, _ *http.Request) {
	f.allow(w)
	w.Header().Set("DAV", "1")
}

// serve checks all paths of the request before package webdav sees it. The tree
// checks every file again.
func (f files) serve(w http.ResponseWriter, r *http.Request, m method) {
	if err := f.check(r, m); err != nil {
		rest.WriteError(w, err)
		return
	}
	limit := int64(maxXML)
	if r.Method == http.MethodPut {
		limit = maxFile
	}
	if r.ContentLength > limit {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	r.Header.Del("If") // it is about locks, also those of other files
	if r.Method == "PROPFIND" {
		r.Body = http.NoBody // then all properties are listed; package webdav refuses the list that davix sends
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "application/octet-stream") // nothing that a browser would run
		w.Header().Set("X-Content-Type-Options", "nosniff")
	}
	f.webdav.ServeHTTP(w, r)
}

// check returns an error unless the token allows the request. It replaces the
// paths in the request by those that it checked.
func (f files) check(r *http.Request, m method) error {
	name, err := filePath(r.URL)
	if err != nil {
		return err
	}
	allowed := f.tree.allows
	if m.lists {
		allowed = f.tree.shows
	}
	if err := allowed(r.Context(), name, m.access); err != nil {
		return err
	}
	if depth := r.Header.Get("Depth"); m.lists && depth != "0" && depth != "1" {
		return errors.Forbidden("directories are listed one by one: send the header Depth: 1, or Depth: 0")
	}
	if _, err := f.tree.Stat(r.Context(), name); err != nil && !m.creates {
		return errors.NotFound()
	}
	r.URL = &url.URL{Path: prefix + name}
	if !m.copies {
		return nil
	}
	destination, err := destinationPath(r)
	switch {
	case err != nil:
		return err
	case isWithin(destination, name) || isWithin(name, destination):
		return errors.Forbidden("a file or directory cannot be copied or moved into or above itself")
	}
	r.Header.Set("Destination", prefix+(&url.URL{Path: destination}).EscapedPath())
	return f.tree.allows(r.Context(), destination, caveat.Write)
}
