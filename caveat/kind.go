package caveat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Kind is a kind of caveat that an application adds to the language. Its text
// is "NAME = VALUE", with one value that is not split, and its JSON is
// {"type":NAME,"value":VALUE}. Tokens of every type support it.
//
// A caveat of the kind is decided when the token is verified. A verifier that
// knows only later what the request is about lists the kind in
// [Request].Ignored and calls [List.CheckKind].
type Kind struct {
	// Name is the first word of the text: lower-case letters, digits, dots,
	// dashes and underscores, beginning with a letter, at most 64 bytes. The
	// names of Onezone caveats, and names that begin with "data." or "geo.",
	// are reserved.
	Name string
	// Validate returns an error for a value that the kind does not allow. A
	// caveat with such a value is unknown. If it is nil, every non-empty value
	// without control characters is allowed.
	Validate func(value string) error
	// Satisfied reports whether the caveat holds for the request. Other input
	// comes from ctx: the application adds it before it calls
	// Authority.VerifyAccess, or in a handler in front of rest.Authenticate. A
	// value that is missing from ctx must not satisfy the caveat. An error
	// refuses the caveat, too, and is in the chain of the refusal.
	Satisfied func(ctx context.Context, value string, req *Request) (bool, error)

	// Explain describes for people how the request relates to the value, for
	// [List.Explain]. If it is nil, the description is a general sentence.
	Explain func(ctx context.Context, value string, req *Request) Wording
	// Turns returns the times in the interval at which the caveat may begin or
	// cease to hold, for [Finding].Changes. Satisfied decides each of them
	// again. If it is nil, there are none.
	Turns func(value string, from, to time.Time) []time.Time
}

var kindName = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,63}$`)

func (k Kind) problem() string {
	switch {
	case !kindName.MatchString(k.Name):
		return "a name is made of lower-case letters, digits, dots, dashes and underscores, begins with a letter and has at most 64 bytes"
	case language.byHead[k.Name] != nil || language.byType[Type(k.Name)] != nil || k.Name == string(TypeUnknown) ||
		strings.HasPrefix(k.Name, "data.") || strings.HasPrefix(k.Name, "geo."):
		return "the name belongs to the Onezone language"
	case k.Satisfied == nil:
		return "a kind needs a Satisfied function"
	}
	return ""
}

// New returns the caveat "NAME = VALUE" of a kind of the vocabulary, for
// macaroon.Grant, macaroon.Spec and macaroon.Token.ConfineIn. The error is
// badValueCaveat: the vocabulary lacks the kind, or the kind does not allow the
// value.
func (v *Vocabulary) New(kind, value string) (Caveat, error) {
	k := v.kind(kind)
	if k == nil {
		return nil, badCaveat(kind+" = "+value, "its kind is not in the vocabulary, which has "+v.names())
	}
	c := Custom{k, value}
	if err := v.Validate(c); err != nil {
		return nil, err
	}
	return c, nil
}

// names lists the application's kinds for a message.
func (v *Vocabulary) names() string {
	if v == nil || len(v.kinds) == 0 {
		return "none"
	}
	return quoted(slices.Sorted(maps.Keys(v.kinds)))
}

// Custom is a caveat of an application's [Kind], made by [Vocabulary.New] or
// read by the vocabulary that has the kind. The zero Custom behaves as an
// [Unknown] with an empty text.
type Custom struct {
	kind  *Kind
	value string
}

// Value returns the VALUE of "NAME = VALUE".
func (c Custom) Value() string { return c.value }

// Type returns the name of the kind.
func (c Custom) Type() Type {
	if c.kind == nil {
		return TypeUnknown
	}
	return Type(c.kind.Name)
}

// String returns the text "NAME = VALUE".
func (c Custom) String() string {
	if c.kind == nil {
		return ""
	}
	return c.kind.Name + " = " + c.value
}

// MarshalJSON returns {"type":NAME,"value":VALUE}.
func (c Custom) MarshalJSON() ([]byte, error) {
	if c.kind == nil {
		return Unknown("").MarshalJSON()
	}
	return json.Marshal(struct {
		Type  Type   `json:"type"`
		Value string `json:"value"`
	}{c.Type(), c.value})
}

func (c Custom) satisfied(ctx context.Context, req Request) (bool, error) {
	return c.kind.Satisfied(ctx, c.value, &req)
}

func (c Custom) problem() string {
	switch {
	case c.value == "" || strings.ContainsFunc(c.value, unicode.IsControl):
		return "the value must not be empty or hold control characters"
	case c.kind.Validate == nil:
		return ""
	}
	if err := c.kind.Validate(c.value); err != nil {
		return fmt.Sprintf("its kind refuses the value: %.200q", err.Error())
	}
	return ""
}

func (c Custom) demand() string {
	return "the condition " + quoted([]string{c.String()}) + " must hold"
}

func (c Custom) explain(ctx context.Context, a *Attempt) Wording {
	if c.kind.Explain == nil {
		return Wording{Reason: fmt.Sprintf("the application decides caveats of the kind %q", c.kind.Name)}
	}
	return c.kind.Explain(ctx, c.value, &a.Request)
}

func (c Custom) turns(from, to time.Time) []time.Time {
	if c.kind.Turns == nil {
		return nil
	}
	return c.kind.Turns(c.value, from, to)
}
