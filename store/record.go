package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// Status tells about the subject of a token as the store's identities know it.
type Status uint8

// The states of a holder. The zero Status is none of them: nobody was asked.
const (
	HolderActive  Status = iota + 1
	HolderBlocked        // the identity is blocked
	HolderMissing        // there is no such identity
)

// Key is what a verification needs to know.
type Key struct {
	Secret       Secret
	Subject      caveat.Subject
	Generation   int64  // of a temporary secret, from 1; 0 for a named token
	Revoked      bool   // the named token is revoked
	RevokedTails []Tail // confined copies of the named token that are revoked; shared, read only
	Holder       Status // of Subject
}

// Tail identifies a confined copy of a token and everything derived from it: it
// is the SHA-256 of the copy's signature, so that the record gives away nothing
// that could be used as a token.
type Tail [sha256.Size]byte

// TailOf returns the tail of the copy with the given signature.
func TailOf(signature []byte) Tail { return sha256.Sum256(signature) }

// Token is the record of a named token. The token's text is not kept: it is
// rebuilt from the record.
type Token struct {
	ID           string          // unique; the key
	Name         string          // unique among the tokens of the subject
	Version      int             // of the identifier: 1 or 2
	Subject      caveat.Subject  // a user or Oneprovider
	Type         string          // text of the token type in the identifier: "act", "idn", "ujg:GROUP:"
	Caveats      []string        // texts, in the order of the token; nil and empty are the same
	Secret       Secret          // what the signature grows from; any bytes
	Created      int64           // Unix seconds
	Revoked      bool            //
	RevokedTails []Tail          // confined copies that are revoked; nil and empty are the same
	Custom       json.RawMessage // the client's JSON object, kept as an equal one; nil: none
	Privileges   []string        // of an invite token, sorted; nil where its type has none, which empty is not
	UsageLimit   int64           // of an invite token; 0: unlimited
	UsageCount   int64           // uses so far
}

// Identity is the record of a user or Oneprovider.
type Identity struct {
	Subject  caveat.Subject // the key: a user or Oneprovider
	Username string         // unique, "" for none; users only
	FullName string
	Password Secret // encoded password hash, any bytes; zero: no log-in with a password
	Blocked  bool
	Created  int64 // Unix seconds
}

// maxText bounds every key and name of a record, in bytes, so that each backend
// can index it.
const maxText = 1024

// Validate reports whether a backend can keep the record: id, name, subject and
// secret are there, texts are valid UTF-8 without NUL, those of keys and names
// of bounded length, the custom metadata is a JSON object. A secret may hold any
// bytes. What names and caveats may say is decided above. The error is badData
// {key}.
func (t Token) Validate() error {
	switch {
	case !validText(t.ID) || t.ID == "":
		return badRecord("id", "a token needs an id of valid UTF-8 without NUL, at most 1024 bytes long")
	case !validText(t.Name) || t.Name == "":
		return badRecord("name", "a named token needs a name of valid UTF-8 without NUL, at most 1024 bytes long")
	case t.Version != 1 && t.Version != 2:
		return badRecord("version", "the version of a token is 1 or 2")
	case !validText(t.Type) || t.Type == "":
		return badRecord("type", "a token needs a type of valid UTF-8 without NUL, at most 1024 bytes long")
	case t.Secret.IsZero():
		return badRecord("secret", "a token needs a secret")
	case t.UsageLimit < 0 || t.UsageCount < 0:
		return badRecord("usageLimit", "usage limit and count are not negative")
	case t.Custom != nil && !isObject(t.Custom):
		return badRecord("customMetadata", "the custom metadata is a JSON object in valid UTF-8")
	case !allTexts(t.Caveats):
		return badRecord("caveats", "caveats are valid UTF-8 without NUL, and none is empty")
	case !allTexts(t.Privileges):
		return badRecord("privileges", "privileges are valid UTF-8 without NUL, and none is empty")
	}
	return ValidateHolder(t.Subject)
}

// ValidateNew reports whether a backend can create the record for a holder that
// is as required: the record is valid, and require is 0 or HolderActive. The
// error is badData {key}.
func (t Token) ValidateNew(require Status) error {
	if require != 0 && require != HolderActive {
		return badRecord("require", "a new token requires an active holder, or asks nothing of it")
	}
	return t.Validate()
}

// ValidateHolder reports whether the subject can hold tokens: a user or
// Oneprovider with an id. The error is badData {key "subject"}.
func ValidateHolder(s caveat.Subject) error {
	if s.Type != caveat.SubjectUser && s.Type != caveat.SubjectProvider || s.ID == "" || !validText(s.ID) {
		return badRecord("subject", "the holder of a token is a user or oneprovider with an id of valid UTF-8 without NUL, at most 1024 bytes long")
	}
	return nil
}

// Validate reports whether a backend can keep the record. The error is badData
// {key}.
func (i Identity) Validate() error {
	switch {
	case !validText(i.Username):
		return badRecord("username", "a user name is valid UTF-8 without NUL, at most 1024 bytes long")
	case !validText(i.FullName):
		return badRecord("fullName", "a full name is valid UTF-8 without NUL, at most 1024 bytes long")
	case i.Username != "" && i.Subject.Type != caveat.SubjectUser:
		return badRecord("username", "only a user has a user name")
	}
	return ValidateHolder(i.Subject)
}

// Validate reports whether a backend can keep the record. The error is badData
// {key}.
func (t Temporary) Validate() error {
	switch {
	case t.Secret.IsZero():
		return badRecord("secret", "temporary tokens need a secret")
	case t.Generation < 1:
		return badRecord("generation", "generations count from 1")
	}
	return ValidateHolder(t.Subject)
}

// Validate reports whether a backend can keep the record: it is of one kind, and
// valid. The error is badData {key}.
func (r Record) Validate() error {
	switch {
	case r.Identity != nil && r.Temporary == nil && r.Token == nil:
		return r.Identity.Validate()
	case r.Temporary != nil && r.Identity == nil && r.Token == nil:
		return r.Temporary.Validate()
	case r.Token != nil && r.Identity == nil && r.Temporary == nil:
		return r.Token.Validate()
	}
	return badRecord("record", "a record is exactly one of identity, temporary secret and token")
}

func badRecord(key, hint string) error { return errors.BadDataHint(key, hint) }

func validText(s string) bool { return len(s) <= maxText && isText(s) }

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// allTexts reports whether the items are texts, of whatever length, and not empty.
func allTexts(items []string) bool {
	return !slices.ContainsFunc(items, func(s string) bool { return s == "" || !isText(s) })
}

// isObject reports whether data is a JSON object in valid UTF-8, on which
// json.Valid does not insist.
func isObject(data []byte) bool {
	return json.Valid(data) && utf8.Valid(data) && bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
}

// Clone returns a copy that shares no memory with t.
func (t Token) Clone() Token {
	t.Caveats = slices.Clone(t.Caveats)
	t.RevokedTails = slices.Clone(t.RevokedTails)
	t.Custom = slices.Clone(t.Custom)
	t.Privileges = slices.Clone(t.Privileges)
	return t
}

// Status is the standing of the identity as a holder of tokens.
func (i Identity) Status() Status {
	if i.Blocked {
		return HolderBlocked
	}
	return HolderActive
}

// UpdateToken returns the record that change makes of old, for the use of
// backends: it copies, calls change, and checks what [Tokens.UpdateToken]
// promises except the uniqueness of the name.
func UpdateToken(old Token, change func(*Token) error) (Token, error) {
	if change == nil {
		return Token{}, badRecord("change", "an update needs a function that makes it")
	}
	t := old.Clone()
	if err := change(&t); err != nil {
		return Token{}, err
	}
	if t.ID != old.ID || t.Subject != old.Subject || t.Created != old.Created {
		return Token{}, badRecord("id", "id, subject and creation time of a token never change")
	}
	return t.Clone(), t.Validate()
}

// UpdateIdentity returns the record that change makes of old, like
// [UpdateToken] does.
func UpdateIdentity(old Identity, change func(*Identity) error) (Identity, error) {
	if change == nil {
		return Identity{}, badRecord("change", "an update needs a function that makes it")
	}
	i := old
	if err := change(&i); err != nil {
		return Identity{}, err
	}
	if i.Subject != old.Subject || i.Created != old.Created {
		return Identity{}, badRecord("subject", "subject and creation time of an identity never change")
	}
	return i, i.Validate()
}
