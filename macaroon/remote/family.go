package remote

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// The calls below are extensions of the API, which other Onezones than ours
// answer with notFound.

// baits are the names of canaries in JSON; null is an ordinary token.
var baits = map[string]store.Bait{"alarm": store.BaitAlarm, "revokeFamily": store.BaitRevokesFamily}

// baitName returns the name of the bait, nil for none.
func baitName(bait store.Bait) any {
	for name, b := range baits {
		if b == bait {
			return name
		}
	}
	return nil
}

// Tighten adds caveats to the record of a named token. See
// [macaroon.Authority.Tighten]. It reads the list of added caveats and replaces
// it, so of two clients that change it at the same time the later one wins.
func (a *Account) Tighten(ctx context.Context, id string, cs ...caveat.Caveat) error {
	return a.editAdditions(ctx, id, cs, func(old []caveat.Caveat, c caveat.Caveat, i int) ([]caveat.Caveat, error) {
		if i >= 0 {
			return old, nil
		}
		return append(old, c), nil
	})
}

// Loosen removes caveats that were added by Tighten, in the same way. The error
// is badValueCaveat for one that was not, and forbidden if the token of the
// client has caveats.
func (a *Account) Loosen(ctx context.Context, id string, cs ...caveat.Caveat) error {
	return a.editAdditions(ctx, id, cs, func(old []caveat.Caveat, c caveat.Caveat, i int) ([]caveat.Caveat, error) {
		if i < 0 {
			err := errors.BadValueCaveat(c.String())
			err.Description = "Bad value: provided caveat is not valid: the owner has not added it to this token."
			return nil, err
		}
		return slices.Delete(old, i, i+1), nil
	})
}

// editAdditions replaces the caveats that were added to the record by the result
// of edit for each of the given ones, which gets its index, or -1.
func (a *Account) editAdditions(ctx context.Context, id string, cs []caveat.Caveat,
	edit func(old []caveat.Caveat, c caveat.Caveat, i int) ([]caveat.Caveat, error),
) error {
	if len(cs) == 0 {
		return errors.BadValueEmpty("caveats")
	}
	n, err := a.Get(ctx, id)
	if err != nil {
		return err
	}
	var texts []string
	for _, addition := range n.Tightened {
		texts = append(texts, addition.Text)
	}
	all := append([]caveat.Caveat{}, a.client.vocabulary.ParseList(texts).Caveats()...)
	for _, c := range cs {
		i := slices.IndexFunc(all, func(other caveat.Caveat) bool { return other.String() == c.String() })
		if all, err = edit(all, c, i); err != nil {
			return err
		}
	}
	return a.Update(ctx, id, macaroon.Change{Tightened: all})
}

// RevokeFamily revokes the named token and all that were minted with it. See
// [macaroon.Authority.RevokeFamily].
func (a *Account) RevokeFamily(ctx context.Context, id string) error {
	return a.call(ctx, request{method: http.MethodPost, path: tokenPath(id) + "/revoke_family", body: struct{}{}})
}

// DeleteFamily deletes the named token and all that were minted with it.
func (a *Account) DeleteFamily(ctx context.Context, id string) error {
	return a.call(ctx, request{method: http.MethodDelete, path: tokenPath(id), query: "children=delete"})
}

// Family returns the named token and those that were minted with it. See
// [macaroon.Authority.Family]. Tokens that the client may not manage have no
// name, subject and type.
func (a *Account) Family(ctx context.Context, id string) (macaroon.Relative, error) {
	var answer relative
	err := a.call(ctx, request{
		method: http.MethodGet, path: tokenPath(id) + "/family", repeatable: true, maxAnswer: maxFamily,
		decode: readInto(&answer, "the id", func() bool { return answer.ID != "" }),
	})
	return answer.relative(), err
}

// maxFamily is the largest family, in bytes: a thousand tokens with long names.
const maxFamily = 4 << 20

// relative is a token in the JSON form of a family.
type relative struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Subject   *caveat.Subject `json:"subject"` // null if the client may not manage it
	Type      *macaroon.Type  `json:"type"`    // null likewise
	Created   int64           `json:"creationTime"`
	Revoked   bool            `json:"revoked"`
	Children  []relative      `json:"children"`
	Truncated bool            `json:"truncated"`
}

func (r relative) relative() macaroon.Relative {
	shown := macaroon.Relative{
		ID: r.ID, Name: r.Name, Created: time.Unix(r.Created, 0).UTC(), Revoked: r.Revoked, Truncated: r.Truncated,
	}
	if r.Subject != nil && r.Type != nil {
		shown.Subject, shown.Type = *r.Subject, *r.Type
	}
	for _, child := range r.Children {
		shown.Children = append(shown.Children, child.relative())
	}
	return shown
}
