package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// Status is the state of a token's subject among the identities of the store.
type Status uint8

// The states of a holder. The zero Status means that the holder was not
// checked.
const (
	HolderActive  Status = iota + 1
	HolderBlocked        // the identity is blocked
	HolderMissing        // there is no such identity
)

// Key is the result of a look-up: everything that a verification needs.
type Key struct {
	Secret       Secret
	Subject      caveat.Subject
	Generation   int64         // of a temporary secret, from 1; 0 for a named token
	RevokedTails []Tail        // confined copies of the named token that are revoked; shared, read only
	Tightened    []OwnerCaveat // of the named token; shared, read only
	Revoked      bool          // the named token is revoked
	Bait         Bait          // of the named token
	Holder       Status        // of Subject
}

// Tail identifies a confined copy of a token and all tokens derived from it. It
// is the SHA-256 of the copy's signature, so the record contains nothing that
// could be used as a token.
type Tail [sha256.Size]byte

// TailOf returns the tail of the copy with the given signature.
func TailOf(signature []byte) Tail { return sha256.Sum256(signature) }

// Token is the record of a named token. The text of the token is not stored,
// because it can be rebuilt from the record.
type Token struct {
	ID           string         // unique; the key
	Name         string         // unique among the tokens of the subject
	Version      int            // of the identifier: 1 or 2
	Subject      caveat.Subject // a user or Oneprovider
	Type         string         // text of the token type in the identifier: "act", "idn", "ujg:GROUP:"
	Caveats      []string       // texts, in the order of the token; nil and empty are the same
	Secret       Secret         // root of the signature; any bytes
	Created      int64          // Unix seconds
	Revoked      bool
	Bait         Bait            // whether the token is a canary
	RevokedTails []Tail          // confined copies that are revoked; nil and empty are the same
	Tightened    []OwnerCaveat   // added after the token was issued, in order; nil and empty are the same
	Custom       json.RawMessage // JSON object of the client, equal but maybe reformatted; nil: none
	Privileges   []string        // of an invite token, sorted; nil (not empty) if its type has none
	UsageLimit   int64           // of an invite token; 0: unlimited
	UsageCount   int64           // uses so far
	Parent       string          // id of the named or temporary token that created this one; "": none
}

// OwnerCaveat is a caveat that is kept in the record of a token, not in the
// token.
type OwnerCaveat struct {
	Text  string
	Added int64 // Unix seconds
}

// Bait is whether a token is a canary: a token that nobody should use. The zero
// Bait is an ordinary token.
type Bait uint8

// The kinds of canaries.
const (
	BaitAlarm         Bait = iota + 1 // raises an event, and is answered as a revoked token
	BaitRevokesFamily                 // also revokes its family
)

// Identity is the record of a user or Oneprovider.
type Identity struct {
	Subject  caveat.Subject // the key: a user or Oneprovider
	Username string         // unique, "" for none; users only
	FullName string
	Password Secret // encoded password hash, any bytes; zero: no log-in with a password
	Blocked  bool
	Created  int64    // Unix seconds
	Rights   []string // admin rights, such as "oz_tokens_manage", sorted; nil and empty are the same
}

// maxText is the maximum length in bytes of keys and names, so that every
// backend can index them.
const maxText = 1024

// Validate reports whether a backend can store the record. Id, name, type,
// subject and secret must be set. Texts must be valid UTF-8 without NUL, and
// keys and names at most 1024 bytes long. Custom metadata must be a JSON
// object. A secret may contain any bytes. Other rules for names and caveats are
// checked by the caller. The error is badData {key}.
func (t Token) Validate() error {
	switch {
	case !validText(t.ID) || t.ID == "":
		return badRecord("id", "a token needs an id of valid UTF-8 without NUL, at most 1024 bytes long")
	case !validText(t.Name) || t.Name == "":
		return badRecord("name", "a named token needs a name of valid UTF-8 without NUL, at most 1024 bytes long")
	case t.Version != 1 && t.Version != 2:
		return badRecord("version", "the version of a token must be 1 or 2")
	case !validText(t.Type) || t.Type == "":
		return badRecord("type", "a token needs a type of valid UTF-8 without NUL, at most 1024 bytes long")
	case t.Secret.IsZero():
		return badRecord("secret", "a token needs a secret")
	case t.UsageLimit < 0 || t.UsageCount < 0:
		return badRecord("usageLimit", "usage limit and usage count must not be negative")
	case t.Custom != nil && !isObject(t.Custom):
		return badRecord("customMetadata", "the custom metadata must be a JSON object in valid UTF-8")
	case !allTexts(t.Caveats):
		return badRecord("caveats", "caveats must be non-empty, valid UTF-8 without NUL")
	case !allTexts(t.Privileges):
		return badRecord("privileges", "privileges must be non-empty, valid UTF-8 without NUL")
	case !validText(t.Parent):
		return badRecord("parent", "the id of a parent must be valid UTF-8 without NUL, at most 1024 bytes long")
	case slices.ContainsFunc(t.Tightened, func(c OwnerCaveat) bool { return c.Text == "" || !isText(c.Text) }):
		return badRecord("tightened", "caveats must be non-empty, valid UTF-8 without NUL")
	case t.Bait > BaitRevokesFamily:
		return badRecord("bait", "the bait must be 0, BaitAlarm or BaitRevokesFamily")
	}
	return ValidateHolder(t.Subject)
}

// ValidateNew reports whether a backend can create the record with the given
// requirement. The record must be valid, and require must be 0 or HolderActive.
// The error is badData {key}.
func (t Token) ValidateNew(require Status) error {
	if require != 0 && require != HolderActive {
		return badRecord("require", "the required status of the holder must be 0 or HolderActive")
	}
	return t.Validate()
}

// ValidateHolder reports whether the subject can hold tokens: a user or
// Oneprovider with an id. The error is badData {key "subject"}.
func ValidateHolder(s caveat.Subject) error {
	if s.Type != caveat.SubjectUser && s.Type != caveat.SubjectProvider || s.ID == "" || !validText(s.ID) {
		return badRecord("subject", "the holder of a token must be a user or Oneprovider with an id of valid UTF-8 without NUL, at most 1024 bytes long")
	}
	return nil
}

// Validate reports whether a backend can store the record. The error is badData
// {key}.
func (i Identity) Validate() error {
	switch {
	case !validText(i.Username):
		return badRecord("username", "a user name must be valid UTF-8 without NUL, at most 1024 bytes long")
	case !validText(i.FullName):
		return badRecord("fullName", "a full name must be valid UTF-8 without NUL, at most 1024 bytes long")
	case !validRights(i.Rights):
		return badRecord("rights", "rights must be sorted names of lowercase letters, digits and underscores, at most 64 bytes long")
	case i.Username != "" && i.Subject.Type != caveat.SubjectUser:
		return badRecord("username", "only users can have a user name")
	}
	return ValidateHolder(i.Subject)
}

// Validate reports whether a backend can store the record. The error is badData
// {key}.
func (t Temporary) Validate() error {
	switch {
	case t.Secret.IsZero():
		return badRecord("secret", "a temporary secret must not be empty")
	case t.Generation < 1:
		return badRecord("generation", "generations start at 1")
	}
	return ValidateHolder(t.Subject)
}

// Validate reports whether exactly one field is set and a backend can store
// that record. The error is badData {key}.
func (r Record) Validate() error {
	var only interface{ Validate() error }
	fields := 0
	if r.Identity != nil {
		only, fields = r.Identity, fields+1
	}
	if r.Temporary != nil {
		only, fields = r.Temporary, fields+1
	}
	if r.Token != nil {
		only, fields = r.Token, fields+1
	}
	if r.Use != nil {
		only, fields = r.Use, fields+1
	}
	if fields != 1 {
		return badRecord("record", "a record must be exactly one of identity, temporary secret, token and use")
	}
	return only.Validate()
}

func badRecord(key, hint string) error { return errors.BadDataHint(key, hint) }

func validText(s string) bool { return len(s) <= maxText && isText(s) }

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// allTexts reports whether every item is a non-empty text of any length.
func allTexts(items []string) bool {
	return !slices.ContainsFunc(items, func(s string) bool { return s == "" || !isText(s) })
}

// rightName is the form of the name of a right.
var rightName = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)

// validRights reports whether the names are valid, sorted and different.
func validRights(rights []string) bool {
	for i, right := range rights {
		if !rightName.MatchString(right) || i > 0 && rights[i-1] >= right {
			return false
		}
	}
	return true
}

// isObject reports whether data is a JSON object in valid UTF-8. json.Valid
// alone accepts invalid UTF-8.
func isObject(data []byte) bool {
	return json.Valid(data) && utf8.Valid(data) && bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
}

// Clone returns a copy that shares no memory with t.
func (t Token) Clone() Token {
	t.Caveats = slices.Clone(t.Caveats)
	t.RevokedTails = slices.Clone(t.RevokedTails)
	t.Custom = slices.Clone(t.Custom)
	t.Privileges = slices.Clone(t.Privileges)
	t.Tightened = slices.Clone(t.Tightened)
	return t
}

// Clone returns a copy that shares no memory with i. Its empty lists are nil.
func (i Identity) Clone() Identity {
	i.Rights = append([]string(nil), i.Rights...)
	return i
}

// Status returns the status of the identity as a holder of tokens.
func (i Identity) Status() Status {
	if i.Blocked {
		return HolderBlocked
	}
	return HolderActive
}

// UpdateToken applies change to a copy of old and returns the result. Backends
// use it. It checks all rules of [Tokens.UpdateToken] except that the name is
// unique.
func UpdateToken(old Token, change func(*Token) error) (Token, error) {
	if change == nil {
		return Token{}, badRecord("change", "the function that changes the record must not be nil")
	}
	t := old.Clone()
	if err := change(&t); err != nil {
		return Token{}, err
	}
	if t.ID != old.ID || t.Subject != old.Subject || t.Created != old.Created || t.Parent != old.Parent {
		return Token{}, badRecord("id", "the id, subject, creation time and parent of a token cannot be changed")
	}
	return t.Clone(), t.Validate()
}

// UpdateIdentity applies change to a copy of old, like [UpdateToken].
func UpdateIdentity(old Identity, change func(*Identity) error) (Identity, error) {
	if change == nil {
		return Identity{}, badRecord("change", "the function that changes the record must not be nil")
	}
	i := old.Clone()
	if err := change(&i); err != nil {
		return Identity{}, err
	}
	if i.Subject != old.Subject || i.Created != old.Created {
		return Identity{}, badRecord("subject", "the subject and creation time of an identity cannot be changed")
	}
	return i.Clone(), i.Validate()
}
