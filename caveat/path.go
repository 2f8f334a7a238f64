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

func parseDataPath(rest string) (Caveat, bool) {
	list, ok := parseList(rest, decodePath)
	// Blanks alone are an empty list in other words.
	return DataPath(list), ok && !slices.Equal(list, []string{""})
}

// blanks are skipped by the original's base64 reader.
var blanks = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "")

func decodePath(entry string) (string, error) {
	path, err := base64.StdEncoding.DecodeString(blanks.Replace(entry))
	return string(path), err
}

// strictPath reads base64 that a client wrote: only what prints back the same.
func strictPath(entry string) (string, error) {
	path, err := decodePath(entry)
	if err == nil && encodePath(path) != entry {
		err = errEntry
	}
	return path, err
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
