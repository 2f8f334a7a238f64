package macaroon

import (
	"strconv"
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// identifier is the parsed form of a token's signed identifier.
type identifier struct {
	text       string // the signed text
	version    int    // 1 or 2
	generation int64  // of a temporary token, from 1; 0: named
	subject    caveat.Subject
	typ        Type
	id         string
}

// Parts of a version 2 identifier, such as "2/nmd/usr-ID/act/ID".
const (
	namedText       = "nmd"
	temporaryPrefix = "tmp-"
	fragments       = 4 // after the version
)

// parse parses an identifier. Version 1 is a bare id without subject and type;
// its tokens are access tokens. problem describes why the text is not an
// identifier, "" if it is one.
func (i *identifier) parse(text string) (problem string) {
	if !isPlain(text) {
		return "its identifier contains spaces, control characters or bytes that are not UTF-8"
	}
	version, rest, slash := strings.Cut(text, "/")
	switch {
	case version == "2" && slash:
		return i.parseVersion2(text, rest)
	case !slash || !isInteger(version):
		*i = version1(text, text)
	case version == "1" && rest != "" && !strings.Contains(rest, "/"):
		*i = version1(text, rest)
	default:
		return "the version of its identifier is not 1 or 2"
	}
	return ""
}

// version1 returns a version 1 identifier, which holds only the id.
func version1(text, id string) identifier {
	return identifier{text: text, version: 1, subject: caveat.Nobody(), typ: AccessToken(), id: id}
}

func (i *identifier) parseVersion2(text, rest string) (problem string) {
	var part [fragments]string
	more := true
	for n := range part {
		if !more {
			return "its identifier has too few parts"
		}
		part[n], rest, more = strings.Cut(rest, "/")
	}
	if more {
		return "its identifier has too many parts"
	}
	*i = identifier{text: text, version: 2, id: part[3]}
	var ok bool
	if part[0] != namedText {
		digits, temporary := strings.CutPrefix(part[0], temporaryPrefix)
		if i.generation, ok = parseGeneration(digits); !ok || !temporary {
			return "its persistence is neither named nor temporary with a generation"
		}
	}
	var err error
	if i.subject, err = caveat.ParseSubject(part[1]); err != nil || !isHolder(i.subject) {
		return "its subject is neither a user nor a oneprovider"
	}
	if i.typ, ok = parseType(part[2]); !ok {
		return "its type is not known"
	}
	if i.id == "" {
		return "its id is empty"
	}
	return ""
}

// isInteger reports whether Onezone would parse the text as a version number.
func isInteger(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func parseGeneration(digits string) (int64, bool) {
	if digits == "" || digits[0] < '1' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

func isHolder(s caveat.Subject) bool {
	return (s.Type == caveat.SubjectUser || s.Type == caveat.SubjectProvider) && s.ID != ""
}

// format returns the identifier as text.
func (i identifier) format() string {
	if i.version == 1 {
		return i.id
	}
	var stack [256]byte
	b := append(stack[:0], "2/"...)
	if i.generation > 0 {
		b = strconv.AppendInt(append(b, temporaryPrefix...), i.generation, 10)
	} else {
		b = append(b, namedText...)
	}
	prefix := caveat.Subject{Type: i.subject.Type}.String() // the whole text would be allocated
	b = append(append(append(b, '/'), prefix...), i.subject.ID...)
	b = append(append(b, '/'), i.typ.String()...)
	b = append(append(b, '/'), i.id...)
	return string(b)
}
