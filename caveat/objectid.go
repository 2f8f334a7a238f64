package caveat

import "context"

// DataObjectID is the caveat "data.objectid = ID|...": the files with these
// object ids (see [FileID]) and the files below them. Verification accepts it
// if [Request].DataAccess is set; [Authorize] and [CheckFile] enforce it.
type DataObjectID []string

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

func (c DataObjectID) demand() string {
	return "the token may be used only to access the files at and below the objects " + quoted(c)
}

// spaces returns the space of each object; ids that hold no space are skipped.
func (c DataObjectID) spaces() []string {
	var spaces []string
	for _, id := range c {
		if f, err := ParseObjectID(id); err == nil {
			spaces = append(spaces, f.Space)
		}
	}
	return spaces
}

func (DataObjectID) explain(_ context.Context, a *Attempt) Wording {
	if words, ok := noFile(a); ok {
		return words
	}
	if len(a.File.ObjectIDs) == 0 {
		return Wording{Reason: "the object ids of the file are unknown", Missing: true}
	}
	return Wording{Reason: "the object ids of the file and the directories above it are " + quoted(a.File.ObjectIDs)}
}
