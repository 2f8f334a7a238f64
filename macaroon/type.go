package macaroon

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/onezone-go/onezone/errors"
)

// Class is what a token is for. The zero Class is invalid.
type Class uint8

// The classes of tokens.
const (
	Access   Class = iota + 1 // authorises operations
	Identity                  // proves who its subject is, and nothing else
	Invite                    // lets its consumer join or support something
)

// Type is the type of a token: a class with its parameters. It is comparable.
// The zero Type is invalid. In JSON it has the form of the REST API, such as
// {"accessToken":{}}.
type Type struct {
	class  Class
	invite InviteType
	param  string // the session of an access token, the target of an invitation
}

// AccessToken is the type of a token that authorises operations.
func AccessToken() Type { return Type{class: Access} }

// SessionToken is the type of an access token that is good within one session
// only. It is the zero Type, which no token can be made of, for an empty id: a
// session that was not found must not become a token for all of them.
func SessionToken(session string) Type {
	if session == "" {
		return Type{}
	}
	return Type{class: Access, param: session}
}

// IdentityToken is the type of a token that proves an identity.
func IdentityToken() Type { return Type{class: Identity} }

// InviteToken is the type of a token that invites to the target, an entity of
// the kind that the invite type has.
func InviteToken(invite InviteType, target string) Type {
	return Type{class: Invite, invite: invite, param: target}
}

// Class returns what the token is for.
func (t Type) Class() Class { return t.class }

// Session returns the session that an access token is bound to, "" for none.
func (t Type) Session() string {
	if t.class != Access {
		return ""
	}
	return t.param
}

// Invitation returns what an invite token invites to; the zero InviteType for
// other tokens.
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
		return t.invite.code() + ":" + t.param + ":" + t.invite.parameters()
	}
	return "unknown"
}

// ParseType reads the text of a type. The parameters of an invitation are not
// looked at. The error is badValueTokenType {key "type"}.
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
	invite := inviteTypeOf(code)
	ok = ok1 && ok2 && invite != 0 && target != "" && !strings.Contains(parameters, ":")
	return InviteToken(invite, target), ok
}

// isComplete reports whether the type has a text that reads back as itself.
func (t Type) isComplete() bool {
	back, ok := parseType(t.String())
	return ok && back == t
}

// issuable reports whether a token of the type can be made: it is complete, and
// an identifier can hold its session or target.
func (t Type) issuable() bool {
	return t.isComplete() && !strings.Contains(t.param, "/") && isPlain(t.param)
}

// isPlain reports whether the text may stand in an identifier: no control
// characters and no spaces.
func isPlain(text string) bool {
	seen := byte(0)
	for i := range len(text) {
		seen |= classes[text[i]]
	}
	return seen&classBad == 0 && (seen&classUnicode == 0 || isPlainUnicode(text))
}

// Classes of bytes in an identifier, beside those that are fine.
const (
	classBad     = 1 << iota // spaces and control characters
	classUnicode             // of a rune that has to be looked at
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

// MarshalJSON returns the object form of the REST API, and null for the zero
// Type, which an [Event] may have.
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
			"inviteType": t.invite.String(), t.invite.targetKey(): t.param, "parameters": object{},
		}})
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads the object form. Of several types in one object the first
// in the order access, identity, invite counts; other keys are ignored. A session
// or target that no identifier can hold is read, as by the original; that there
// is none such is for who knows the sessions and targets to say. The error is
// badValueTokenType {key "type"}.
func (t *Type) UnmarshalJSON(data []byte) error {
	type object map[string]json.RawMessage
	var o object
	if json.Unmarshal(data, &o) != nil {
		return errors.BadValueTokenType("type")
	}
	var access, invite object
	_ = json.Unmarshal(o["accessToken"], &access) // what is no object stays nil
	_ = json.Unmarshal(o["inviteToken"], &invite)
	session, bound := jsonText(access["sessionId"])
	var ok bool
	switch {
	case bound:
		*t, ok = SessionToken(session), session != ""
	case access != nil && len(access) == 0:
		*t, ok = AccessToken(), true
	case o["identityToken"] != nil:
		*t, ok = IdentityToken(), true
	case invite != nil:
		name, _ := jsonText(invite["inviteType"])
		if i, err := ParseInviteType(name); err == nil {
			target, _ := jsonText(invite[i.targetKey()])
			*t, ok = InviteToken(i, target), target != ""
		}
	}
	if !ok || !t.isComplete() {
		*t = Type{}
		return errors.BadValueTokenType("type")
	}
	return nil
}

func jsonText(raw json.RawMessage) (s string, ok bool) {
	var p *string
	if json.Unmarshal(raw, &p) != nil || p == nil {
		return "", false
	}
	return *p, true
}

// Describe returns the type in words, such as "access token" or "invitation of
// a user to the group g1".
func (t Type) Describe() string {
	switch {
	case t.class == Access && t.param == "":
		return "access token"
	case t.class == Access:
		return "access token for the session " + t.param
	case t.class == Identity:
		return "identity token"
	case t.class == Invite:
		return "invite token " + t.invite.phrase() + " " + t.param
	}
	return "token of an unknown type"
}
