package caveat

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
)

// DataPath is the caveat "data.path = BASE64|...": the files at and below the
// paths. A path is "/SPACE/NAME/...", here as it is and in base64 in the text
// and in JSON. When the token is verified the caveat holds where data caveats
// are allowed; [Authorize] and [CheckFile] enforce it.
type DataPath []string

func parseDataPath(value string) (Caveat, bool) {
	list, ok := parseList(nil, value, decodePath)
	// Blanks alone are an empty list in other words.
	return DataPath(list), ok && !slices.Equal(list, []string{""})
}

// blanks are skipped by the original's base64 reader.
var blanks = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "")

func decodePath(entry string) (string, error) {
	path, err := base64.StdEncoding.DecodeString(blanks.Replace(entry))
	return string(path), err
}

func encodePath(path string) string { return base64.StdEncoding.EncodeToString([]byte(path)) }

// Type returns [TypeDataPath].
func (DataPath) Type() Type { return TypeDataPath }

// String returns the text "data.path = BASE64|...".
func (c DataPath) String() string {
	return joinList("data.path = ", c, func(b []byte, path string) []byte { return append(b, encodePath(path)...) })
}

// MarshalJSON returns {"type":"data.path","whitelist":[BASE64,...]}.
func (c DataPath) MarshalJSON() ([]byte, error) {
	encoded := make([]string, len(c))
	for i, path := range c {
		encoded[i] = encodePath(path)
	}
	return whitelistJSON(TypeDataPath, encoded)
}

func (c DataPath) satisfied(_ context.Context, req Request) (bool, error) {
	return req.DataAccess, nil
}

func (c DataPath) problem() string {
	return firstProblem(c, func(path string) string {
		if !cleanPath(path) {
			return `every path must be "/SPACE" or "/SPACE/NAME/..." without empty, "." and ".." components`
		}
		return ""
	})
}

// cleanPath reports whether the path names one place only.
func cleanPath(path string) bool {
	rest, absolute := strings.CutPrefix(path, "/")
	if !absolute {
		return false
	}
	for component := range strings.SplitSeq(rest, "/") {
		if component == "" || component == "." || component == ".." {
			return false
		}
	}
	return true
}

func (c DataPath) entries() int { return len(c) }

func (c DataPath) demand() string {
	return "the token may be used only to access the files at and below the paths " + quoted(c)
}

// spaces returns the first component of each path. Paths without one, which
// only a foreign program can have put into a token, stand for no space.
func (c DataPath) spaces() []string {
	var spaces []string
	for _, path := range c {
		if !strings.HasPrefix(path, "/") {
			continue
		}
		space, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
		if space != "" {
			spaces = append(spaces, space)
		}
	}
	return spaces
}

// DataObjectID is the caveat "data.objectid = ID|...": the files with these
// object ids (see [FileID]) and what is below them. When the token is verified
// the caveat holds where data caveats are allowed; [Authorize] and [CheckFile]
// enforce it.
type DataObjectID []string

func parseDataObjectID(value string) (Caveat, bool) {
	list, ok := parseList(nil, value, verbatim)
	return DataObjectID(list), ok
}

// Type returns [TypeDataObjectID].
func (DataObjectID) Type() Type { return TypeDataObjectID }

// String returns the text "data.objectid = ID|...".
func (c DataObjectID) String() string {
	return joinList("data.objectid = ", c, writeText)
}

// MarshalJSON returns {"type":"data.objectid","whitelist":[ID,...]}.
func (c DataObjectID) MarshalJSON() ([]byte, error) {
	return whitelistJSON(TypeDataObjectID, []string(c))
}

func (c DataObjectID) satisfied(_ context.Context, req Request) (bool, error) {
	return req.DataAccess, nil
}

func (c DataObjectID) problem() string {
	return firstProblem(c, func(id string) string {
		if f, err := ParseObjectID(id); err != nil || f.Space == "" {
			return "every object id must be hexadecimal and hold the id of a space"
		}
		return ""
	})
}

func (c DataObjectID) entries() int { return len(c) }

func (c DataObjectID) demand() string {
	return "the token may be used only to access the files at and below the objects " + quoted(c)
}

// spaces returns the space of each object; ids that hold none stand for none.
func (c DataObjectID) spaces() []string {
	var spaces []string
	for _, id := range c {
		if f, err := ParseObjectID(id); err == nil {
			spaces = append(spaces, f.Space)
		}
	}
	return spaces
}
