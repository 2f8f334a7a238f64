package caveat

import (
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// Access is a way to use a file. The zero value is invalid.
type Access uint8

// The ways to access a file.
const (
	Read  Access = iota + 1 // read its content, list it, read its attributes
	Write                   // anything that changes it
)

// File describes, as far as the service knows, a file that a client requests.
type File struct {
	// Path is the canonical path, "/SPACE/NAME/...", with links resolved; "" if
	// it is unknown.
	Path string
	// ObjectIDs are the object ids of the file and of the directories above it.
	ObjectIDs []string
}

// CheckFile reports whether the caveats allow the access to the file; see
// [List.CheckFile].
func CheckFile(cs []Caveat, file File, access Access) error {
	return newList(cs).CheckFile(file, access)
}

// CheckFile reports whether the data caveats of a verified token allow the
// access to the file. data.readonly refuses every [Write]; a data.path caveat
// allows the file when it is at or below one of the paths, a data.objectid
// caveat when the file or a directory above it has one of the ids. All caveats
// must allow the access. A caveat about something that the service left out
// (the path, the ids) does not.
//
// The error is unauthorized {authError: tokenCaveatUnverified} with the first
// caveat that does not allow the access (tokenCaveatUnknown for an [Unknown],
// which no verified token has), badValueFilePath if the path is neither "" nor
// absolute and free of empty, "." and ".." components, or badData {key
// "access"} if the access is neither [Read] nor [Write].
func (l List) CheckFile(file File, access Access) error {
	if file.Path != "" && !cleanPath(file.Path) {
		return errors.BadValueFilePath()
	}
	if access != Read && access != Write {
		return errors.BadDataHint("access", "expected Read or Write")
	}
	var ids fileIDs
	for i, c := range l.get().caveats {
		var allowed bool
		switch c := c.(type) {
		case DataReadonly:
			allowed = access == Read
		case DataPath:
			allowed = slices.ContainsFunc(c, func(root string) bool { return isWithin(file.Path, root) })
		case DataObjectID:
			if ids == nil {
				ids = file.ids()
			}
			allowed = slices.ContainsFunc(c, ids.has)
		case Unknown:
			return unknown(c)
		default:
			allowed = true
		}
		if !allowed {
			return l.forbidden(i)
		}
	}
	return nil
}

// isWithin reports whether the clean path is root or below it. A root that is
// not clean contains no path, because its meaning would be a guess.
func isWithin(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && cleanPath(root) && (rest == "" || rest[0] == '/')
}

// fileIDs is a set of decoded object ids. Ids that differ only in the case of
// their digits, or in parts of the frame that are not checked, are equal.
type fileIDs map[FileID]bool

func (f File) ids() fileIDs {
	ids := make(fileIDs, len(f.ObjectIDs))
	for _, text := range f.ObjectIDs {
		if id, err := ParseObjectID(text); err == nil {
			ids[id] = true
		}
	}
	return ids
}

func (ids fileIDs) has(text string) bool {
	id, err := ParseObjectID(text)
	return err == nil && ids[id]
}

// noFile explains, with ok, that data caveats are not decided for a file.
func noFile(a *Attempt) (words Wording, ok bool) {
	switch {
	case !a.DataAccess:
		return Wording{
			Reason: "the service that receives the token does not enforce data caveats",
			Remedy: "the token must be used with a service that does",
		}, true
	case a.Access == 0:
		return Wording{Reason: "each file is decided when the client asks for it"}, true
	}
	return Wording{}, false
}
