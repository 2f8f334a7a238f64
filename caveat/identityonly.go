package caveat

import "context"

// IdentityOnly is the legacy caveat "authorization = none": the token proves an
// identity and authorizes nothing.
type IdentityOnly struct{}

func readIdentityOnly(o object, _ int) (Caveat, string) {
	scope, _ := o.text("scope")
	return IdentityOnly{}, unless(scope == "identityToken", `scope must be "identityToken"`)
}

// Type returns [TypeIdentityOnly].
func (IdentityOnly) Type() Type { return TypeIdentityOnly }

// String returns the text "authorization = none".
func (IdentityOnly) String() string { return "authorization = none" }

// MarshalJSON returns {"scope":"identityToken"}: it is the only caveat without
// a type in JSON and is recognized by the key "scope".
func (IdentityOnly) MarshalJSON() ([]byte, error) { return []byte(`{"scope":"identityToken"}`), nil }

func (IdentityOnly) satisfied(_ context.Context, req Request) (bool, error) {
	return req.ProveIdentity, nil
}
func (IdentityOnly) problem() string { return "" }
func (IdentityOnly) demand() string  { return "the token may be used only to prove an identity" }

func (IdentityOnly) explain(_ context.Context, a *Attempt) Wording {
	if a.ProveIdentity {
		return Wording{Reason: "the token proves an identity"}
	}
	return Wording{Reason: "the token authorizes an operation"}
}
