package macaroon

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/strictjson"
)

// Class is the purpose of a token. The zero Class is invalid.
type Class uint8

// The classes of tokens.
const (
	Access   Class = iota + 1 // authorizes operations
	Identity                  // only proves the identity of its subject
	Invite                    // lets its consumer join or support an entity
)

// Type is the type of a token: a class with its parameters. It is comparable.
// The zero Type is invalid. In JSON it has the form of the REST API, such as
// {"accessToken":{}}.
type Type struct {
	class  Class
	invite InviteType
	param  string // the session of an access token, the target of an invitation
}

// AccessToken returns the type of a token that authorizes operations.
func AccessToken() Type { return Type{class: Access} }

// SessionToken returns the type of an access token that is valid only within
// one session. For an empty id it returns the zero Type, which cannot be
// issued, so that a missing session id does not make a token for all sessions.
func SessionToken(session string) Type {
	if session == "" {
		return Type{}
	}
	return Type{class: Access, param: session}
}

// IdentityToken returns the type of a token that only proves an identity.
func IdentityToken() Type { return Type{class: Identity} }

// InviteToken returns the type of a token that invites to the target. target is
// the id of an entity of the kind that the invite type names.
func InviteToken(invite InviteType, target string) Type {
	return Type{class: Invite, invite: invite, param: target}
}

// Class returns the class of the token.
func (t Type) Class() Class { return t.class }

// Session returns the session that an access token is bound to, or "".
func (t Type) Session() string {
	if t.class != Access {
		return ""
	}
	return t.param
}

// Invitation returns the invite type and target of an invite token. For other
// types it returns the zero InviteType.
func (t Type) Invitation() (invite InviteType, target string) {
	if t.class != Invite {
		return 0, ""
	}
	return t.invite, t.param
}

// Texts of the types in an identifier.
const (
	accessText   = "act"
	sessionText  = "act:"
	identityText = "idn"
)

// String returns the text of the type in an identifier: "act", "act:SESSION",
// "idn" or "CODE:TARGET:PARAMETERS".
func (t Type) String() string {
	switch {
	case t.class == Access && t.param == "":
		return accessText
	case t.class == Access:
		return sessionText + t.param
	case t.class == Identity:
		return identityText
	case t.class == Invite:
		return t.invite.row().code + ":" + t.param + ":" + t.invite.parameters()
	}
	return "unknown"
}

// ParseType parses the text of a type. It ignores the parameters of an
// invitation. The error is badValueTokenType {key "type"}.
func ParseType(text string) (Type, error) {
	if t, ok := parseType(text); ok {
		return t, nil
	}
	return Type{}, errors.BadValueTokenType("type")
}

func parseType(text string) (t Type, ok bool) {
	switch text {
	case accessText:
		return AccessToken(), true
	case identityText:
		return IdentityToken(), true
	}
	if session, ok := strings.CutPrefix(text, sessionText); ok {
		return SessionToken(session), session != ""
	}
	code, rest, ok1 := strings.Cut(text, ":")
	target, parameters, ok2 := strings.Cut(rest, ":")
	invite := inviteTypeWhere(func(i invitation) bool { return i.code == code })
	ok = ok1 && ok2 && invite != 0 && target != "" && !strings.Contains(parameters, ":")
	return InviteToken(invite, target), ok
}

// isComplete reports whether the text of the type parses to the same type.
func (t Type) isComplete() bool {
	back, ok := parseType(t.String())
	return ok && back == t
}

// isFragment reports whether an identifier may contain the text between two
// slashes.
func isFragment(text string) bool { return text != "" && !strings.Contains(text, "/") && isPlain(text) }

// isPlain reports whether an identifier may contain the text, which must be
// UTF-8 without control characters and spaces.
func isPlain(text string) bool {
	seen := byte(0)
	for i := range len(text) {
		seen |= classes[text[i]]
	}
	return seen&classBad == 0 && (seen&classUnicode == 0 || isPlainUnicode(text))
}

// Classes of bytes in an identifier; other bytes are valid.
const (
	classBad     = 1 << iota // spaces and control characters
	classUnicode             // part of a rune that must be checked
)

var classes = func() (t [256]byte) {
	for i := range t {
		switch {
		case i <= ' ' || i == 0x7f:
			t[i] = classBad
		case i >= 0x80:
			t[i] = classUnicode
		}
	}
	return t
}()

func isPlainUnicode(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		return r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.IsSpace(r)
	}) < 0
}

// MarshalJSON returns the object form of the REST API. For the zero Type, which
// an [Event] may have, it returns null.
func (t Type) MarshalJSON() ([]byte, error) {
	type object map[string]any
	switch {
	case t.class == Access && t.param == "":
		return []byte(`{"accessToken":{}}`), nil
	case t.class == Access:
		return json.Marshal(object{"accessToken": object{"sessionId": t.param}})
	case t.class == Identity:
		return []byte(`{"identityToken":{}}`), nil
	case t.class == Invite:
		return json.Marshal(object{"inviteToken": object{
			"inviteType": t.invite.String(), t.invite.row().targetKey: t.param, "parameters": object{},
		}})
	}
	return []byte("null"), nil
}

// UnmarshalJSON decodes the object form of the REST API. If an object has
// several types, the first in the order access, identity, invite is used; other
// keys are ignored. As in the original Onezone, it accepts a session or target
// that an identifier cannot hold; [Sessions] and [Inviters] later reject it.
// The error is badValueTokenType {key "type"}.
func (t *Type) UnmarshalJSON(data []byte) error {
	type object map[string]json.RawMessage
	var o object
	if json.Unmarshal(data, &o) != nil {
		return errors.BadValueTokenType("type")
	}
	var access, invite object
	_ = json.Unmarshal(o["accessToken"], &access) // stays nil unless it is an object
	_ = json.Unmarshal(o["inviteToken"], &invite)
	session, bound := strictjson.Text(access["sessionId"])
	var ok bool
	switch {
	case bound:
		*t, ok = SessionToken(session), session != ""
	case access != nil && len(access) == 0:
		*t, ok = AccessToken(), true
	case o["identityToken"] != nil:
		*t, ok = IdentityToken(), true
	case invite != nil:
		name, _ := strictjson.Text(invite["inviteType"])
		if inviteType, err := ParseInviteType(name); err == nil {
			target, _ := strictjson.Text(invite[inviteType.row().targetKey])
			*t, ok = InviteToken(inviteType, target), target != ""
		}
	}
	if !ok || !t.isComplete() {
		*t = Type{}
		return errors.BadValueTokenType("type")
	}
	return nil
}

// Describe returns a readable form of the type, such as "access token" or
// "invite token for a user to join the group g1".
func (t Type) Describe() string {
	switch {
	case t.class == Access && t.param == "":
		return "access token"
	case t.class == Access:
		return "access token for the session " + t.param
	case t.class == Identity:
		return "identity token"
	case t.class == Invite:
		return "invite token " + t.invite.row().phrase + " " + t.param
	}
	return "token of an unknown type"
}
