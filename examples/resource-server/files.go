package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// maxFile is the largest upload, in bytes.
const maxFile = 10 << 20

// files serves GET and PUT of /files/SPACE/NAME/... below a directory.
type files struct{ root *os.Root }

// newFiles returns the service. It enforces the caveats of tokens in three
// steps: rest.Authenticate verifies the token, rest.Require checks the
// operation, and CheckFile the file.
func newFiles(v macaroon.Verifier, dir string) (http.Handler, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f := files{root}
	mux := http.NewServeMux()
	mux.Handle("GET /files/{path...}",
		rest.Require(caveat.OpWorker, caveat.Get, "file.null.content:private")(http.HandlerFunc(f.read)))
	mux.Handle("PUT /files/{path...}",
		rest.Require(caveat.OpWorker, caveat.Update, "file.null.content:private")(http.HandlerFunc(f.write)))
	return rest.Authenticate(v, rest.AllowDataCaveats())(rest.RequireClient()(mux)), nil
}

// allowed reports whether the client may access the file of the request. If
// not, it answers the request.
func allowed(w http.ResponseWriter, r *http.Request, access caveat.Access) (name string, ok bool) {
	client, _ := rest.ClientFrom(r.Context())
	name = r.PathValue("path")
	if err := client.CheckFile(caveat.File{Path: "/" + name}, access); err != nil {
		rest.WriteError(w, err)
		return "", false
	}
	return filepath.FromSlash(name), true
}

func (f files) read(w http.ResponseWriter, r *http.Request) {
	name, ok := allowed(w, r, caveat.Read)
	if !ok {
		return
	}
	file, err := f.root.Open(name)
	if err != nil {
		rest.WriteError(w, errors.NotFound())
		return
	}
	defer func() { _ = file.Close() }()
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.Copy(w, file)
}

func (f files) write(w http.ResponseWriter, r *http.Request) {
	name, ok := allowed(w, r, caveat.Write)
	if !ok {
		return
	}
	if err := f.save(name, http.MaxBytesReader(w, r.Body, maxFile)); err != nil {
		rest.WriteError(w, errors.BadValueFilePath())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f files) save(name string, content io.Reader) error {
	if err := f.root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}
