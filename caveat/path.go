package caveat

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// DataPath is the caveat "data.path = BASE64|...": the files at and below the
// paths. A path is "/SPACE/NAME/..."; the text and the JSON encode it in
// base64. Verification accepts the caveat if [Request].DataAccess is set;
// [Authorize] and [CheckFile] enforce it.
type DataPath []string

func parseDataPath(rest string) (Caveat, bool) {
	list, ok := parseList(rest, decodePath)
	// A text of blanks only is an empty list.
	return DataPath(list), ok && !slices.Equal(list, []string{""})
}

// blanks removes white space, which the original's base64 decoder skips.
var blanks = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "")

func decodePath(entry string) (string, error) {
	path, err := base64.StdEncoding.DecodeString(blanks.Replace(entry))
	return string(path), err
}

// strictPath decodes the base64 of a new caveat, in canonical form only.
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

// cleanPath reports whether the path is absolute and without empty, "." and
// ".." components.
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
// other programs may have put into a token, are skipped.
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

func (DataPath) explain(_ context.Context, a *Attempt) Wording {
	if words, ok := noFile(a); ok {
		return words
	}
	if a.File.Path == "" {
		return Wording{Reason: "the path of the file is unknown", Missing: true}
	}
	return Wording{Reason: fmt.Sprintf("the path of the file is %.200q", a.File.Path)}
}
