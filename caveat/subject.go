package caveat

import (
	"encoding/json"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// SubjectType is the type of a [Subject]. The zero value is invalid.
type SubjectType uint8

// The types of subjects.
const (
	SubjectUser SubjectType = iota + 1
	SubjectProvider
	SubjectGroup
	SubjectNobody
)

// The names of subject types in JSON, and the prefixes of their ids in texts.
var (
	subjectNames    = []string{SubjectUser: "user", SubjectProvider: "oneprovider", SubjectGroup: "group", SubjectNobody: "nobody"}
	subjectPrefixes = []string{SubjectUser: "usr-", SubjectProvider: "prv-", SubjectGroup: "grp-"}
)

// String returns the JSON name: "user", "oneprovider", "group" or "nobody", and
// "unknown" for the zero value.
func (t SubjectType) String() string { return nameOf(subjectNames, t) }

// Subject is a party: the holder of a token or its consumer. It is comparable
// and can be a map key. The zero Subject is an unknown party.
type Subject struct {
	Type SubjectType
	ID   string
}

// User returns the user with the given id.
func User(id string) Subject { return Subject{SubjectUser, id} }

// Provider returns the Oneprovider with the given id.
func Provider(id string) Subject { return Subject{SubjectProvider, id} }

// Group returns the group with the given id.
func Group(id string) Subject { return Subject{SubjectGroup, id} }

// Nobody returns the unauthenticated party.
func Nobody() Subject { return Subject{Type: SubjectNobody} }

// IsZero reports whether the subject is unknown.
func (s Subject) IsZero() bool { return s.Type == 0 }

// String returns the text form: "usr-ID", "prv-ID", "grp-ID" or "nobody", and
// "unknown" for the zero Subject.
func (s Subject) String() string {
	switch s.Type {
	case SubjectUser, SubjectProvider, SubjectGroup:
		return subjectPrefixes[s.Type] + s.ID
	}
	return s.Type.String()
}

// ParseSubject reads the text form. The id may be empty and may hold any
// character, as in the original. The error is badData {key "subject"}.
func ParseSubject(text string) (Subject, error) {
	if text == "nobody" {
		return Nobody(), nil
	}
	for t := SubjectUser; t <= SubjectGroup; t++ {
		if id, ok := strings.CutPrefix(text, subjectPrefixes[t]); ok {
			return Subject{t, id}, nil
		}
	}
	return Subject{}, badSubject()
}

func badSubject() error {
	return errors.BadDataHint("subject", `expected "usr-ID", "prv-ID", "grp-ID" or "nobody"`)
}

type subjectJSON struct {
	Type string  `json:"type"`
	ID   *string `json:"id"`
}

// MarshalJSON returns {"type":TYPE,"id":ID}; the id of nobody is null. The zero
// Subject, which has no JSON form, is written as nobody.
func (s Subject) MarshalJSON() ([]byte, error) {
	switch s.Type {
	case SubjectUser, SubjectProvider, SubjectGroup:
		return json.Marshal(subjectJSON{s.Type.String(), &s.ID})
	}
	return json.Marshal(subjectJSON{Type: "nobody"})
}

// UnmarshalJSON reads the form that MarshalJSON writes; other keys are ignored.
// The error is badData {key "subject"}.
func (s *Subject) UnmarshalJSON(data []byte) error {
	var o object
	if json.Unmarshal(data, &o) != nil {
		return badSubject()
	}
	name, _ := o.text("type")
	if name == SubjectNobody.String() && string(o["id"]) == "null" {
		*s = Nobody()
		return nil
	}
	t, known := valueOf[SubjectType](subjectNames[:SubjectNobody], name)
	id, ok := o.text("id")
	if !known || !ok {
		return badSubject()
	}
	*s = Subject{t, id}
	return nil
}
