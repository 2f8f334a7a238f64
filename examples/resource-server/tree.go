package main

import (
	"context"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	// The interface of a file system for WebDAV.
	"golang.org/x/net/webdav"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// tree is a directory with a subdirectory for each space. It lets the client of
// a request do what its token allows: whatever package webdav does for a
// request ends here.
type tree struct{ root *os.Root }

// allows returns an error unless the token allows the access to the file.
func (tree) allows(ctx context.Context, name string, access caveat.Access) error {
	client, _ := rest.ClientFrom(ctx)
	if name != "/" {
		return client.CheckFile(caveat.File{Path: name}, access)
	}
	if access != caveat.Read {
		return errors.Forbidden("the spaces themselves cannot be changed")
	}
	return nil // listings leave out what the client may not see
}

// shows is allows, or accepts a directory that leads to files that the token
// allows.
func (t tree) shows(ctx context.Context, name string, access caveat.Access) error {
	err := t.allows(ctx, name, access)
	if client, _ := rest.ClientFrom(ctx); err != nil && access == caveat.Read && leads(client, name) {
		return nil
	}
	return err
}

// leads reports whether all data caveats of the client's token allow files
// below the directory.
func leads(client rest.Client, dir string) bool {
	if client.Token == nil {
		return false
	}
	return !slices.ContainsFunc(client.Token.Caveats(), func(c caveat.Caveat) bool {
		switch c := c.(type) {
		case caveat.DataPath:
			return !slices.ContainsFunc(c, func(p string) bool { return isWithin(p, dir) || isWithin(dir, p) })
		case caveat.DataObjectID:
			return true // the service does not know the ids of its files
		}
		return false
	})
}

// locate returns the path in the root. Symbolic links do not exist for clients,
// because they lead to another path than the one that was checked, and neither
// do devices and pipes.
func (t tree) locate(name string) (string, error) {
	local := strings.Trim(name, "/")
	if local == "" {
		return ".", nil
	}
	if !fs.ValidPath(local) {
		return "", &fs.PathError{Op: "locate", Path: name, Err: fs.ErrInvalid}
	}
	for at := local; at != "."; at = path.Dir(at) {
		if info, err := t.root.Lstat(at); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			return "", &fs.PathError{Op: "locate", Path: name, Err: fs.ErrNotExist}
		}
	}
	return local, nil
}

// locateFor is locate for a client that needs the access.
func (t tree) locateFor(ctx context.Context, name string, access caveat.Access) (string, error) {
	if err := t.allows(ctx, name, access); err != nil {
		return "", &fs.PathError{Op: "access", Path: name, Err: fs.ErrPermission}
	}
	return t.locate(name)
}

// Stat implements [webdav.FileSystem].
func (t tree) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	local, err := t.locate(name)
	if err != nil {
		return nil, err
	}
	info, err := t.root.Lstat(local)
	switch {
	case err != nil:
		return nil, err
	case t.allows(ctx, name, caveat.Read) == nil:
		return info, nil
	case info.IsDir() && t.shows(ctx, name, caveat.Read) == nil:
		return outline{info}, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrPermission}
}

// OpenFile implements [webdav.FileSystem]. It creates the directories of a new
// file.
func (t tree) OpenFile(ctx context.Context, name string, flag int, _ os.FileMode) (webdav.File, error) {
	if flag == os.O_RDONLY {
		return t.open(ctx, name)
	}
	local, err := t.locateFor(ctx, name, caveat.Write)
	if err != nil {
		return nil, err
	}
	if flag&os.O_CREATE != 0 {
		if err := t.root.MkdirAll(path.Dir(local), 0o700); err != nil {
			return nil, err
		}
	}
	return t.root.OpenFile(local, flag, 0o600)
}

// open opens a file, or a directory that lists what the client may see.
func (t tree) open(ctx context.Context, name string) (webdav.File, error) {
	info, err := t.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	local, err := t.locate(name)
	if err != nil {
		return nil, err
	}
	file, err := t.root.Open(local)
	if err != nil || !info.IsDir() {
		return file, err
	}
	return directory{file, info, func(child string) bool {
		_, err := t.Stat(ctx, path.Join("/", name, child))
		return err == nil
	}}, nil
}

// Mkdir implements [webdav.FileSystem].
func (t tree) Mkdir(ctx context.Context, name string, _ os.FileMode) error {
	local, err := t.locateFor(ctx, name, caveat.Write)
	if err != nil {
		return err
	}
	return t.root.Mkdir(local, 0o700)
}

// RemoveAll implements [webdav.FileSystem].
func (t tree) RemoveAll(ctx context.Context, name string) error {
	local, err := t.locateFor(ctx, name, caveat.Write)
	if err != nil {
		return err
	}
	return t.root.RemoveAll(local)
}

// Rename implements [webdav.FileSystem].
func (t tree) Rename(ctx context.Context, oldName, newName string) error {
	from, err := t.locateFor(ctx, oldName, caveat.Write)
	if err != nil {
		return err
	}
	to, err := t.locateFor(ctx, newName, caveat.Write)
	if err != nil {
		return err
	}
	return t.root.Rename(from, to)
}

// directory is an open directory.
type directory struct {
	*os.File
	info  fs.FileInfo
	shows func(child string) bool
}

// Stat returns what the client may know.
func (d directory) Stat() (fs.FileInfo, error) { return d.info, nil }

// Readdir leaves out the files that the client may not see.
func (d directory) Readdir(count int) ([]fs.FileInfo, error) {
	infos, err := d.File.Readdir(count)
	return slices.DeleteFunc(infos, func(info fs.FileInfo) bool { return !d.shows(info.Name()) }), err
}

// outline is a directory above the files that a token allows. When it last
// changed says something about the others.
type outline struct{ fs.FileInfo }

// ModTime returns the Unix epoch.
func (outline) ModTime() time.Time { return time.Unix(0, 0) }
