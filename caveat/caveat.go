package caveat

import (
	"context"
	"encoding/json"

	"github.com/onezone-go/onezone/errors"
)

// Type names a kind of caveat, as the "type" key in JSON does. The identity
// scope, which has no such key, is called "scope".
type Type string

// The types of the Onezone language. The type of an application's caveat is the
// name of its [Kind].
const (
	TypeTime         Type = "time"
	TypeIP           Type = "ip"
	TypeASN          Type = "asn"
	TypeCountry      Type = "geo.country"
	TypeRegion       Type = "geo.region"
	TypeIdentityOnly Type = "scope"
	TypeService      Type = "service"
	TypeConsumer     Type = "consumer"
	TypeInterface    Type = "interface"
	TypeAPI          Type = "api"
	TypeDataReadonly Type = "data.readonly"
	TypeDataPath     Type = "data.path"
	TypeDataObjectID Type = "data.objectid"
	TypeUnknown      Type = "unknown"
)

// Caveat is one condition of a token. The types of this package implement it as
// values: a nil Caveat or a pointer is treated as an [Unknown]. Applications
// define their own with a [Kind], so that exactly one parser reads each text.
// The caller must not change a Caveat after passing it to a function of this
// module.
type Caveat interface {
	// Type returns the type of the caveat.
	Type() Type
	// String returns the canonical text, the one a new token carries.
	String() string
	// MarshalJSON returns the object form of the REST API.
	json.Marshaler

	// satisfied reports whether the caveat holds. The error is that of a failed
	// look-up, and nil if the caveat simply does not hold. The request is
	// passed by value, which keeps it off the heap.
	satisfied(ctx context.Context, req Request) (bool, error)
	// problem returns why the caveat may not enter a new token, "" if it may.
	problem() string
	// demand describes in words what the caveat requires of a request.
	demand() string
	// explain describes how the attempt relates to the caveat.
	explain(ctx context.Context, a *Attempt) Wording
}

// Check reports whether the caveat holds for the request.
//
// The error is tokenCaveatUnknown for [Unknown] and tokenCaveatUnverified for
// every other caveat. A caveat that cannot be decided is refused, too: if a
// look-up failed (geo database, group membership, canceled context), its error
// is in the chain.
func Check(ctx context.Context, c Caveat, req *Request) error {
	if req == nil {
		req = &Request{}
	}
	c = req.Vocabulary.language().normalize(c)
	ok, cause := c.satisfied(ctx, *req)
	return verdict(c, ok, cause)
}

// verdict returns the error of Check for what [Caveat.satisfied] returned.
func verdict(c Caveat, ok bool, cause error) error {
	switch {
	case ok && cause == nil:
		return nil
	case c.Type() == TypeUnknown:
		return errors.TokenCaveatUnknown(c.String())
	}
	return unverified(c, cause)
}

// Unverified returns the tokenCaveatUnverified error for the caveat. Verifiers
// use it to refuse a caveat that the type of the token does not support.
func Unverified(c Caveat) error { return unverified(language.normalize(c), nil) }

func unverified(c Caveat, cause error) error {
	return errors.TokenCaveatUnverified(c, c.demand()).WithCause(cause)
}

// Expiry returns the earliest ValidUntil of the time caveats of the list, in
// Unix seconds. ok is false if the list has no time caveat.
func Expiry(cs []Caveat) (validUntil int64, ok bool) {
	for _, c := range cs {
		if t, is := c.(Time); is && (!ok || t.ValidUntil < validUntil) {
			validUntil, ok = t.ValidUntil, true
		}
	}
	return validUntil, ok
}

// Unknown is a caveat text outside the language. It is kept so that its token
// can be displayed; it never holds and never enters a new token.
type Unknown string

// Type returns [TypeUnknown].
func (Unknown) Type() Type { return TypeUnknown }

// String returns the text unchanged.
func (u Unknown) String() string { return string(u) }

// MarshalJSON returns {"type":"unknown","text":TEXT}.
func (u Unknown) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type Type   `json:"type"`
		Text string `json:"text"`
	}{TypeUnknown, string(u)})
}

func (Unknown) satisfied(context.Context, Request) (bool, error) { return false, nil }
func (Unknown) problem() string                                  { return "it is not a known caveat" }
func (Unknown) demand() string                                   { return "it is not a known caveat" }

func (Unknown) explain(context.Context, *Attempt) Wording {
	return Wording{
		Reason: "the caveat is not known here",
		Remedy: "only a verifier whose vocabulary has the kind of the caveat accepts the token",
	}
}

// Types returns the thirteen types of the Onezone language, in the order of its
// documentation.
func Types() []Type {
	types := make([]Type, len(rows))
	for i, r := range rows {
		types[i] = r.typ
	}
	return types
}
