package caveat

import (
	"context"
	"encoding/json"

	"github.com/onezone-go/onezone/errors"
)

// Type names a kind of caveat. The names are those of the "type" key in JSON;
// the identity scope, which has no such key there, is called "scope".
type Type string

// The types of the Onezone language. A [Kind] of an application is its own
// type, called by its name.
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

// Caveat is one condition of a token. The implementations are the types of this
// package, as values: a nil Caveat or a pointer is taken for an [Unknown]. An
// application adds its own through a [Kind], which keeps every text readable by
// exactly one parser. A Caveat must not be changed after it was handed to a
// function of this module.
type Caveat interface {
	// Type tells the kind of the caveat.
	Type() Type
	// String returns the canonical text, the one a new token carries.
	String() string
	// MarshalJSON returns the object form of the REST API.
	json.Marshaler

	// satisfied reports whether the caveat holds. The error tells why a
	// look-up that it needed failed; it is nil where the answer is plainly no.
	// The request goes by value so that it need not be on the heap.
	satisfied(ctx context.Context, req Request) (bool, error)
	// problem says why the caveat may not enter a new token, "" if it may.
	problem() string
	// demand says in words what the caveat asks of a request.
	demand() string
}

// Check reports whether the caveat holds for the request.
//
// The error is tokenCaveatUnknown for [Unknown] and tokenCaveatUnverified for
// every other caveat. Where a look-up failed (geo database, group membership,
// cancelled context) its error is in the chain: the caveat is refused all the
// same, as everything that cannot be decided is.
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

// Unverified returns the tokenCaveatUnverified error that names the caveat, for
// a verifier that refuses it without asking (a kind its token does not support).
func Unverified(c Caveat) error { return unverified(language.normalize(c), nil) }

func unverified(c Caveat, cause error) error {
	return errors.TokenCaveatUnverified(c, c.demand()).WithCause(cause)
}

// Expiry returns the earliest moment, in Unix seconds, at which a time caveat
// of the list stops holding; ok is false where the list has none.
func Expiry(cs []Caveat) (validUntil int64, ok bool) {
	for _, c := range cs {
		if t, is := c.(Time); is && (!ok || t.ValidUntil < validUntil) {
			validUntil, ok = t.ValidUntil, true
		}
	}
	return validUntil, ok
}

// Unknown is a text outside the language. It is kept so that a token that
// carries it can be shown; it never holds and never enters a new token.
type Unknown string

// Type returns [TypeUnknown].
func (Unknown) Type() Type { return TypeUnknown }

// String returns the text as it was found.
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

// Types returns the thirteen types of the Onezone language, in the order in
// which its documentation lists them.
func Types() []Type {
	types := make([]Type, len(rows))
	for i, r := range rows {
		types[i] = r.typ
	}
	return types
}
